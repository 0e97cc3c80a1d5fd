-- What is payable never passes a cap of the contract, student by student, line by line and in all; and where the ceiling cuts,
-- the rows come to it exactly.
with line as (
    select
        settled.*,
        {{ settled_student('settled.student_id', 'settled.student_key') }} as student_ref,
        settled.line_kind in ('BASE', 'INSTALMENT') as is_base,
        terms.per_student_cap_cents,
        terms.pool_cap_cents,
        terms.nte_ceiling_cents
    from {{ ref('fct_settlement_line') }} as settled
    inner join {{ ref('int_settlement__terms') }} as terms
        on settled.contract_id = terms.contract_id
),

per_student as (
    select
        contract_id,
        'PER_STUDENT' as cap,
        sum({{ cents('payable_amount') }}) as payable_cents,
        max(per_student_cap_cents) as limit_cents,
        max(case when cap_applied = 'PER_STUDENT' then 1 else 0 end) as is_cut
    from line
    where not is_base and student_ref <> ''
    group by contract_id, student_ref
),

per_line as (
    select
        line.contract_id,
        'LINE' as cap,
        sum({{ cents('line.payable_amount') }}) as payable_cents,
        max(line_terms.line_cap_cents) as limit_cents,
        max(case when line.cap_applied = 'LINE' then 1 else 0 end) as is_cut
    from line
    inner join {{ ref('int_settlement__line_terms') }} as line_terms
        on
            line.contract_id = line_terms.contract_id
            and line.line_id = line_terms.line_id
    group by line.contract_id, line.line_id
),

pool as (
    select
        contract_id,
        'POOL' as cap,
        sum({{ cents('payable_amount') }}) as payable_cents,
        max(pool_cap_cents) as limit_cents,
        max(case when cap_applied = 'POOL' then 1 else 0 end) as is_cut
    from line
    where not is_base
    group by contract_id
),

ceiling as (
    select
        contract_id,
        'NOT_TO_EXCEED' as cap,
        sum({{ cents('payable_amount') }}) as payable_cents,
        max(nte_ceiling_cents) as limit_cents,
        max(case when cap_applied = 'NOT_TO_EXCEED' then 1 else 0 end) as is_cut
    from line
    group by contract_id
),

capped as (
    select * from per_student
    union all
    select * from per_line
    union all
    select * from pool
    union all
    select * from ceiling
)

select
    contract_id,
    cap
from capped
where
    payable_cents > limit_cents
    -- The ceiling is the last cap: nothing after it can take more.
    or (cap = 'NOT_TO_EXCEED' and is_cut = 1 and payable_cents <> limit_cents)
