-- Attendance exceptions, one row per student, school, day and period, the newest of each.
with events as (
    select
        student_id,
        school_id,
        attendance_on,
        nullif(trim(code), '') as code,
        nullif(trim(status_raw), '') as status_raw,
        nullif(trim(excuse_raw), '') as excuse_raw,
        nullif(trim(period), '') as period,
        absent_share,
        _source as source,
        _file_id as file_id,
        _row_number as row_number,
        _file_rank,
        max(_file_rank) over (partition by _source, student_id, attendance_on) as newest_file_rank
    from {{ source('lake', 'sis_attendance__attendance_event') }}
)

select *
from events
where _file_rank = newest_file_rank
