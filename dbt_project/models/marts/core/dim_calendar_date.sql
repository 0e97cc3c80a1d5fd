-- One row per date of the school calendar, over all schools.
select
    calendar_on,
    max(school_year_end) as school_year_end,
    {{ week_start('calendar_on') }} as week_start_on,
    cast(date_trunc('month', calendar_on) as date) as month_start_on,
    cast(count(*) as integer) as school_count,
    cast(count(case when is_in_session then 1 end) as integer) as in_session_school_count,
    count(case when is_in_session then 1 end) > 0 as is_in_session,
    cast(count(case when day_type = 'CLOSURE' then 1 end) as integer) as closed_school_count,
    cast(count(case when day_type = 'ASSESSMENT_DAY' then 1 end) as integer) as assessment_school_count
from {{ ref('input__calendar_day') }}
group by calendar_on
