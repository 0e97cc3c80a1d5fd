-- One row per contract: what stands on its statement so far, the three factors, what is held, and whether a cap is passed.
with contract as (
    select * from {{ ref('int_payment__contract') }}
),

decision as (
    select
        *,
        decision <> 'OUT_OF_SCOPE' and left(decision, 9) <> 'EXCLUDED_' as is_in_scope,
        left(decision, 5) = 'HELD_' as is_held,
        left(decision, 8) = 'PENDING_' as is_pending,
        -- What is owed for all students together is money of the contract, and no student's outcome.
        student_id is null as is_cohort
    from {{ ref('fct_payment_decision') }}
),

outcomes as (
    select
        contract_id,
        count(*) filter (where not is_cohort and is_in_scope) as outcomes_in_scope,
        count(*) filter (where not is_cohort and left(decision, 9) = 'EXCLUDED_') as outcomes_excluded,
        count(*) filter (where not is_cohort and is_in_scope and is_attendance_met) as attendance_met_count,
        count(*) filter (where not is_cohort and is_in_scope and not is_attendance_met) as attendance_not_met_count,
        count(*) filter (where not is_cohort and is_in_scope and is_attendance_met is null) as attendance_unknown_count,
        count(*) filter (where not is_cohort and is_in_scope and is_provider_met) as provider_met_count,
        count(*) filter (where not is_cohort and is_in_scope and not is_provider_met) as provider_not_met_count,
        count(*) filter (where not is_cohort and is_in_scope and is_provider_met is null) as provider_unknown_count,
        count(*) filter (where not is_cohort and is_in_scope and is_outcome_met) as outcome_met_count,
        count(*) filter (where not is_cohort and is_in_scope and not is_outcome_met) as outcome_not_met_count,
        count(*) filter (where not is_cohort and is_in_scope and is_outcome_met is null) as outcome_unknown_count,
        count(*) filter (where not is_cohort and decision = 'EARNED') as earned_count,
        count(*) filter (where not is_cohort and decision in ('EARNED', 'NOT_EARNED_OUTCOME')) as earned_rate_denominator,
        count(*) filter (where not is_cohort and is_held) as held_count,
        count(*) filter (where not is_cohort and is_pending) as pending_count,
        count(*) filter (where is_cohort) as cohort_lines,
        sum(case when is_cohort then earned_amount else 0 end) as cohort_earned_amount,
        sum(case when is_held then at_stake_amount else 0 end) as held_amount,
        sum(case when is_pending then at_stake_amount else 0 end) as pending_amount,
        sum(case when earned_amount > 0 then earned_amount else 0 end) as contingent_earned_amount,
        sum(case when decision = 'DISTRICT_DEFAULT' then earned_amount else 0 end) as district_default_amount,
        sum(case when earned_amount < 0 then earned_amount else 0 end) as penalty_amount,
        sum(case when is_in_scope then maximum_amount else 0 end) as maximum_contingent_amount
    from decision
    group by contract_id
),

students as (
    select
        contract_id,
        count(distinct coalesce(student_key, student_id)) as students_assigned,
        count(distinct case when student_key is null then student_id end) as students_unknown
    from {{ ref('input__roster_assignment') }}
    group by contract_id
),

base as (
    select
        contract_id,
        count(*) filter (where reason_code = 'SERVED') as students_served,
        sum(creditable_sessions) as creditable_sessions,
        sum(base_amount) as base_amount,
        sum(maximum_base_amount) as maximum_base_amount
    from {{ ref('fct_base_payment') }}
    group by contract_id
),

blocked as (
    select
        contract_id,
        min(reason) as block_reason
    from {{ source('intake', 'contract_block') }}
    group by contract_id
),

added as (
    select
        contract.*,
        cast(coalesce(base.base_amount, 0) as decimal(18, 2)) as base_amount,
        cast(coalesce(base.maximum_base_amount, 0) as decimal(18, 2)) as maximum_base_amount,
        cast(coalesce(outcomes.contingent_earned_amount, 0) as decimal(18, 2)) as contingent_earned_amount,
        cast(coalesce(outcomes.penalty_amount, 0) as decimal(18, 2)) as penalty_amount,
        -- Penalties reduce what was earned before any cap (domain §4.3).
        cast(coalesce(outcomes.contingent_earned_amount, 0) + coalesce(outcomes.penalty_amount, 0) as decimal(18, 2))
            as contingent_net_amount,
        cast(coalesce(outcomes.maximum_contingent_amount, 0) as decimal(18, 2)) as maximum_contingent_amount,
        coalesce(base.students_served, 0) as students_served,
        coalesce(base.creditable_sessions, 0) as creditable_sessions
    from contract
    left join base
        on contract.contract_id = base.contract_id
    left join outcomes
        on contract.contract_id = outcomes.contract_id
)

