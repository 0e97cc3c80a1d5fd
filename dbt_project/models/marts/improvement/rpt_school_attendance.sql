-- Tutoring attendance against school attendance of the same students on the same dates, skipping while in school, and school attendance on
-- tutoring days against the student's other days: for each contract as a whole (school_id NULL) and by school.
with setting as (
    select
        least_group_n,
        normal_group_n
    from {{ source('documents', 'improvement_setting') }}
),

contracts as (
    select contract_id
    from {{ ref('int_payment__contract') }}
),

-- Sessions that were the student's to attend, on days of which it is known whether the student was in school.
sessions as (
    select
        contract_id,
        coalesce(school_id, 'unknown') as school_id,
        student_id,
        case when is_attended then 1 else 0 end as attended,
        cast(1 - school_absent_share as double) as present,
        case when school_absent_share < 0.5 then 1 else 0 end as is_in_school,
        case when absence_cause = 'PRESENT_SCHOOL_SKIPPED' and school_absent_share < 0.5 then 1 else 0 end as is_skipped
    from {{ ref('int_tutoring_session__cause') }}
    where
        is_scheduled
        and {{ is_chargeable('absence_cause') }}
        and school_absent_share is not null
),

students as (
    select
        contract_id,
        school_id,
        student_id,
        count(*) as sessions,
        sum(attended) as attended,
        sum(present) as present,
        sum(is_in_school) as in_school,
        sum(is_skipped) as skipped
    from sessions
    group by contract_id, school_id, student_id

    union all

    select
        contract_id,
        null as school_id,
        student_id,
        count(*) as sessions,
        sum(attended) as attended,
        sum(present) as present,
        sum(is_in_school) as in_school,
        sum(is_skipped) as skipped
    from sessions
    group by contract_id, student_id
),

totals as (
    select
        contract_id,
        school_id,
        count(*) as n_students,
        sum(sessions) as sessions,
        sum(attended) as attended,
        sum(present) as present,
        sum(in_school) as in_school,
        sum(skipped) as skipped,
        (sum(attended) - sum(present)) / sum(sessions) as gap
    from students
    group by contract_id, school_id
),

-- Each student's pull on the gap: students are drawn, sessions of one student go together.
spreads as (
    select
        students.contract_id,
        students.school_id,
        sqrt(
            sum(power(students.attended - students.present - totals.gap * students.sessions, 2))
            * max(totals.n_students) / nullif(max(totals.n_students) - 1, 0)
        ) / max(totals.sessions) as standard_error
    from students
    inner join totals
        on
            students.contract_id = totals.contract_id
            and students.school_id is not distinct from totals.school_id
    group by students.contract_id, students.school_id
),

logs as (
    select
        contract_id,
        max(case when is_scheduled then 1 else 0 end) as has_schedule
    from {{ ref('int_tutoring_session__cause') }}
    group by contract_id
),

spine as (
    select
        contract_id,
        school_id
    from totals

    union

    select
        contract_id,
        null as school_id
    from contracts
),

judged as (
    select
        spine.contract_id,
        spine.school_id,
        coalesce(totals.n_students, 0) as n_students,
        totals.sessions,
        totals.attended,
        totals.present,
        totals.in_school,
        totals.skipped,
        totals.gap,
        {{ t_quantile('(totals.n_students - 1)') }} * spreads.standard_error as gap_reach,
        effects.n_students_with_both,
        effects.tutoring_present_days,
        effects.tutoring_days,
        effects.other_present_days,
        effects.other_days,
        effects.effect,
        {{ t_quantile('(effects.n_students - 1)') }} * effects.standard_error as effect_reach,
        coalesce(logs.has_schedule, 0) = 1 as has_schedule,
        logs.contract_id is not null as has_log,
        setting.least_group_n,
        {{ group_status('totals.n_students', 'setting.least_group_n', 'setting.normal_group_n') }} as status,
        {{ group_status('effects.n_students_with_both', 'setting.least_group_n', 'setting.normal_group_n') }} as effect_size_status
    from spine
    cross join setting
    left join totals
        on
            spine.contract_id = totals.contract_id
            and spine.school_id is not distinct from totals.school_id
    left join spreads
        on
            spine.contract_id = spreads.contract_id
            and spine.school_id is not distinct from spreads.school_id
    left join {{ ref('int_improvement__tutoring_day_effect') }} as effects
        on
            spine.contract_id = effects.contract_id
            and spine.school_id is not distinct from effects.school_id
    left join logs
        on spine.contract_id = logs.contract_id
),

