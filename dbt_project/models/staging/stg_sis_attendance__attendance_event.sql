-- Attendance exceptions, one row per student, school, day and period. A file replaces the school year it covers, which the lake's view
-- has done already.
select
    student_id,
    school_id,
    attendance_on,
    nullif(trim(code), '') as code,
    nullif(trim(status_raw), '') as status_raw,
    nullif(trim(excuse_raw), '') as excuse_raw,
    nullif(trim(period), '') as period,
    absent_share,
    _source as source
from {{ source('lake', 'sis_attendance__attendance_event') }}
