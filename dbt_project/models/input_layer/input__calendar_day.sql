-- The calendar per school: a row without a school stands for all of them, and a school's own row wins.
with days as (
    select
        calendar.calendar_on,
        calendar.is_in_session,
        upper(trim(calendar.day_type)) as day_type,
        try_cast(right(trim(calendar.school_year), 4) as integer) as school_year_end,
        nullif(trim(calendar.school_id), '') as sent_school_id,
        alias.school_id as school_id,
        calendar._file_rank,
        calendar._row_number,
        calendar._file_id
    from {{ source('lake', 'school_calendar__calendar_day') }} as calendar
    left join {{ ref('stg_oneroster__school_alias') }} as alias
        on {{ school_alias('calendar.school_id') }} = alias.alias
),

by_school as (
    select
        schools.school_id,
        days.calendar_on,
        days.is_in_session,
        days.day_type,
        days.school_year_end,
        row_number() over (
            partition by schools.school_id, days.calendar_on
            order by
                case when days.sent_school_id is null then 1 else 0 end,
                days._file_rank desc,
                days._row_number desc,
                days._file_id desc
        ) as preference
    from days
    inner join {{ ref('input__school') }} as schools
        on days.sent_school_id is null or days.school_id = schools.school_id
)

select
    school_id,
    calendar_on,
    is_in_session,
    day_type,
    school_year_end
from by_school
where preference = 1
