-- Spans of a student at a school, made disjoint: where memberships overlap, the one that began later holds
-- (a student counts once per day, domain.md §5.1 and formats/sis_attendance.md F4).
with memberships as (
    select
        student_key,
        school_id,
        enrolled_on,
        coalesce(exited_on, date '9999-12-31') as exited_on,
        count(*) over (partition by student_key) as membership_count
    from {{ ref('stg_oneroster__membership') }}
    where exited_on is null or exited_on > enrolled_on
),

several as (
    select *
    from memberships
    where membership_count > 1
),

boundaries as (
    select
        student_key,
        enrolled_on as boundary_on
    from several
    union
    select
        student_key,
        exited_on as boundary_on
    from several
),

pieces as (
    select
        student_key,
        boundary_on as starts_on,
        lead(boundary_on) over (partition by student_key order by boundary_on) as ends_on
    from boundaries
),

holders as (
    select
        pieces.student_key,
        pieces.starts_on,
        pieces.ends_on,
        several.school_id,
        row_number() over (
            partition by pieces.student_key, pieces.starts_on
            order by several.enrolled_on desc, several.exited_on desc, several.school_id asc
        ) as preference
    from pieces
    inner join several
        on
            pieces.student_key = several.student_key
            and pieces.starts_on >= several.enrolled_on
            and pieces.ends_on <= several.exited_on
),

-- Neighbouring pieces at one school are one span again.
marked as (
    select
        holders.*,
        case
            when
                lag(school_id) over (partition by student_key order by starts_on) = school_id
                and lag(ends_on) over (partition by student_key order by starts_on) = starts_on
                then 0
            else 1
        end as is_new_span
    from holders
    where preference = 1
),

numbered as (
    select
        marked.*,
        sum(is_new_span) over (partition by student_key order by starts_on) as span_number
    from marked
),

spans as (
    select
        student_key,
        school_id,
        enrolled_on,
        exited_on
    from memberships
    where membership_count = 1
    union all
    select
        student_key,
        min(school_id) as school_id,
        min(starts_on) as enrolled_on,
        max(ends_on) as exited_on
    from numbered
    group by student_key, span_number
)

select
    student_key,
    school_id,
    enrolled_on,
    nullif(exited_on, date '9999-12-31') as exited_on
from spans
