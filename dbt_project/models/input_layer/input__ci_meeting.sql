-- Meetings that were held. One of a day after the as-of date has not been held yet.
with meetings as (
    select
        meeting_id,
        lower(trim(workgroup_id)) as workgroup_id,
        nullif(trim(contract_id), '') as contract_id,
        nullif(trim(school_id), '') as sent_school_id,
        held_on,
        nullif(trim(attendee_roles), '') as attendee_roles,
        is_data_reviewed,
        _file_id as file_id,
        _row_number as row_number,
        {{ recency_of_key(['meeting_id']) }} as recency
    from {{ source('lake', 'ci_meeting__meeting') }}
)

select
    meetings.meeting_id,
    meetings.workgroup_id,
    meetings.contract_id,
    coalesce(school.school_id, meetings.sent_school_id) as school_id,
    meetings.held_on,
    meetings.attendee_roles,
    meetings.is_data_reviewed,
    meetings.file_id,
    meetings.row_number
from meetings
left join {{ ref('stg_oneroster__school_alias') }} as school
    on {{ school_alias('meetings.sent_school_id') }} = school.alias
where
    meetings.recency = 1
    and meetings.held_on <= {{ as_of_date() }}
