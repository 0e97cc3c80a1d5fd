-- With more outcomes than may be paid, a line comes to no more than that many cost on average, to less than a cent.
with line as (
    select
        capped.contract_id,
        capped.line_id,
        max(terms.max_paid_outcomes) as max_paid_outcomes,
        count(*) filter (where capped.after_per_student_cents > 0) as outcome_count,
        sum(case when capped.after_per_student_cents > 0 then capped.after_per_student_cents else 0 end) as before_cents,
        sum(case when capped.after_max_paid_cents > 0 then capped.after_max_paid_cents else 0 end) as after_cents
    from {{ ref('int_settlement__capped') }} as capped
    inner join {{ ref('int_settlement__line_terms') }} as terms
        on
            capped.contract_id = terms.contract_id
            and capped.line_id = terms.line_id
    where terms.max_paid_outcomes is not null
    group by capped.contract_id, capped.line_id
)

select *
from line
where
    outcome_count > max_paid_outcomes
    and (
        cast(after_cents as {{ wide_integer() }}) * outcome_count > cast(before_cents as {{ wide_integer() }}) * max_paid_outcomes
        or cast(after_cents + 1 as {{ wide_integer() }}) * outcome_count <= cast(before_cents as {{ wide_integer() }}) * max_paid_outcomes
    )