explained as (
    select
        judged.*,
        case
            when not has_log then 'No session of this contract was reported.'
            when not has_schedule then 'The log has attended sessions only: what was missed is not known.'
            when n_students = 0 then 'The school attendance feed covers no day with a session.'
            when status = 'not_enough_data' then 'Fewer than ' || cast(least_group_n as varchar) || ' students.'
        end as what_is_missing,
        case
            when not has_log then 'No session of this contract was reported.'
            when not has_schedule then 'The log has attended sessions only: on which days tutoring was planned is not known.'
            when effect_size_status = 'not_enough_data'
                then 'Fewer than ' || cast(least_group_n as varchar) || ' students have school days with and without tutoring.'
            when effect is null then 'Tutoring follows the weekday alone: nothing is left to compare within it.'
        end as effect_what_is_missing
    from judged
)

select
    contract_id,
    school_id,
    cast(n_students as integer) as n_students,
    cast(case when what_is_missing is null then attended end as integer) as tutoring_numerator,
    cast(case when what_is_missing is null then sessions end as integer) as tutoring_denominator,
    {{ safe_divide('case when what_is_missing is null then attended end', 'sessions') }} as tutoring_attendance_rate,
    cast(case when what_is_missing is null then present end as decimal(18, 6)) as school_numerator,
    cast(case when what_is_missing is null then sessions end as integer) as school_denominator,
    {{ safe_divide('case when what_is_missing is null then present end', 'sessions') }} as school_attendance_rate,
    cast(case when what_is_missing is null then gap end as decimal(9, 6)) as attendance_gap_rate,
    cast(case when what_is_missing is null then gap - gap_reach end as decimal(9, 6)) as attendance_gap_low,
    cast(case when what_is_missing is null then gap + gap_reach end as decimal(9, 6)) as attendance_gap_high,
    cast(case when what_is_missing is null then skipped end as integer) as skip_numerator,
    cast(case when what_is_missing is null then in_school end as integer) as skip_denominator,
    {{ safe_divide('case when what_is_missing is null then skipped end', 'in_school') }} as skip_in_school_rate,
    status,
    what_is_missing,
    cast(coalesce(n_students_with_both, 0) as integer) as n_students_with_both_days,
    cast(case when effect_what_is_missing is null then tutoring_present_days end as decimal(18, 6)) as tutoring_day_numerator,
    cast(case when effect_what_is_missing is null then tutoring_days end as integer) as tutoring_day_denominator,
    {{ safe_divide('case when effect_what_is_missing is null then tutoring_present_days end', 'tutoring_days') }}
        as tutoring_day_attendance_rate,
    cast(case when effect_what_is_missing is null then other_present_days end as decimal(18, 6)) as other_day_numerator,
    cast(case when effect_what_is_missing is null then other_days end as integer) as other_day_denominator,
    {{ safe_divide('case when effect_what_is_missing is null then other_present_days end', 'other_days') }} as other_day_attendance_rate,
    cast(case when effect_what_is_missing is null then effect end as decimal(9, 6)) as tutoring_day_effect,
    cast(case when effect_what_is_missing is null then effect - effect_reach end as decimal(9, 6)) as tutoring_day_effect_low,
    cast(case when effect_what_is_missing is null then effect + effect_reach end as decimal(9, 6)) as tutoring_day_effect_high,
    case when effect_what_is_missing is null then effect_size_status else 'not_enough_data' end as tutoring_day_status,
    effect_what_is_missing as tutoring_day_what_is_missing,
    'association' as label
from explained
