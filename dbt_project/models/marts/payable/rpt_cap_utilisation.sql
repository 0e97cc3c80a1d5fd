-- One row per contract and cap that the contract states: what stands against it, how much of it is used, and what it has cut off.
-- Each cap is measured on what the caps before it left, as settlement applies them.
with capped as (
    select * from {{ ref('int_settlement__capped') }}
),

terms as (
    select * from {{ ref('int_settlement__terms') }}
),

at_stake as (
    select
        contract_id,
        line_id,
        sum(at_stake_amount) as at_stake_amount
    from {{ ref('fct_payment_decision') }}
    group by contract_id, line_id
),

at_stake_of_contract as (
    select
        contract_id,
        sum(at_stake_amount) as at_stake_amount
    from at_stake
    group by contract_id
),

-- What of the base can still come: the most students can bring, less what they have.
base_to_come as (
    select
        contract_id,
        sum(maximum_base_amount - base_amount) as base_to_come_amount
    from {{ ref('fct_base_payment') }}
    group by contract_id
),

student as (
    select
        earned.contract_id,
        earned.student_ref,
        sum(capped.earned_cents) as before_cents,
        sum(capped.after_per_student_cents) as after_cents
    from capped
    inner join {{ ref('int_settlement__earned') }} as earned
        on capped.line_key = earned.line_key
    where not capped.is_base and earned.student_ref <> ''
    group by earned.contract_id, earned.student_ref
),

-- The cap of a student is as full as the fullest student's.
per_student as (
    select
        terms.contract_id,
        max(terms.per_student_cap_cents) as limit_cents,
        max(student.before_cents) as before_cents,
        max(student.after_cents) as after_cents,
        sum(student.before_cents - student.after_cents) as cut_cents,
        count(*) filter (where student.before_cents >= terms.per_student_cap_cents) as students_at_limit
    from terms
    inner join student
        on terms.contract_id = student.contract_id
    group by terms.contract_id
),

line as (
    select
        capped.contract_id,
        capped.line_id,
        max(terms.line_cap_cents) as line_cap_cents,
        max(terms.max_paid_outcomes) as max_paid_outcomes,
        count(*) filter (where capped.after_per_student_cents > 0) as outcome_count,
        sum(capped.after_per_student_cents) as before_max_paid_cents,
        sum(capped.after_max_paid_cents) as before_line_cents,
        sum(capped.after_line_cents) as after_line_cents
    from capped
    inner join {{ ref('int_settlement__line_terms') }} as terms
        on
            capped.contract_id = terms.contract_id
            and capped.line_id = terms.line_id
    group by capped.contract_id, capped.line_id
),

contract as (
    select
        contract_id,
        sum(case when is_base then 0 else after_line_cents end) as before_pool_cents,
        sum(case when is_base then 0 else after_pool_cents end) as after_pool_cents,
        sum(after_pool_cents) as before_nte_cents,
        sum(payable_cents) as after_nte_cents
    from capped
    group by contract_id
),

