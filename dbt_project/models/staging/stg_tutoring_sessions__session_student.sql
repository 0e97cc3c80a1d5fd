-- Tutoring logs, one row per interval of a student in a session; all intervals of the newest file that has the session and student.
-- Where the log has no session id (DATAS 1.0.0), it is made of provider, tutor, start and topic: the same for all who sat together.
with logged as (
    select
        coalesce(feed.provider_id, log._source) as provider_id,
        coalesce(
            nullif(trim(log.session_id), ''),
            {{ surrogate_key([
                'coalesce(feed.provider_id, log._source)', 'log.tutor_id', 'coalesce(log.actual_start_at, log.session_at)',
                'lower(log.session_topic)'
            ]) }}
        ) as session_id,
        log.student_id,
        log.tutor_id,
        coalesce(
            case
                when lower(log.session_topic) in ('math', 'mathematics', 'mathematic', 'maths') then 'math'
                when lower(log.session_topic) in ('ela', 'english', 'english language arts', 'reading', 'literacy') then 'reading'
            end,
            feed.subject
        ) as subject,
        log.session_on,
        coalesce(
            log.scheduled_start_at,
            case when log.scheduled_start_time is not null then log.session_on + log.scheduled_start_time end
        ) as scheduled_start_at,
        log.scheduled_duration_minutes,
        -- A DATAS log may state the moment; midnight means that it stated the day only.
        coalesce(
            log.actual_start_at,
            case when log.layout = 'datas' and log.session_at > cast(log.session_on as timestamp) then log.session_at end
        ) as actual_start_at,
        log.actual_end_at,
        log.student_joined_at,
        log.student_left_at,
        log.session_duration_minutes,
        upper(trim(log.session_status)) as session_status,
        upper(trim(log.attendance_status)) as attendance_status,
        nullif(lower(trim(log.absence_reason)), '') as absence_reason,
        upper(replace(trim(log.delivery_mode), '-', '_')) as delivery_mode,
        -- `1:3`, `3:1` or `01:03:00` from a spreadsheet: the larger number is the students.
        coalesce(
            cast(log.group_size as integer),
            greatest(
                try_cast(regexp_extract(log.session_ratio, '^\s*([0-9]+)\s*:\s*([0-9]+)', 1) as integer),
                try_cast(regexp_extract(log.session_ratio, '^\s*([0-9]+)\s*:\s*([0-9]+)', 2) as integer)
            )
        ) as group_size,
        log.school_id,
        coalesce(feed.is_attended_only, log.layout = 'datas', false) as is_attended_only,
        log._source as source,
        log._file_id as file_id,
        log._row_number as row_number,
        log._received_at as received_at,
        log._file_rank
    from {{ source('lake', 'tutoring_sessions__session_student') }} as log
    left join {{ source('documents', 'data_source') }} as feed
        on log._source = feed.source
),

-- Sessions that several files report: the newest file gives the rows. The first arrival of a report says whether it came in time,
-- whichever file gives the rows now; what came before the session was a plan, not a report of it.
several as (
    select
        provider_id,
        session_id,
        student_id,
        max(_file_rank) as newest_file_rank,
        coalesce(
            min(case when session_status is distinct from 'SCHEDULED' or attendance_status is not null then received_at end),
            min(received_at)
        ) as first_received_at
    from logged
    group by provider_id, session_id, student_id
    having min(_file_rank) < max(_file_rank)
)

select
    logged.*,
    coalesce(several.first_received_at, logged.received_at) as first_received_at
from logged
left join several
    on
        logged.provider_id = several.provider_id
        and logged.session_id = several.session_id
        and logged.student_id = several.student_id
where logged._file_rank = coalesce(several.newest_file_rank, logged._file_rank)
