-- One row per contract, rate-card line and rostered student: what happened in the sessions that count for the line.
-- Those are the sessions inside the assignment, from the start of service to the close of the line's window, up to the as-of date.
with session_of_line as (
    {{ session_of_line() }}
),

attended_by_tutor as (
    select
        contract_id,
        line_id,
        student_ref,
        tutor_id,
        count(*) as session_count
    from session_of_line
    where is_attended and tutor_id is not null
    group by contract_id, line_id, student_ref, tutor_id
),

tutor as (
    select
        contract_id,
        line_id,
        student_ref,
        sum(session_count) as tutor_known_sessions,
        max(session_count) as same_tutor_sessions
    from attended_by_tutor
    group by contract_id, line_id, student_ref
),

counted as (
    select
        contract_id,
        line_id,
        student_ref,
        count(*) as session_rows,
        count(*) filter (where is_scheduled) as scheduled_sessions,
        count(*) filter (where is_attended) as attended_sessions,
        count(*) filter (where is_creditable and not is_late) as creditable_sessions,
        sum(attended_minutes) filter (where is_creditable and not is_late) as creditable_minutes,
        count(*) filter (where is_creditable and is_late) as late_sessions,
        count(*) filter (where absence_cause in ('DISTRICT_TECH', 'DISTRICT_SCHEDULE') and not is_late) as district_lost_sessions,
        count(*) filter (where absence_cause in ('PROVIDER_CANCEL', 'TUTOR_NO_SHOW', 'PROVIDER_TECH')) as provider_lost_sessions,
        count(*) filter (where absence_cause = 'ABSENT_SCHOOL') as absent_school_sessions,
        count(*) filter (where absence_cause = 'PRESENT_SCHOOL_SKIPPED') as skipped_sessions,
        count(*) filter (where absence_cause = 'UNKNOWN') as unknown_cause_sessions,
        count(*) filter (where is_attendance_conflict) as conflict_sessions,
        -- What a scheduled denominator keeps: everything on the timetable but what was lost to the school, the calendar or the provider,
        -- and what the provider gave in a way that cannot be credited (that counts against the provider, not the student).
        count(*) filter (
            where is_scheduled
            and coalesce(absence_cause, 'NONE') not in (
                'DISTRICT_TECH', 'DISTRICT_SCHEDULE', 'PROVIDER_CANCEL', 'TUTOR_NO_SHOW', 'PROVIDER_TECH',
                'ASSESSMENT_DAY', 'CLOSURE', 'WITHDRAWN'
            )
            and coalesce(not_creditable_reason, 'NONE') not in ('OVER_RATIO', 'UNDER_MINUTES', 'GROUP_SIZE_UNKNOWN', 'MINUTES_UNKNOWN')
        ) as scheduled_net_sessions,
        -- Of those, missed because the student was excused from school that day.
        count(*) filter (where is_scheduled and absence_cause = 'ABSENT_SCHOOL' and is_excused_absence) as excused_sessions,
        -- The tutoring attendance rate a line can pay on: what was not held, or not on a school day, is nobody's absence.
        count(*) filter (where is_attended and not coalesce(is_attendance_conflict, false) and not is_late) as counted_attended_sessions,
        count(*) filter (
            where is_attended or absence_cause in ('ABSENT_SCHOOL', 'PRESENT_SCHOOL_SKIPPED', 'UNKNOWN')
        ) as chargeable_sessions,
        count(*) filter (where is_held) as held_sessions,
        count(*) filter (where is_attended and group_size is not null) as group_known_sessions,
        count(*) filter (where is_attended and group_size <= max_group_size) as group_kept_sessions,
        count(*) filter (where is_attended and attended_minutes is not null) as minutes_known_sessions,
        count(*) filter (where is_attended and attended_minutes >= min_session_minutes) as minutes_kept_sessions,
        count(*) filter (where is_timely is not null) as timeliness_known_sessions,
        count(*) filter (where is_timely) as timely_sessions
    from session_of_line
    group by contract_id, line_id, student_ref
)

select
    counted.contract_id,
    counted.line_id,
    counted.student_ref,
    cast(counted.session_rows as bigint) as session_rows,
    cast(counted.scheduled_sessions as bigint) as scheduled_sessions,
    cast(counted.attended_sessions as bigint) as attended_sessions,
    cast(counted.creditable_sessions as bigint) as creditable_sessions,
    cast(coalesce(counted.creditable_minutes, 0) as decimal(18, 2)) as creditable_minutes,
    cast(counted.late_sessions as bigint) as late_sessions,
    cast(counted.district_lost_sessions as bigint) as district_lost_sessions,
    cast(counted.provider_lost_sessions as bigint) as provider_lost_sessions,
    cast(counted.absent_school_sessions as bigint) as absent_school_sessions,
    cast(counted.skipped_sessions as bigint) as skipped_sessions,
    cast(counted.unknown_cause_sessions as bigint) as unknown_cause_sessions,
    cast(counted.conflict_sessions as bigint) as conflict_sessions,
    cast(counted.scheduled_net_sessions as bigint) as scheduled_net_sessions,
    cast(counted.excused_sessions as bigint) as excused_sessions,
    cast(counted.counted_attended_sessions as bigint) as counted_attended_sessions,
    cast(counted.chargeable_sessions as bigint) as chargeable_sessions,
    cast(counted.held_sessions as bigint) as held_sessions,
    cast(counted.group_known_sessions as bigint) as group_known_sessions,
    cast(counted.group_kept_sessions as bigint) as group_kept_sessions,
    cast(counted.minutes_known_sessions as bigint) as minutes_known_sessions,
    cast(counted.minutes_kept_sessions as bigint) as minutes_kept_sessions,
    cast(counted.timeliness_known_sessions as bigint) as timeliness_known_sessions,
    cast(counted.timely_sessions as bigint) as timely_sessions,
    cast(coalesce(tutor.tutor_known_sessions, 0) as bigint) as tutor_known_sessions,
    cast(coalesce(tutor.same_tutor_sessions, 0) as bigint) as same_tutor_sessions
from counted
left join tutor
    on
        counted.contract_id = tutor.contract_id
        and counted.line_id = tutor.line_id
        and counted.student_ref = tutor.student_ref