cap as (
    select
        contract_id,
        cast(null as varchar) as line_id,
        1 as cap_order,
        'PER_STUDENT' as cap,
        limit_cents,
        cast(null as bigint) as limit_count,
        cast(null as bigint) as outcome_count,
        students_at_limit,
        before_cents,
        after_cents,
        cut_cents,
        cast(null as decimal(18, 2)) as at_stake_amount
    from per_student
    union all
    select
        line.contract_id,
        line.line_id,
        2 as cap_order,
        'MAX_PAID_OUTCOMES' as cap,
        null as limit_cents,
        line.max_paid_outcomes as limit_count,
        line.outcome_count,
        null as students_at_limit,
        line.before_max_paid_cents as before_cents,
        line.before_line_cents as after_cents,
        line.before_max_paid_cents - line.before_line_cents as cut_cents,
        at_stake.at_stake_amount
    from line
    left join at_stake
        on
            line.contract_id = at_stake.contract_id
            and line.line_id = at_stake.line_id
    union all
    select
        line.contract_id,
        line.line_id,
        3 as cap_order,
        'LINE' as cap,
        line.line_cap_cents as limit_cents,
        null as limit_count,
        null as outcome_count,
        null as students_at_limit,
        line.before_line_cents as before_cents,
        line.after_line_cents as after_cents,
        line.before_line_cents - line.after_line_cents as cut_cents,
        at_stake.at_stake_amount
    from line
    left join at_stake
        on
            line.contract_id = at_stake.contract_id
            and line.line_id = at_stake.line_id
    union all
    select
        contract.contract_id,
        null as line_id,
        4 as cap_order,
        'POOL' as cap,
        terms.pool_cap_cents as limit_cents,
        null as limit_count,
        null as outcome_count,
        null as students_at_limit,
        contract.before_pool_cents as before_cents,
        contract.after_pool_cents as after_cents,
        contract.before_pool_cents - contract.after_pool_cents as cut_cents,
        at_stake.at_stake_amount
    from contract
    inner join terms
        on contract.contract_id = terms.contract_id
    left join at_stake_of_contract as at_stake
        on contract.contract_id = at_stake.contract_id
    union all
    select
        contract.contract_id,
        null as line_id,
        5 as cap_order,
        'NOT_TO_EXCEED' as cap,
        terms.nte_ceiling_cents as limit_cents,
        null as limit_count,
        null as outcome_count,
        null as students_at_limit,
        contract.before_nte_cents as before_cents,
        contract.after_nte_cents as after_cents,
        contract.before_nte_cents - contract.after_nte_cents as cut_cents,
        coalesce(at_stake.at_stake_amount, 0) + coalesce(base_to_come.base_to_come_amount, 0) as at_stake_amount
    from contract
    inner join terms
        on contract.contract_id = terms.contract_id
    left join at_stake_of_contract as at_stake
        on contract.contract_id = at_stake.contract_id
    left join base_to_come
        on contract.contract_id = base_to_come.contract_id
),

-- What is compared with the limit: outcomes with a number of outcomes, cents with cents.
compared as (
    select
        cap.*,
        coalesce(cap.outcome_count, cap.before_cents) as used,
        coalesce(cap.limit_count, cap.limit_cents) as full_amount
    from cap
    where cap.limit_cents is not null or cap.limit_count is not null
)

select
    {{ surrogate_key(['compared.contract_id', 'compared.cap', 'compared.line_id']) }} as cap_utilisation_key,
    compared.contract_id,
    terms.period,
    cast(compared.cap_order as integer) as cap_order,
    compared.cap,
    compared.line_id,
    {{ dollars('compared.limit_cents') }} as limit_amount,
    cast(compared.limit_count as bigint) as limit_count,
    {{ dollars('compared.before_cents') }} as before_amount,
    {{ dollars('compared.after_cents') }} as after_amount,
    {{ dollars('compared.cut_cents') }} as cut_amount,
    cast(compared.outcome_count as bigint) as outcome_count,
    cast(compared.students_at_limit as bigint) as students_at_limit,
    -- Against a cap of cents the rate can be any number: wider than other rates.
    cast(cast(compared.used as double) / nullif(cast(compared.full_amount as double), 0) as decimal(18, 6)) as used_rate,
    cast(
        case
            when compared.used >= compared.full_amount then 100
            when compared.used * 100 >= compared.full_amount * 90 then 90
            when compared.used * 100 >= compared.full_amount * 80 then 80
            else 0
        end as integer
    ) as alert_percent,
    cast(compared.at_stake_amount as decimal(18, 2)) as at_stake_amount,
    cast(
        case
            when compared.limit_cents is not null and compared.at_stake_amount is not null
                then {{ dollars('greatest(compared.before_cents + ' ~ cents('compared.at_stake_amount') ~ ' - compared.limit_cents, 0)') }}
        end as decimal(18, 2)
    ) as exposure_over_limit_amount,
    {{ as_of_date() }} as as_of_date
from compared
inner join terms
    on compared.contract_id = terms.contract_id
