-- ROIe: what each contract's money bought, after final results only. Cost is the whole cost; of a part of the students it is their part.
with cost as (
    select * from {{ ref('rpt_roi_cost') }}
    where ingredient = 'ALL'
),

dose as (
    select
        contract_id,
        count(student_key) as n_assigned
    from {{ ref('int_student_tutoring__dose') }}
    group by contract_id
),

line as (
    select
        terms.contract_id,
        terms.line_id,
        terms.data_due_on,
        terms.data_due_on < {{ as_of_date() }} as is_due,
        count(case when left(decision.decision, 8) = 'PENDING_' then 1 end) as pending
    from {{ ref('int_payment__line') }} as terms
    left join {{ ref('int_payment__decision') }} as decision
        on
            terms.contract_id = decision.contract_id
            and terms.line_id = decision.line_id
    group by terms.contract_id, terms.line_id, terms.data_due_on
),

-- After final results: the whole cost over what was reached.
final_outcome as (
    select
        cost.contract_id,
        'cost_per_outcome' as measure,
        'dollars per outcome met' as unit,
        coalesce(outlook.n_students, 0) as n_students,
        cast(outlook.n_met as double) as unit_count,
        cost.vendor_paid_projected_amount as vendor_paid_amount,
        cost.full_cost_projected_amount as full_cost_amount,
        case
            when not line.is_due or line.pending > 0
                then
                    'Results of this line are not final'
                    || case
                        when not coalesce(line.is_due, false) then coalesce(': due on ' || cast(line.data_due_on as varchar), '')
                        else ': ' || cast(line.pending as varchar) || ' decisions are pending'
                    end || '.'
            when coalesce(outlook.n_students, 0) = 0 then 'No student is in scope of this line.'
            when outlook.n_met = 0 then 'Nobody met the outcome: there is nothing to divide by.'
        end as what_is_missing,
        cast(null as varchar) as note,
        line.line_id,
        cast(null as double) as unit_low,
        cast(null as double) as unit_high
    from cost
    inner join line
        on cost.contract_id = line.contract_id
    left join {{ ref('int_roi__outlook') }} as outlook
        on
            line.contract_id = outlook.contract_id
            and line.line_id = outlook.line_id
            and outlook.is_now
),

-- Of students whose start has a history, with their part of the cost.
final_excess as (
    select
        cost.contract_id,
        'cost_per_excess_outcome' as measure,
        'dollars per outcome beyond what history expects' as unit,
        coalesce(growth.n_students, 0) as n_students,
        case when growth.excess_outcomes_low > 0 then cast(growth.excess_outcomes as double) end as unit_count,
        cost.vendor_paid_projected_amount * nullif(growth.n_students, 0) / nullif(dose.n_assigned, 0) as vendor_paid_amount,
        cost.full_cost_projected_amount * nullif(growth.n_students, 0) / nullif(dose.n_assigned, 0) as full_cost_amount,
        case
            when final_outcome.what_is_missing like 'Results%' then final_outcome.what_is_missing
            when growth.contract_id is null then 'No pair of tests measures growth on this line.'
            when growth.status = 'not_enough_data' then growth.what_is_missing
        end as what_is_missing,
        case
            when growth.excess_outcomes_low <= 0
                then
                    'No measurable excess: ' || cast(cast(growth.excess_outcomes as decimal(18, 1)) as varchar)
                    || ' outcomes more than history expects, interval '
                    || cast(cast(growth.excess_outcomes_low as decimal(18, 1)) as varchar) || ' to '
                    || cast(cast(growth.excess_outcomes_high as decimal(18, 1)) as varchar) || '.'
        end as note,
        final_outcome.line_id,
        case when growth.excess_outcomes_low > 0 then cast(growth.excess_outcomes_low as double) end as unit_low,
        case when growth.excess_outcomes_low > 0 then cast(growth.excess_outcomes_high as double) end as unit_high
    from cost
    inner join final_outcome
        on cost.contract_id = final_outcome.contract_id
    left join dose
        on cost.contract_id = dose.contract_id
    left join {{ ref('rpt_growth_vs_expected') }} as growth
        on
            final_outcome.contract_id = growth.contract_id
            and final_outcome.line_id = growth.line_id
            and growth.population = 'all_measured'
),

-- Levin's unit: standard deviations of effect per $100 per pupil, from the matched comparison. Here more is better: the amount divides.
final_effect as (
    select
        cost.contract_id,
        'effect_per_100_dollars' as measure,
        'standard deviations per $100 per pupil' as unit,
        coalesce(matched.n_students, 0) as n_students,
        cast(matched.effect_size as double) as unit_count,
        cost.vendor_paid_projected_amount / nullif(dose.n_assigned, 0) as vendor_paid_amount,
        cost.full_cost_projected_amount / nullif(dose.n_assigned, 0) as full_cost_amount,
        case
            when final_outcome.what_is_missing like 'Results%' then final_outcome.what_is_missing
            when matched.contract_id is null then 'No pair of tests measures growth on this line.'
            when matched.status = 'not_enough_data' or matched.effect_size is null
                then coalesce(matched.what_is_missing, 'The matched comparison shows no effect size.')
        end as what_is_missing,
        case
            when matched.ci_low <= 0 and matched.ci_high >= 0
                then
                    'No measurable effect: the interval, ' || cast(cast(matched.ci_low as decimal(9, 2)) as varchar) || ' to '
                    || cast(cast(matched.ci_high as decimal(9, 2)) as varchar) || ' standard deviations, includes zero.'
        end as note,
        final_outcome.line_id,
        cast(matched.ci_low as double) as unit_low,
        cast(matched.ci_high as double) as unit_high
    from cost
    inner join final_outcome
        on cost.contract_id = final_outcome.contract_id
    left join dose
        on cost.contract_id = dose.contract_id
    left join {{ ref('rpt_matched_comparison') }} as matched
        on
            final_outcome.contract_id = matched.contract_id
            and final_outcome.line_id = matched.line_id
)

select
    contract_id,
    line_id,
    measure,
    unit,
    n_students,
    unit_count,
    unit_low,
    unit_high,
    vendor_paid_amount,
    full_cost_amount,
    what_is_missing,
    note
from final_outcome
union all
select
    contract_id,
    line_id,
    measure,
    unit,
    n_students,
    unit_count,
    unit_low,
    unit_high,
    vendor_paid_amount,
    full_cost_amount,
    what_is_missing,
    note
from final_excess
union all
select
    contract_id,
    line_id,
    measure,
    unit,
    n_students,
    unit_count,
    unit_low,
    unit_high,
    vendor_paid_amount,
    full_cost_amount,
    what_is_missing,
    note
from final_effect
