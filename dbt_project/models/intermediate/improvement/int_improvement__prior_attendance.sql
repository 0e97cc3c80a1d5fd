-- School attendance of every student of the district before the year's first contract began to serve: the only attendance tutoring cannot
-- have changed, so the only one to compare or match students by. Known days are counted per span from the calendar, as in
-- agg_student_school_attendance.
with years as (
    select
        school_year_end,
        min(service_start_on) as service_start_on
    from {{ ref('int_payment__contract') }}
    group by school_year_end
),

days as (
    select
        calendar.school_id,
        calendar.calendar_on,
        years.school_year_end
    from {{ ref('input__calendar_day') }} as calendar
    inner join years
        on
            calendar.school_year_end = years.school_year_end
            and calendar.calendar_on < years.service_start_on
    inner join {{ ref('int_attendance__coverage') }} as coverage
        on
            calendar.school_id = coverage.school_id
            and calendar.school_year_end = coverage.school_year_end
            and calendar.calendar_on <= coverage.covered_to_on
    where calendar.is_in_session
),

-- Few different spans, many students: the days of each are counted once.
span_days as (
    select
        spans.school_id,
        spans.enrolled_on,
        spans.exited_on,
        days.school_year_end,
        count(*) as day_count
    from (
        select distinct
            school_id,
            enrolled_on,
            exited_on
        from {{ ref('input__school_enrollment') }}
    ) as spans
    inner join days
        on
            spans.school_id = days.school_id
            and days.calendar_on >= spans.enrolled_on
            and (spans.exited_on is null or days.calendar_on < spans.exited_on)
    group by spans.school_id, spans.enrolled_on, spans.exited_on, days.school_year_end
),

enrolled as (
    select
        enrollments.student_key,
        span_days.school_year_end,
        sum(span_days.day_count) as day_count
    from {{ ref('input__school_enrollment') }} as enrollments
    inner join span_days
        on
            enrollments.school_id = span_days.school_id
            and enrollments.enrolled_on = span_days.enrolled_on
            and enrollments.exited_on is not distinct from span_days.exited_on
    group by enrollments.student_key, span_days.school_year_end
),

-- One day, one student: an absence is not counted twice, and a code nobody explained makes the day unknown.
absences as (
    select
        student_key,
        attendance_on,
        max(school_id) as school_id,
        count(*) = count(absent_share) as is_known,
        max(absent_share) as absent_share
    from {{ ref('input__attendance_event') }}
    where
        student_key is not null
        and (absent_share is null or absent_share > 0)
    group by student_key, attendance_on
),

absent as (
    select
        absences.student_key,
        days.school_year_end,
        sum(case when absences.is_known then absences.absent_share else 0 end) as absent_days,
        count(case when not absences.is_known then 1 end) as unknown_days
    from absences
    inner join days
        on
            absences.school_id = days.school_id
            and absences.attendance_on = days.calendar_on
    group by absences.student_key, days.school_year_end
),

measured as (
    select
        enrolled.student_key,
        enrolled.school_year_end,
        enrolled.day_count - coalesce(absent.unknown_days, 0) as known_days,
        coalesce(absent.absent_days, 0) as absent_days
    from enrolled
    left join absent
        on
            enrolled.student_key = absent.student_key
            and enrolled.school_year_end = absent.school_year_end
)

select
    student_key,
    school_year_end,
    cast(known_days as integer) as known_days,
    cast(absent_days as decimal(9, 2)) as absent_days,
    {{ school_attendance_band('absent_days', 'known_days') }} as school_attendance_band
from measured
