-- Fidelity per contract, school and week: same tutor, group size, length, frequency. What was not recorded is in no denominator.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

sessions as (
    select
        causes.contract_id,
        causes.provider_id,
        causes.school_id,
        causes.week_start_on,
        causes.student_id,
        causes.is_held,
        causes.is_attended,
        causes.tutor_id,
        causes.group_size,
        causes.attended_minutes,
        tutors.modal_tutor_id,
        contracts.max_group_size,
        contracts.min_session_minutes,
        contracts.sessions_per_week
    from {{ ref('int_tutoring_session__cause') }} as causes
    inner join {{ source('documents', 'contract') }} as contracts
        on
            causes.contract_id = contracts.contract_id
            and causes.contract_version = contracts.version
    left join {{ ref('int_student_tutoring__modal_tutor') }} as tutors
        on
            causes.contract_id = tutors.contract_id
            and causes.student_id = tutors.student_id
),

attended as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        count(case when is_attended and tutor_id = modal_tutor_id then 1 end) as same_tutor,
        count(case when is_attended and tutor_id is not null then 1 end) as with_tutor,
        count(case when is_attended and group_size <= max_group_size then 1 end) as group_ok,
        count(case when is_attended and group_size is not null and max_group_size is not null then 1 end) as with_group,
        count(case when is_attended and attended_minutes >= min_session_minutes then 1 end) as length_ok,
        count(case when is_attended and attended_minutes is not null and min_session_minutes is not null then 1 end) as with_minutes,
        count(distinct student_id) as n_students
    from sessions
    group by contract_id, provider_id, school_id, week_start_on
),

-- Frequency is a fact of a student's week.
student_weeks as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        student_id,
        count(case when is_held then 1 end) as held,
        max(sessions_per_week) as sessions_per_week
    from sessions
    group by contract_id, provider_id, school_id, week_start_on, student_id
),

frequency as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        count(case when held >= sessions_per_week then 1 end) as full_weeks,
        count(sessions_per_week) as all_weeks
    from student_weeks
    group by contract_id, provider_id, school_id, week_start_on
)

select
    attended.contract_id,
    attended.provider_id,
    attended.school_id,
    attended.week_start_on,
    cast(attended.same_tutor as integer) as same_tutor_numerator,
    cast(attended.with_tutor as integer) as same_tutor_denominator,
    {{ safe_divide('attended.same_tutor', 'attended.with_tutor') }} as same_tutor_rate,
    cast(attended.group_ok as integer) as group_size_numerator,
    cast(attended.with_group as integer) as group_size_denominator,
    {{ safe_divide('attended.group_ok', 'attended.with_group') }} as group_size_rate,
    cast(attended.length_ok as integer) as duration_numerator,
    cast(attended.with_minutes as integer) as duration_denominator,
    {{ safe_divide('attended.length_ok', 'attended.with_minutes') }} as duration_rate,
    cast(frequency.full_weeks as integer) as frequency_numerator,
    cast(frequency.all_weeks as integer) as frequency_denominator,
    {{ safe_divide('frequency.full_weeks', 'frequency.all_weeks') }} as frequency_rate,
    cast(attended.n_students as integer) as n_students,
    blocked.contract_id is not null as is_source_flagged
from attended
inner join frequency
    on
        attended.contract_id = frequency.contract_id
        and attended.provider_id = frequency.provider_id
        and attended.school_id is not distinct from frequency.school_id
        and attended.week_start_on = frequency.week_start_on
left join blocked
    on attended.contract_id = blocked.contract_id
