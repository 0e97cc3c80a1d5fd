-- One row per line key: what is left of the earned cents after each cap, in the order of domain §4.3. Each cap sees what the one before
-- left. Penalties reduce the group's total before a cap looks at it, and are never cut.
with uncapped as (
    select
        earned.contract_id,
        earned.line_id,
        earned.line_key,
        earned.student_ref,
        earned.is_base,
        earned.earned_cents,
        terms.per_student_cap_cents,
        line_terms.max_paid_outcomes,
        line_terms.line_cap_cents,
        terms.pool_cap_cents,
        terms.nte_ceiling_cents,
        earned.earned_cents as after_per_student_cents,
        earned.earned_cents as after_max_paid_cents,
        earned.earned_cents as after_line_cents,
        earned.earned_cents as after_pool_cents,
        earned.earned_cents as after_base_nte_cents,
        earned.earned_cents as after_contingent_nte_cents,
        earned.earned_cents as cents,
        cast(null as varchar) as cap_applied
    from {{ ref('int_settlement__earned') }} as earned
    left join {{ ref('int_settlement__terms') }} as terms
        on earned.contract_id = terms.contract_id
    left join {{ ref('int_settlement__line_terms') }} as line_terms
        on
            earned.contract_id = line_terms.contract_id
            and earned.line_id = line_terms.line_id
),

-- The outcomes of one student, all lines together; not the base, and not what is owed for a cohort.
{{ cap_stage(
    'per_student', 'uncapped', ['contract_id', 'student_ref', 'is_base'],
    "case when not is_base and student_ref <> '' then per_student_cap_cents - negative_cents end",
    'PER_STUDENT'
) }},

-- More outcomes than are to be paid: what that many cost on average, shared by all, since nothing says whose outcome should go unpaid.
{{ cap_stage(
    'max_paid', 'per_student', ['contract_id', 'line_id'],
    "case when not is_base and positive_count > max_paid_outcomes then "
    ~ integer_divide('cast(positive_cents as ' ~ wide_integer() ~ ') * max_paid_outcomes', 'positive_count') ~ " end",
    'MAX_PAID_OUTCOMES'
) }},

{{ cap_stage(
    'line', 'max_paid', ['contract_id', 'line_id'],
    "case when not is_base then line_cap_cents - negative_cents end",
    'LINE'
) }},

{{ cap_stage(
    'pool', 'line', ['contract_id', 'is_base'],
    "case when not is_base then pool_cap_cents - negative_cents end",
    'POOL'
) }},

-- Under the ceiling the base comes first. Outcomes that come to less than nothing make room for it.
contingent as (
    select
        pool.*,
        cast(least(sum(case when is_base then 0 else cents end) over (partition by contract_id), 0) as bigint) as contingent_loss_cents
    from pool
),

{{ cap_stage(
    'base_nte', 'contingent', ['contract_id', 'is_base'],
    "case when is_base then nte_ceiling_cents - contingent_loss_cents end",
    'NOT_TO_EXCEED'
) }},

paid_base as (
    select
        base_nte.*,
        cast(sum(case when is_base then cents else 0 end) over (partition by contract_id) as bigint) as base_cents
    from base_nte
),

{{ cap_stage(
    'contingent_nte', 'paid_base', ['contract_id', 'is_base'],
    "case when not is_base then nte_ceiling_cents - base_cents - negative_cents end",
    'NOT_TO_EXCEED'
) }}

select
    line_key,
    contract_id,
    line_id,
    is_base,
    earned_cents,
    after_per_student_cents,
    after_max_paid_cents,
    after_line_cents,
    after_pool_cents,
    after_base_nte_cents,
    after_contingent_nte_cents,
    cents as payable_cents,
    cap_applied
from contingent_nte
