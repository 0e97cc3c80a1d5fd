-- One row per student and school year: days of membership the feed covers, less what was absent. Counted per span from the calendar,
-- never filled in day by day, since the whole district is in here.
with spans as (
    select distinct
        school_id,
        enrolled_on,
        exited_on
    from {{ ref('input__school_enrollment') }}
),

-- Few different spans, many students: the days of each are counted once.
span_days as (
    select
        spans.school_id,
        spans.enrolled_on,
        spans.exited_on,
        calendar.school_year_end,
        count(*) as day_count
    from spans
    inner join {{ ref('int_attendance__coverage') }} as coverage
        on spans.school_id = coverage.school_id
    inner join {{ ref('input__calendar_day') }} as calendar
        on
            spans.school_id = calendar.school_id
            and coverage.school_year_end = calendar.school_year_end
            and calendar.calendar_on >= spans.enrolled_on
            and (spans.exited_on is null or calendar.calendar_on < spans.exited_on)
            and calendar.calendar_on <= coverage.covered_to_on
    where calendar.is_in_session
    group by spans.school_id, spans.enrolled_on, spans.exited_on, calendar.school_year_end
),

enrolled as (
    select
        enrollments.student_key,
        span_days.school_year_end,
        sum(span_days.day_count) as enrolled_days
    from {{ ref('input__school_enrollment') }} as enrollments
    inner join span_days
        on
            enrollments.school_id = span_days.school_id
            and enrollments.enrolled_on = span_days.enrolled_on
            and enrollments.exited_on is not distinct from span_days.exited_on
    group by enrollments.student_key, span_days.school_year_end
),

student_days as (
    select
        student_key,
        attendance_on,
        count(*) = count(absent_share) as is_known,
        max(absent_share) as absent_share
    from {{ ref('input__attendance_event') }}
    where
        student_key is not null
        and (absent_share is null or absent_share > 0)
    group by student_key, attendance_on
),

absences as (
    select
        student_days.student_key,
        calendar.school_year_end,
        sum(case when student_days.is_known then student_days.absent_share else 0 end) as absent_days,
        count(case when not student_days.is_known then 1 end) as unknown_days
    from student_days
    inner join {{ ref('input__school_enrollment') }} as enrollments
        on
            student_days.student_key = enrollments.student_key
            and student_days.attendance_on >= enrollments.enrolled_on
            and (enrollments.exited_on is null or student_days.attendance_on < enrollments.exited_on)
    inner join {{ ref('input__calendar_day') }} as calendar
        on
            enrollments.school_id = calendar.school_id
            and student_days.attendance_on = calendar.calendar_on
    where
        calendar.is_in_session
        and student_days.attendance_on <= {{ as_of_date() }}
    group by student_days.student_key, calendar.school_year_end
),

measured as (
    select
        enrolled.student_key,
        enrolled.school_year_end,
        enrolled.enrolled_days - coalesce(absences.unknown_days, 0) as known_days,
        coalesce(absences.unknown_days, 0) as unknown_days,
        coalesce(absences.absent_days, 0) as absent_days
    from enrolled
    left join absences
        on
            enrolled.student_key = absences.student_key
            and enrolled.school_year_end = absences.school_year_end
)

select
    student_key,
    school_year_end,
    cast(known_days as integer) as enrolled_days,
    cast(unknown_days as integer) as unknown_days,
    cast(absent_days as decimal(9, 2)) as absent_days,
    cast(known_days - absent_days as decimal(9, 2)) as present_days,
    {{ safe_divide('known_days - absent_days', 'known_days') }} as attendance_rate,
    case
        when known_days >= {{ var('chronic_absence_min_days') }} then absent_days * 10 >= known_days
    end as is_chronically_absent
from measured
