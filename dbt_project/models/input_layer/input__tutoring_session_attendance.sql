-- One row per provider, session and student. Identical rows are one; several join and leave intervals of one session are summed and
-- capped at the session's length; the same interval with other minutes is a conflict, held (domain.md §4.5).
-- noqa: disable=LT05
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
        ) as minutes_here,
        case when not log.is_attended_only then log.scheduled_duration_minutes end as scheduled_minutes,
        case when log.is_attended_only then 0 else 1 end as scheduled_flag,
        -- What happened beats what was planned, when the rows of one session disagree.
        case
            when log.session_status = 'COMPLETED' then 4
            when log.session_status = 'NO_SHOW_TUTOR' then 3
            when log.session_status = 'CANCELED' then 2
            when log.session_status = 'SCHEDULED' then 1
            when log.is_attended_only then 4
        end as session_status_rank,
        case
            when log.attendance_status = 'PRESENT' then 3
            when log.attendance_status = 'LATE' then 2
            when log.attendance_status = 'ABSENT' then 1
            when log.attendance_status is null and log.is_attended_only then 3
        end as attendance_rank
    from log
    {{ join_student('log') }}
    left join schools
        on log.school_id = schools.sent_school_id
),

-- Almost every session of a student is one row; only of the others is there anything to fold.
several as (
    select
        provider_id,
        session_id,
        resolved_student_id
    from logged
    group by provider_id, session_id, resolved_student_id
    having count(*) > 1
),

marked as (
    select
        logged.*,
        several.session_id is not null as is_one_of_several
    from logged
    left join several
        on
            logged.provider_id = several.provider_id
            and logged.session_id = several.session_id
            and logged.resolved_student_id = several.resolved_student_id
),

-- One row per stated interval; a log without join and leave times states one interval per session.
intervals as (
    select
        provider_id,
        session_id,
        resolved_student_id,
        student_joined_at,
        student_left_at,
        max(case when status_here = 'ABSENT' then 0 else minutes_here end) as minutes_here,
        count(distinct case when status_here = 'ABSENT' then 0 else minutes_here end) as distinct_minutes
    from marked
    where is_one_of_several
    group by provider_id, session_id, resolved_student_id, student_joined_at, student_left_at
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

{% set columns = {
    'student_key': 'max', 'source': 'min', 'session_on': 'min', 'scheduled_start_at': 'min', 'scheduled_minutes': 'max',
    'actual_start_at': 'min', 'actual_end_at': 'max', 'scheduled_flag': 'max', 'session_status_rank': 'max', 'attendance_rank': 'max',
    'absence_reason': 'max', 'tutor_id': 'max', 'group_size': 'max', 'delivery_mode': 'max', 'subject': 'max',
    'resolved_school_id': 'max', 'first_received_at': 'min', 'file_id': 'min', 'row_number': 'min',
} -%}
sessions as (
    select
        provider_id,
        session_id,
        resolved_student_id,
        {{ columns | join(', ') }},
        case when status_here = 'ABSENT' then 0 else minutes_here end as minutes_sum,
        1 as interval_count,
        false as is_conflicted
    from marked
    where not is_one_of_several

    union all

    select
        folded.*,
        summed.minutes_sum,
        summed.interval_count,
        summed.is_conflicted
    from (
        select
            provider_id,
            session_id,
            resolved_student_id,
            {% for column, fold in columns.items() %}{{ fold }}({{ column }}) as {{ column }}{{ ', ' if not loop.last }}{% endfor %}
        from marked
        where is_one_of_several
        group by provider_id, session_id, resolved_student_id
    ) as folded
    inner join summed
        on
            folded.provider_id = summed.provider_id
            and folded.session_id = summed.session_id
            and folded.resolved_student_id = summed.resolved_student_id
),

measured as (
    select
        sessions.*,
        coalesce(
            {{ minutes_between('actual_start_at', 'actual_end_at') }},
            scheduled_minutes
        ) as length_minutes
    from sessions
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
    scheduled_flag = 1 as is_scheduled,
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
    resolved_school_id as school_id,
    cast(
        coalesce(
            actual_end_at,
            {{ add_minutes('coalesce(actual_start_at, scheduled_start_at)', 'coalesce(scheduled_minutes, minutes_sum, 0)') }},
            cast({{ add_days('session_on', 1) }} as timestamp)
        ) as timestamp
    ) as session_ended_at,
    cast(first_received_at as timestamp) as received_at,
    is_conflicted,
    cast(interval_count as integer) as interval_count,
    file_id,
    row_number
from measured
