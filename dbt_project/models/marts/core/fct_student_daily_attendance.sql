-- One row per contracted student and school day of membership that the attendance feed covers, present days filled in: the feed sends
-- exceptions only. Days after a school's last entry are left out, since nothing is known of them.
with contracted as (
    select distinct student_key
    from {{ ref('int_student_assignment__span') }}
    where student_key is not null
),

days as (
    select
        enrollments.student_key,
        enrollments.school_id,
        calendar.calendar_on,
        calendar.school_year_end
    from contracted
    inner join {{ ref('input__school_enrollment') }} as enrollments
        on contracted.student_key = enrollments.student_key
    inner join {{ ref('int_attendance__coverage') }} as coverage
        on enrollments.school_id = coverage.school_id
    inner join {{ ref('input__calendar_day') }} as calendar
        on
            enrollments.school_id = calendar.school_id
            and calendar.school_year_end = coverage.school_year_end
            and calendar.calendar_on >= enrollments.enrolled_on
            and calendar.calendar_on <= coverage.covered_to_on
    where
        calendar.is_in_session
        and (enrollments.exited_on is null or calendar.calendar_on < enrollments.exited_on)
),

events as (
    select
        student_key,
        attendance_on,
        max(status) as status,
        count(*) = count(absent_share) as is_known,
        max(absent_share) as absent_share,
        max(case when is_excused then 1 when not is_excused then 0 end) as excused_flag
    from {{ ref('input__attendance_event') }}
    where student_key in (select student_key from contracted)
    group by student_key, attendance_on
),

tutoring_days as (
    select distinct
        student_key,
        session_on
    from {{ ref('int_tutoring_session__cause') }}
    where student_key is not null
)

select
    days.student_key,
    days.school_id,
    days.calendar_on as attendance_on,
    days.school_year_end,
    coalesce(events.status, 'PRESENT') as status,
    cast(case when events.student_key is null then 0 when events.is_known then events.absent_share end as decimal(9, 6)) as absent_share,
    case when events.student_key is null then false when events.is_known then events.absent_share >= 0.5 end as is_absent,
    events.excused_flag = 1 as is_excused,
    tutoring_days.student_key is not null as has_tutoring
from days
left join events
    on
        days.student_key = events.student_key
        and days.calendar_on = events.attendance_on
left join tutoring_days
    on
        days.student_key = tutoring_days.student_key
        and days.calendar_on = tutoring_days.session_on
