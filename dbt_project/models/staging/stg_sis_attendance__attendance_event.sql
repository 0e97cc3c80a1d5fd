-- Attendance exceptions, one row per student, school, day and period. A file replaces the school year it covers, which the lake's view
-- has done already.
select
    student_id,
    school_id,
    attendance_on,
    -- Ed-Fi writes a descriptor with its namespace: the code is what stands behind the #.
    nullif(trim(regexp_replace(code, '^uri:.*#', '')), '') as code,
    nullif(trim(status_raw), '') as status_raw,
    nullif(trim(excuse_raw), '') as excuse_raw,
    -- PowerSchool writes period 0 for a daily entry.
    nullif(nullif(trim(period), ''), '0') as period,
    absent_share,
    _source as source
from {{ source('lake', 'sis_attendance__attendance_event') }}
