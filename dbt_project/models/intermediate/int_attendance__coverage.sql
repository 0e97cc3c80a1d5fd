-- From when to when the attendance feed speaks for a school: an exceptions-only feed that stopped looks like perfect attendance, so
-- nothing after a school's last entry counts as present (formats/sis_attendance.md F1).
with entries as (
    select
        school_id,
        attendance_on
    from {{ ref('input__attendance_event') }}
    where attendance_on <= {{ as_of_date() }}
),

years as (
    select
        school_id,
        school_year_end,
        min(calendar_on) as starts_on,
        max(calendar_on) as ends_on
    from {{ ref('input__calendar_day') }}
    group by school_id, school_year_end
)

select
    years.school_id,
    years.school_year_end,
    years.starts_on as covered_from_on,
    max(entries.attendance_on) as covered_to_on
from years
inner join entries
    on
        years.school_id = entries.school_id
        and entries.attendance_on between years.starts_on and years.ends_on
group by years.school_id, years.school_year_end, years.starts_on
