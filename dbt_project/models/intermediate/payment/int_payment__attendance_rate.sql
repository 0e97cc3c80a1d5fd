-- One row per contract, ATTENDANCE line and student: the rate the line pays on, as whole numbers above and below the line (domain §5.1).
-- TUTORING_ATTENDANCE_RATE: sessions attended, of those attended or missed for the student's own or an unknown reason.
-- SCHOOL_ATTENDANCE_RATE: millionths of days present, of days enrolled that the attendance feed covers.
-- Both over the days the student was assigned, from the start of service to the close of the line's window.
with attendance_line as (
    select *
    from {{ ref('int_payment__line') }}
    where outcome_class = 'ATTENDANCE'
),

school_day as (
    select distinct
        line.contract_id,
        line.line_id,
        span.student_ref,
        calendar.calendar_on
    from attendance_line as line
    inner join {{ ref('int_payment__assignment_span') }} as span
        on
            line.contract_id = span.contract_id
            and line.line_id = span.line_id
    inner join {{ ref('input__school_enrollment') }} as enrollment
        on span.student_ref = enrollment.student_key
    inner join {{ ref('int_attendance__coverage') }} as coverage
        on
            enrollment.school_id = coverage.school_id
            and line.school_year_end = coverage.school_year_end
    inner join {{ ref('input__calendar_day') }} as calendar
        on
            enrollment.school_id = calendar.school_id
            and coverage.school_year_end = calendar.school_year_end
            and calendar.calendar_on <= coverage.covered_to_on
            and calendar.calendar_on >= enrollment.enrolled_on
            and calendar.calendar_on >= span.start_on
            and calendar.calendar_on < span.end_on
            and calendar.calendar_on >= line.service_start_on
            and calendar.calendar_on <= line.dosage_ends_on
            and calendar.calendar_on <= {{ as_of_date() }}
    where
        line.metric = 'SCHOOL_ATTENDANCE_RATE'
        and calendar.is_in_session
        and coalesce(calendar.calendar_on < enrollment.exited_on, true)
),

absence as (
    select
        student_key,
        attendance_on,
        -- A code whose share of the day is not known leaves the day out: unknown is neither present nor absent.
        case when count(*) = count(absent_share) then max(absent_share) end as absent_share,
        cast(1 as integer) as is_entered
    from {{ ref('input__attendance_event') }}
    group by student_key, attendance_on
),

day_counted as (
    select
        school_day.contract_id,
        school_day.line_id,
        school_day.student_ref,
        case when absence.is_entered is null then 0 else cast(absence.absent_share * 1000000 as bigint) end as absent_millionths
    from school_day
    left join absence
        on
            school_day.student_ref = absence.student_key
            and school_day.calendar_on = absence.attendance_on
)

select
    line.contract_id,
    line.line_id,
    session.student_ref,
    session.counted_attended_sessions as numerator,
    session.chargeable_sessions as denominator
from attendance_line as line
inner join {{ ref('int_payment__session_count') }} as session
    on
        line.contract_id = session.contract_id
        and line.line_id = session.line_id
where line.metric = 'TUTORING_ATTENDANCE_RATE'
union all
select
    contract_id,
    line_id,
    student_ref,
    cast(sum(1000000 - absent_millionths) as bigint) as numerator,
    cast(count(absent_millionths) * 1000000 as bigint) as denominator
from day_counted
group by contract_id, line_id, student_ref
