-- From assigned to paid: how many students are left after each condition, and how many it cost, per contract and line (domain §5.6).
-- A condition that cannot be judged yet takes the student out of the count too, but is shown apart: unknown is not lost.
with outcome as (
    select
        decision.contract_id,
        decision.line_id,
        decision.period,
        decision.maximum_amount,
        settled.earned_amount - settled.payable_amount as cut_amount,
        case when decision.decision <> 'OUT_OF_SCOPE' and left(decision.decision, 9) <> 'EXCLUDED_' then 1 else 0 end as on_roster,
        case when decision.is_attendance_met then 1 when not decision.is_attendance_met then 0 end as dosage,
        case when decision.is_provider_met then 1 when not decision.is_provider_met then 0 end as provider,
        case
            when decision.metric_value is not null then 1
            when decision.decision in ('NOT_MEASURED_MISSING', 'NOT_MEASURED_INVALID') then 0
        end as tested,
        case when decision.is_outcome_met then 1 when not decision.is_outcome_met then 0 end as met,
        -- Whoever waits for a person has nothing payable yet that a cap could have cut.
        case
            when left(decision.decision, 5) = 'HELD_' or left(decision.decision, 8) = 'PENDING_' then null
            when settled.cap_applied is null then 1
            else 0
        end as within_cap
    from {{ ref('fct_payment_decision') }} as decision
    inner join {{ ref('fct_settlement_line') }} as settled
        on
            {{ line_key('decision.contract_id', 'decision.line_id', 'decision.student_id', 'decision.student_key', 'decision.period') }}
            = settled.line_key
    -- What is owed for a cohort has no student.
    where decision.student_id is not null
),

-- `before` is 1 while every earlier condition holds; `result` is this step's own: 1, 0 or unknown.
steps as (
    select
        contract_id,
        line_id,
        period,
        maximum_amount,
        1 as step_number,
        'ASSIGNED' as step,
        1 as held_before,
        1 as result
    from outcome
    union all
    select
        contract_id,
        line_id,
        period,
        maximum_amount,
        2,
        'ON_ROSTER',
        1,
        on_roster
    from outcome
    union all
    select
        contract_id,
        line_id,
        period,
        maximum_amount,
        3,
        'DOSAGE_MET',
        on_roster,
        dosage
    from outcome
    union all
    select
        contract_id,
        line_id,
        period,
        maximum_amount,
        4,
        'PROVIDER_MET',
        on_roster * coalesce(dosage, 0),
        provider
    from outcome
    union all
    select
        contract_id,
        line_id,
        period,
        maximum_amount,
        5,
        'TESTED',
        on_roster * coalesce(dosage, 0) * coalesce(provider, 0),
        tested
    from outcome
    union all
    select
        contract_id,
        line_id,
        period,
        maximum_amount,
        6,
        'OUTCOME_MET',
        on_roster * coalesce(dosage, 0) * coalesce(provider, 0) * coalesce(tested, 0),
        met
    from outcome
    union all
    select
        contract_id,
        line_id,
        period,
        cut_amount,
        7,
        'WITHIN_CAP',
        on_roster * coalesce(dosage, 0) * coalesce(provider, 0) * coalesce(tested, 0) * coalesce(met, 0),
        within_cap
    from outcome
)

select
    {{ surrogate_key(['contract_id', 'line_id', 'step']) }} as loss_step_key,
    contract_id,
    line_id,
    period,
    cast(step_number as integer) as step_number,
    step,
    cast(count(*) filter (where held_before = 1) as bigint) as students_before,
    cast(count(*) filter (where held_before = 1 and result = 1) as bigint) as students_left,
    cast(count(*) filter (where held_before = 1 and result = 0) as bigint) as students_lost,
    cast(count(*) filter (where held_before = 1 and result is null) as bigint) as students_unknown,
    cast(sum(case when held_before = 1 and result = 0 then maximum_amount else 0 end) as decimal(18, 2)) as lost_amount,
    cast(sum(case when held_before = 1 and result is null then maximum_amount else 0 end) as decimal(18, 2)) as unknown_amount,
    {{ as_of_date() }} as as_of_date
from steps
group by contract_id, line_id, period, step_number, step
