-- School attendance of contracted students in the days of service, as cells of student, weekday and whether tutoring was scheduled that
-- day: for each school and (school_id NULL) for the contract. Only days the attendance feed covers, and logs that state schedules.
with contracts as (
    select
        contract_id,
        service_start_on,
        service_end_on
    from {{ ref('int_payment__contract') }}
),

scheduled as (
    select distinct
        contract_id,
        student_key,
        session_on
    from {{ ref('int_tutoring_session__cause') }}
    where
        is_scheduled
        and student_key is not null
        and coalesce(absence_cause, '') <> 'CLOSURE'
),

scheduling_contracts as (
    select distinct contract_id
    from scheduled
),

days as (
    select
        spans.contract_id,
        days.school_id,
        days.student_key,
        {{ days_between(week_start('days.attendance_on'), 'days.attendance_on') }} as weekday,
        scheduled.session_on is not null as is_tutoring_day,
        cast(1 - days.absent_share as double) as present_share
    from {{ ref('fct_student_daily_attendance') }} as days
    inner join {{ ref('int_student_assignment__span') }} as spans
        on
            days.student_key = spans.student_key
            and days.attendance_on >= spans.start_on
            and days.attendance_on < coalesce(spans.end_on, date '9999-12-31')
    inner join contracts
        on
            spans.contract_id = contracts.contract_id
            and days.attendance_on between contracts.service_start_on and contracts.service_end_on
    inner join scheduling_contracts
        on spans.contract_id = scheduling_contracts.contract_id
    left join scheduled
        on
            spans.contract_id = scheduled.contract_id
            and days.student_key = scheduled.student_key
            and days.attendance_on = scheduled.session_on
    where days.absent_share is not null
)

select
    contract_id,
    school_id,
    student_key,
    weekday,
    is_tutoring_day,
    count(*) as n_days,
    sum(present_share) as present_days
from days
group by contract_id, school_id, student_key, weekday, is_tutoring_day

union all

select
    contract_id,
    cast(null as varchar) as school_id,
    student_key,
    weekday,
    is_tutoring_day,
    count(*) as n_days,
    sum(present_share) as present_days
from days
group by contract_id, student_key, weekday, is_tutoring_day
