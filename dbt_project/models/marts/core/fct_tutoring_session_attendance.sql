-- One row per provider, session and student as reported, with the contract it belongs to and what it counts for. Rows that belong to
-- no contract stay, and say why: they are held, not lost.
with assigned as (
    select distinct
        contracts.provider_id,
        spans.student_id
    from {{ ref('int_student_assignment__span') }} as spans
    inner join {{ source('documents', 'contract') }} as contracts
        on spans.contract_id = contracts.contract_id
)

select
    sessions.provider_id,
    sessions.session_id,
    sessions.student_id,
    sessions.student_key,
    causes.contract_id,
    case
        when causes.contract_id is not null then 'MATCHED'
        when sessions.session_on > {{ as_of_date() }} then 'NOT_YET_DUE'
        when sessions.student_key is null then 'UNKNOWN_STUDENT'
        when assigned.student_id is null then 'NOT_ON_ROSTER'
        else 'OUTSIDE_ASSIGNMENT'
    end as match_status,
    sessions.session_on,
    {{ week_start('sessions.session_on') }} as week_start_on,
    coalesce(causes.school_id, sessions.school_id) as school_id,
    sessions.subject,
    sessions.tutor_id,
    sessions.group_size,
    sessions.delivery_mode,
    sessions.is_scheduled,
    sessions.scheduled_minutes,
    sessions.session_status,
    sessions.attendance_status,
    causes.is_held,
    causes.is_attended,
    causes.is_creditable,
    causes.not_creditable_reason,
    sessions.attended_minutes,
    causes.absence_cause,
    sessions.absence_reason as claimed_reason,
    causes.is_attendance_conflict,
    sessions.session_ended_at,
    sessions.received_at,
    sessions.source,
    sessions.file_id,
    sessions.row_number
from {{ ref('input__tutoring_session_attendance') }} as sessions
left join {{ ref('int_tutoring_session__cause') }} as causes
    on
        sessions.provider_id = causes.provider_id
        and sessions.session_id = causes.session_id
        and sessions.student_id = causes.student_id
left join assigned
    on
        sessions.provider_id = assigned.provider_id
        and sessions.student_id = assigned.student_id