select
    added.contract_id,
    added.contract_version,
    added.period,
    added.provider_id,
    added.provider_name,
    added.subject,
    cast(coalesce(students.students_assigned, 0) as bigint) as students_assigned,
    cast(coalesce(students.students_unknown, 0) as bigint) as students_unknown,
    cast(added.students_served as bigint) as students_served,
    cast(added.creditable_sessions as bigint) as creditable_sessions,
    cast(coalesce(outcomes.outcomes_in_scope, 0) as bigint) as outcomes_in_scope,
    cast(coalesce(outcomes.outcomes_excluded, 0) as bigint) as outcomes_excluded,
    cast(coalesce(outcomes.attendance_met_count, 0) as bigint) as attendance_met_count,
    cast(coalesce(outcomes.attendance_not_met_count, 0) as bigint) as attendance_not_met_count,
    cast(coalesce(outcomes.attendance_unknown_count, 0) as bigint) as attendance_unknown_count,
    cast(coalesce(outcomes.provider_met_count, 0) as bigint) as provider_met_count,
    cast(coalesce(outcomes.provider_not_met_count, 0) as bigint) as provider_not_met_count,
    cast(coalesce(outcomes.provider_unknown_count, 0) as bigint) as provider_unknown_count,
    cast(coalesce(outcomes.outcome_met_count, 0) as bigint) as outcome_met_count,
    cast(coalesce(outcomes.outcome_not_met_count, 0) as bigint) as outcome_not_met_count,
    cast(coalesce(outcomes.outcome_unknown_count, 0) as bigint) as outcome_unknown_count,
    cast(coalesce(outcomes.earned_count, 0) as bigint) as earned_count,
    cast(coalesce(outcomes.earned_rate_denominator, 0) as bigint) as earned_rate_denominator,
    {{ safe_divide('outcomes.earned_count', 'outcomes.earned_rate_denominator') }} as earned_rate,
    added.base_amount,
    added.maximum_base_amount,
    added.contingent_earned_amount,
    cast(coalesce(outcomes.district_default_amount, 0) as decimal(18, 2)) as district_default_amount,
    added.penalty_amount,
    added.contingent_net_amount,
    cast(added.base_amount + added.contingent_net_amount as decimal(18, 2)) as total_earned_amount,
    cast(coalesce(outcomes.cohort_lines, 0) as bigint) as cohort_lines,
    cast(coalesce(outcomes.cohort_earned_amount, 0) as decimal(18, 2)) as cohort_earned_amount,
    added.maximum_contingent_amount,
    {{ safe_divide('added.maximum_contingent_amount', 'added.maximum_base_amount + added.maximum_contingent_amount') }}
        as contingent_share_computed,
    cast(added.contingent_share_declared as decimal(9, 6)) as contingent_share_declared,
    cast(coalesce(outcomes.held_count, 0) as bigint) as held_count,
    cast(coalesce(outcomes.held_amount, 0) as decimal(18, 2)) as held_amount,
    cast(coalesce(outcomes.pending_count, 0) as bigint) as pending_count,
    cast(coalesce(outcomes.pending_amount, 0) as decimal(18, 2)) as pending_amount,
    added.contingent_pool_cap_amount,
    added.nte_ceiling_amount,
    cast(greatest(added.contingent_net_amount - added.contingent_pool_cap_amount, 0) as decimal(18, 2)) as over_pool_cap_amount,
    cast(greatest(added.base_amount + added.contingent_net_amount - added.nte_ceiling_amount, 0) as decimal(18, 2))
        as over_nte_ceiling_amount,
    coalesce(added.contingent_net_amount > added.contingent_pool_cap_amount, false)
    or coalesce(added.base_amount + added.contingent_net_amount > added.nte_ceiling_amount, false) as is_over_cap,
    blocked.contract_id is not null as is_blocked,
    blocked.block_reason,
    {{ as_of_date() }} as as_of_date
from added
left join outcomes
    on added.contract_id = outcomes.contract_id
left join students
    on added.contract_id = students.contract_id
left join blocked
    on added.contract_id = blocked.contract_id
