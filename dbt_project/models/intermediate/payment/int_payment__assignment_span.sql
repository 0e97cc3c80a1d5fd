-- The days a student is assigned to a rate-card line: roster rows of one contract, line and student merged, so that no day counts twice.
with roster as (
    select
        contract_id,
        coalesce(student_key, 'unknown:' || student_id) as student_ref,
        line_id,
        start_on,
        coalesce(end_on, cast('9999-12-31' as date)) as ends_on
    from {{ ref('input__roster_assignment') }}
    where end_on is null or end_on > start_on
),

rows_of_line as (
    select
        line.contract_id,
        line.line_id,
        roster.student_ref,
        roster.start_on,
        roster.ends_on,
        -- Where the rows before this one reach to.
        max(roster.ends_on) over (
            partition by line.contract_id, line.line_id, roster.student_ref
            order by roster.start_on, roster.ends_on
            rows between unbounded preceding and 1 preceding
        ) as reached_on
    from {{ ref('int_payment__line') }} as line
    inner join roster
        on
            line.contract_id = roster.contract_id
            and (roster.line_id is null or line.line_id = roster.line_id)
),

numbered as (
    select
        contract_id,
        line_id,
        student_ref,
        start_on,
        ends_on,
        sum(case when reached_on is null or start_on > reached_on then 1 else 0 end) over (
            partition by contract_id, line_id, student_ref
            order by start_on, ends_on
            rows between unbounded preceding and current row
        ) as span_number
    from rows_of_line
)

select
    contract_id,
    line_id,
    student_ref,
    cast(span_number as integer) as span_number,
    min(start_on) as start_on,
    max(ends_on) as end_on
from numbered
group by contract_id, line_id, student_ref, span_number
