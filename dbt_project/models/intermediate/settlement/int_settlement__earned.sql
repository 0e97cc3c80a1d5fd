-- One row per line key: whatever can be paid, base and outcomes alike, as earned and before any cap.
with base as (
    select
        contract_id,
        contract_version,
        line_id,
        case when line_id = 'BASE' then 'BASE' else 'INSTALMENT' end as line_kind,
        student_id,
        student_key,
        school_id,
        period,
        cast(null as integer) as tier,
        cast(null as varchar) as decision,
        reason_code,
        reason,
        base_amount as earned_amount
    from {{ ref('fct_base_payment') }}
),

outcome as (
    select
        contract_id,
        contract_version,
        line_id,
        case
            when student_id is null then 'COHORT'
            when decision = 'PENALTY' then 'PENALTY'
            else 'OUTCOME'
        end as line_kind,
        student_id,
        student_key,
        school_id,
        period,
        tier,
        decision,
        reason_code,
        reason,
        earned_amount
    from {{ ref('fct_payment_decision') }}
),

earned as (
    select * from base
    union all
    select * from outcome
)

select
    {{ line_key('contract_id', 'line_id', 'student_id', 'student_key', 'period') }} as line_key,
    contract_id,
    contract_version,
    line_id,
    line_kind,
    line_kind in ('BASE', 'INSTALMENT') as is_base,
    {{ settled_student('student_id', 'student_key') }} as student_ref,
    student_id,
    student_key,
    school_id,
    period,
    tier,
    decision,
    reason_code,
    reason,
    cast(earned_amount as decimal(18, 2)) as earned_amount,
    {{ cents('earned_amount') }} as earned_cents
from earned
