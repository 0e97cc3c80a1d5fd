-- Tutoring attendance beside school attendance of the same students in the same weeks, and how often they skip tutoring while in school.
-- NULL wherever the school's attendance feed does not cover the days: silence of an exceptions-only feed is not presence.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

tutoring as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        count(case when is_scheduled and {{ is_chargeable('absence_cause') }} and is_attended then 1 end) as attended,
        count(case when is_scheduled and {{ is_chargeable('absence_cause') }} then 1 end) as chargeable,
        -- Sessions on days known to be present in school, and of these the ones skipped.
        count(
            case when is_scheduled and {{ is_chargeable('absence_cause') }} and school_absent_share < 0.5 then 1 end
        ) as on_present_days,
        count(
            case when is_scheduled and absence_cause = 'PRESENT_SCHOOL_SKIPPED' and school_absent_share < 0.5 then 1 end
        ) as skipped,
        count(distinct student_id) as n_students
    from {{ ref('int_tutoring_session__cause') }}
    group by contract_id, provider_id, school_id, week_start_on
),

school as (
    select
        spans.contract_id,
        days.school_id,
        {{ week_start('days.attendance_on') }} as week_start_on,
        sum(1 - days.absent_share) as present_days,
        count(days.absent_share) as known_days
    from {{ ref('fct_student_daily_attendance') }} as days
    inner join {{ ref('int_student_assignment__span') }} as spans
        on
            days.student_key = spans.student_key
            and days.attendance_on >= spans.start_on
            and (spans.end_on is null or days.attendance_on < spans.end_on)
    group by spans.contract_id, days.school_id, {{ week_start('days.attendance_on') }}
)

select
    tutoring.contract_id,
    tutoring.provider_id,
    tutoring.school_id,
    tutoring.week_start_on,
    cast(tutoring.attended as integer) as tutoring_numerator,
    cast(tutoring.chargeable as integer) as tutoring_denominator,
    {{ safe_divide('tutoring.attended', 'tutoring.chargeable') }} as tutoring_attendance_rate,
    cast(school.present_days as decimal(12, 2)) as school_numerator,
    cast(school.known_days as integer) as school_denominator,
    {{ safe_divide('school.present_days', 'school.known_days') }} as school_attendance_rate,
    cast(
        {{ safe_divide('tutoring.attended', 'tutoring.chargeable') }}
        - {{ safe_divide('school.present_days', 'school.known_days') }} as decimal(9, 6)
    ) as attendance_gap_rate,
    cast(case when school.known_days > 0 then tutoring.skipped end as integer) as skip_numerator,
    cast(case when school.known_days > 0 then tutoring.on_present_days end as integer) as skip_denominator,
    {{ safe_divide('case when school.known_days > 0 then tutoring.skipped end', 'tutoring.on_present_days') }} as skip_in_school_rate,
    cast(tutoring.n_students as integer) as n_students,
    blocked.contract_id is not null as is_source_flagged
from tutoring
left join school
    on
        tutoring.contract_id = school.contract_id
        and tutoring.school_id = school.school_id
        and tutoring.week_start_on = school.week_start_on
left join blocked
    on tutoring.contract_id = blocked.contract_id
