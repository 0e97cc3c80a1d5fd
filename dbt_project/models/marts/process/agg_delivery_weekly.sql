-- Delivery per contract, school and week: sessions held over sessions scheduled on days that were not closed, and the student-sessions
-- lost by who bears the loss. Attended-only logs state no schedule: no denominator, no rate.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

-- One row per session at a school first: whether it took place is a fact of the session, the loss one of its students.
sessions as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        session_id,
        max(case when is_held then 1 else 0 end) as is_held,
        max(case when absence_cause = 'CLOSURE' then 1 else 0 end) as is_closure,
        count(*) as student_sessions,
        count(case when absence_cause in {{ provider_causes() }} then 1 end) as provider_lost,
        count(case when absence_cause in {{ district_causes() }} then 1 end) as district_lost,
        count(case when absence_cause in ('CLOSURE', 'ASSESSMENT_DAY') then 1 end) as calendar_lost,
        count(case when absence_cause = 'UNKNOWN' then 1 end) as unknown_lost
    from {{ ref('int_tutoring_session__cause') }}
    where is_scheduled
    group by contract_id, provider_id, school_id, week_start_on, session_id
),

weeks as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        count(case when is_held = 1 and not (is_closure = 1) then 1 end) as held,
        count(case when not (is_closure = 1) then 1 end) as scheduled,
        sum(student_sessions) as student_sessions,
        sum(provider_lost) as provider_lost,
        sum(district_lost) as district_lost,
        sum(calendar_lost) as calendar_lost,
        sum(unknown_lost) as unknown_lost
    from sessions
    group by contract_id, provider_id, school_id, week_start_on
),

students as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        count(distinct student_id) as n_students
    from {{ ref('int_tutoring_session__cause') }}
    where is_scheduled
    group by contract_id, provider_id, school_id, week_start_on
)

select
    weeks.contract_id,
    weeks.provider_id,
    weeks.school_id,
    weeks.week_start_on,
    cast(weeks.held as integer) as numerator,
    cast(weeks.scheduled as integer) as denominator,
    {{ safe_divide('weeks.held', 'weeks.scheduled') }} as delivery_rate,
    cast(students.n_students as integer) as n_students,
    cast(weeks.student_sessions as integer) as student_sessions_scheduled,
    cast(weeks.provider_lost as integer) as provider_lost_numerator,
    {{ safe_divide('weeks.provider_lost', 'weeks.student_sessions') }} as provider_lost_rate,
    cast(weeks.district_lost as integer) as district_lost_numerator,
    {{ safe_divide('weeks.district_lost', 'weeks.student_sessions') }} as district_lost_rate,
    cast(weeks.calendar_lost as integer) as calendar_lost_numerator,
    cast(weeks.unknown_lost as integer) as unknown_lost_numerator,
    blocked.contract_id is not null as is_source_flagged
from weeks
inner join students
    on
        weeks.contract_id = students.contract_id
        and weeks.provider_id = students.provider_id
        and weeks.school_id is not distinct from students.school_id
        and weeks.week_start_on = students.week_start_on
left join blocked
    on weeks.contract_id = blocked.contract_id
