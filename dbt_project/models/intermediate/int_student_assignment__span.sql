-- When a student is assigned to a contract, whatever the line: overlapping and adjoining assignments of one contract merged, so that a
-- session falls into at most one span.
with assignments as (
    select
        contract_id,
        student_id,
        student_key,
        school_id,
        start_on,
        coalesce(end_on, date '9999-12-31') as end_on,
        end_reason,
        max(coalesce(end_on, date '9999-12-31')) over (
            partition by contract_id, student_id
            order by start_on, coalesce(end_on, date '9999-12-31')
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before
    from {{ ref('input__roster_assignment') }}
    where end_on is null or end_on > start_on
),

numbered as (
    select
        assignments.*,
        sum(case when latest_end_before >= start_on then 0 else 1 end) over (
            partition by contract_id, student_id
            order by start_on, end_on
            rows between unbounded preceding and current row
        ) as span_number
    from assignments
)

select
    contract_id,
    student_id,
    max(student_key) as student_key,
    max_by(school_id, start_on) as school_id,
    min(start_on) as start_on,
    nullif(max(end_on), date '9999-12-31') as end_on,
    case when max(end_on) < date '9999-12-31' then max_by(end_reason, end_on) end as end_reason
from numbered
group by contract_id, student_id, span_number
