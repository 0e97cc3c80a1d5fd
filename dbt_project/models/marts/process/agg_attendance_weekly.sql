-- Tutoring attendance per contract, school and week: student-sessions attended over those that were the student's to attend.
-- Where the provider logs attended sessions only there is no denominator, and no rate.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

sessions as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        student_id,
        is_scheduled,
        is_attended,
        attended_minutes,
        absence_cause,
        {{ is_chargeable('absence_cause') }} as is_chargeable
    from {{ ref('int_tutoring_session__cause') }}
),

weeks as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        count(case when is_scheduled and is_chargeable and is_attended then 1 end) as attended_of_scheduled,
        count(case when is_scheduled and is_chargeable then 1 end) as chargeable,
        count(case when is_scheduled then 1 end) as scheduled,
        count(case when is_attended then 1 end) as attended,
        count(case when is_scheduled and not is_attended and absence_cause = 'ABSENT_SCHOOL' then 1 end) as absent_school,
        count(case when is_scheduled and not is_attended and absence_cause = 'PRESENT_SCHOOL_SKIPPED' then 1 end) as skipped,
        count(case when is_scheduled and not is_attended and absence_cause = 'UNKNOWN' then 1 end) as unknown_cause,
        sum(case when is_attended then attended_minutes end) as attended_minutes,
        count(distinct student_id) as n_students
    from sessions
    group by contract_id, provider_id, school_id, week_start_on
)

select
    weeks.contract_id,
    weeks.provider_id,
    weeks.school_id,
    weeks.week_start_on,
    cast(case when weeks.scheduled > 0 then weeks.attended_of_scheduled end as integer) as numerator,
    cast(case when weeks.scheduled > 0 then weeks.chargeable end as integer) as denominator,
    {{ safe_divide('weeks.attended_of_scheduled', 'weeks.chargeable') }} as attendance_rate,
    cast(weeks.n_students as integer) as n_students,
    cast(weeks.attended as integer) as sessions_attended,
    cast(weeks.attended_minutes as decimal(18, 2)) as attended_minutes,
    cast(weeks.absent_school as integer) as absent_school_sessions,
    cast(weeks.skipped as integer) as skipped_sessions,
    cast(weeks.unknown_cause as integer) as unknown_cause_sessions,
    blocked.contract_id is not null as is_source_flagged
from weeks
left join blocked
    on weeks.contract_id = blocked.contract_id
