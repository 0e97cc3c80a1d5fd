-- Outcomes to expect of each line, at each month's end and now: the sum over students of the chance that goes with their pace. Now, who is
-- measured is no chance any more: met counts 1, not met 0, and whoever is still not measured when the line's data are due counts 0.
with standing as (
    select
        pace.contract_id,
        decision.line_id,
        pace.moment_on,
        pace.is_now,
        pace.pace,
        case
            when not pace.is_now then null
            when decision.is_outcome_met then 1
            when not decision.is_outcome_met or decision.data_due_on < {{ as_of_date() }} then 0
        end as known_result
    from {{ ref('int_roi__pace') }} as pace
    inner join {{ ref('int_payment__decision') }} as decision
        on
            pace.contract_id = decision.contract_id
            and pace.student_key = decision.student_ref
    where
        not decision.is_excluded
        and decision.decision <> 'OUT_OF_SCOPE'
)

select
    standing.contract_id,
    standing.line_id,
    standing.moment_on,
    standing.is_now,
    count(*) as n_students,
    count(standing.known_result) as n_known,
    count(case when standing.known_result = 1 then 1 end) as n_met,
    case
        when count(*) = count(coalesce(standing.known_result, chance.chance)) then sum(coalesce(standing.known_result, chance.chance))
    end as expected_outcomes,
    case
        when count(*) = count(coalesce(standing.known_result, chance.chance_low))
            then sum(coalesce(standing.known_result, chance.chance_low))
    end as expected_low,
    case
        when count(*) = count(coalesce(standing.known_result, chance.chance_high))
            then sum(coalesce(standing.known_result, chance.chance_high))
    end as expected_high
from standing
left join {{ ref('int_roi__chance') }} as chance
    on
        standing.contract_id = chance.contract_id
        and standing.line_id = chance.line_id
        and standing.pace = chance.pace
group by standing.contract_id, standing.line_id, standing.moment_on, standing.is_now
