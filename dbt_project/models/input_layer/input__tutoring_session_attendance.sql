-- One row per provider, session and student. Identical rows are one; several join and leave intervals of one session are summed and
-- capped at the session's length; the same interval with other minutes is a conflict, held (domain.md §4.5).
with log as (
    select *
    from {{ ref('stg_tutoring_sessions__session_student') }}
),

-- The few spellings of schools meet the roster's, instead of every row.
schools as (
    select
        sent.school_id as sent_school_id,
        alias.school_id
    from (select distinct school_id from log) as sent
    inner join {{ ref('stg_oneroster__school_alias') }} as alias
        on {{ school_alias('sent.school_id') }} = alias.alias
),

logged as (
    select
        log.*,
        identifier.student_key,
        coalesce(identifier.student_id, log.student_id) as resolved_student_id,
        schools.school_id as resolved_school_id,
        case
            when log.is_attended_only then coalesce(log.attendance_status, 'PRESENT')
            else log.attendance_status
        end as status_here,
        coalesce(
            cast(log.session_duration_minutes as decimal(12, 2)),
            {{ minutes_between('log.student_joined_at', 'log.student_left_at') }}
        ) as minutes_here
    from log
    {{ join_student('log') }}
    left join schools
        on log.school_id = schools.sent_school_id
),

sessions as (
    select
        provider_id,
        session_id,
        resolved_student_id,
        max(student_key) as student_key,
        min(source) as source,
        min(session_on) as session_on,
        min(scheduled_start_at) as scheduled_start_at,
        max(case when not is_attended_only then scheduled_duration_minutes end) as scheduled_minutes,
        min(actual_start_at) as actual_start_at,
        max(actual_end_at) as actual_end_at,
        max(case when is_attended_only then 0 else 1 end) = 1 as is_scheduled,
        -- What happened beats what was planned, when the rows of one session disagree.
        max(
            case
                when session_status = 'COMPLETED' then 4
                when session_status = 'NO_SHOW_TUTOR' then 3
                when session_status = 'CANCELED' then 2
                when session_status = 'SCHEDULED' then 1
                when is_attended_only then 4
            end
        ) as session_status_rank,
        max(case status_here when 'PRESENT' then 3 when 'LATE' then 2 when 'ABSENT' then 1 end) as attendance_rank,
        max(absence_reason) as absence_reason,
        max(tutor_id) as tutor_id,
        max(group_size) as group_size,
        max(delivery_mode) as delivery_mode,
        max(subject) as subject,
        max(resolved_school_id) as school_id,
        count(*) as row_count,
        max(case when status_here = 'ABSENT' then 0 else minutes_here end) as single_minutes,
        min(first_received_at) as received_at,
        min(file_id) as file_id,
        min(row_number) as row_number
    from logged
    group by provider_id, session_id, resolved_student_id
),

-- Almost every session of a student is one row. Of the others, one row per stated interval; a log without join and leave times states
-- one interval per session.
intervals as (
    select
        logged.provider_id,
        logged.session_id,
        logged.resolved_student_id,
        logged.student_joined_at,
        logged.student_left_at,
        max(case when logged.status_here = 'ABSENT' then 0 else logged.minutes_here end) as minutes_here,
        count(distinct case when logged.status_here = 'ABSENT' then 0 else logged.minutes_here end) as distinct_minutes
    from logged
    inner join sessions
        on
            logged.provider_id = sessions.provider_id
            and logged.session_id = sessions.session_id
            and logged.resolved_student_id = sessions.resolved_student_id
    where sessions.row_count > 1
    group by
        logged.provider_id, logged.session_id, logged.resolved_student_id, logged.student_joined_at, logged.student_left_at
),

summed as (
    select
        provider_id,
        session_id,
        resolved_student_id,
        sum(minutes_here) as minutes_sum,
        count(*) as interval_count,
        max(distinct_minutes) > 1 as is_conflicted
    from intervals
    group by provider_id, session_id, resolved_student_id
),

measured as (
    select
        sessions.*,
        case when sessions.row_count = 1 then sessions.single_minutes else summed.minutes_sum end as minutes_sum,
        coalesce(summed.interval_count, 1) as interval_count,
        coalesce(summed.is_conflicted, false) as is_conflicted,
        coalesce(
            {{ minutes_between('sessions.actual_start_at', 'sessions.actual_end_at') }},
            sessions.scheduled_minutes
        ) as length_minutes
    from sessions
    left join summed
        on
            sessions.provider_id = summed.provider_id
            and sessions.session_id = summed.session_id
            and sessions.resolved_student_id = summed.resolved_student_id
)

select
    provider_id,
    source,
    session_id,
    student_key,
    resolved_student_id as student_id,
    session_on,
    cast(scheduled_start_at as timestamp) as scheduled_start_at,
    cast(scheduled_minutes as decimal(9, 2)) as scheduled_minutes,
    is_scheduled,
    case session_status_rank
        when 4 then 'COMPLETED'
        when 3 then 'NO_SHOW_TUTOR'
        when 2 then 'CANCELED'
        when 1 then 'SCHEDULED'
    end as session_status,
    case attendance_rank when 3 then 'PRESENT' when 2 then 'LATE' when 1 then 'ABSENT' end as attendance_status,
    absence_reason,
    cast(
        case
            when attendance_rank = 1 then 0
            when length_minutes is not null and minutes_sum > length_minutes then length_minutes
            else minutes_sum
        end as decimal(9, 2)
    ) as attended_minutes,
    tutor_id,
    cast(group_size as integer) as group_size,
    delivery_mode,
    subject,
    school_id,
    cast(
        coalesce(
            actual_end_at,
            {{ add_minutes('coalesce(actual_start_at, scheduled_start_at)', 'coalesce(scheduled_minutes, minutes_sum, 0)') }},
            cast({{ add_days('session_on', 1) }} as timestamp)
        ) as timestamp
    ) as session_ended_at,
    cast(received_at as timestamp) as received_at,
    is_conflicted,
    cast(interval_count as integer) as interval_count,
    file_id,
    row_number
from measured
