-- Per contract and student: what was scheduled, held, attended and counts, what is required for the days of the assignment, and how many
-- sessions could still be had. Counts only; whether that is enough is said in msr_student_tutoring.
with contracts as (
    select
        current_contract.contract_id,
        current_contract.contract_version,
        current_contract.provider_id,
        current_contract.service_start_on,
        current_contract.service_end_on,
        versions.required_sessions,
        versions.sessions_per_week,
        versions.min_session_minutes,
        versions.max_group_size
    from {{ ref('int_payment__contract') }} as current_contract
    inner join {{ source('documents', 'contract') }} as versions
        on
            current_contract.contract_id = versions.contract_id
            and current_contract.contract_version = versions.version
),

students as (
    select
        spans.contract_id,
        spans.student_id,
        max(spans.student_key) as student_key,
        max_by(spans.school_id, spans.start_on) as school_id,
        min(spans.start_on) as first_start_on,
        case when count(*) = count(spans.end_on) then max(spans.end_on) end as last_end_on,
        max_by(spans.end_reason, spans.start_on) as end_reason,
        -- Days of the assignment inside the service period, in all and up to the as-of date.
        sum(greatest(0, {{ days_between(
            'greatest(spans.start_on, contracts.service_start_on)',
            "least(coalesce(spans.end_on, date '9999-12-31'), " ~ add_days('contracts.service_end_on', 1) ~ ')'
        ) }})) as assigned_days,
        sum(greatest(0, {{ days_between(
            'greatest(spans.start_on, contracts.service_start_on)',
            "least(coalesce(spans.end_on, date '9999-12-31'), " ~ add_days('contracts.service_end_on', 1) ~ ', '
            ~ add_days(as_of_date(), 1) ~ ')'
        ) }})) as elapsed_days
    from {{ ref('int_student_assignment__span') }} as spans
    inner join contracts
        on spans.contract_id = contracts.contract_id
    group by spans.contract_id, spans.student_id
),

sessions as (
    select
        causes.contract_id,
        causes.student_id,
        count(case when causes.is_scheduled then 1 end) as scheduled,
        count(case when causes.is_held then 1 end) as held,
        count(case when causes.is_attended then 1 end) as attended,
        count(case when causes.is_creditable then 1 end) as creditable,
        count(case when causes.absence_cause in {{ district_causes() }} then 1 end) as district_lost,
        count(case when causes.absence_cause in {{ provider_causes() }} then 1 end) as provider_lost,
        count(case when causes.absence_cause = 'UNKNOWN' then 1 end) as unknown_cause,
        count(case when causes.is_attendance_conflict then 1 end) as conflicts,
        count(case when causes.is_scheduled and causes.is_attended and {{ is_chargeable('causes.absence_cause') }} then 1 end)
            as attended_of_scheduled,
        count(case when causes.is_scheduled and {{ is_chargeable('causes.absence_cause') }} then 1 end) as chargeable,
        count(case when causes.is_scheduled and causes.is_excused_absence then 1 end) as excused,
        sum(case when causes.is_attended then causes.attended_minutes end) as attended_minutes,
        sum(case when causes.is_creditable then causes.attended_minutes end) as creditable_minutes,
        count(case when causes.is_attended and causes.group_size <= contracts.max_group_size then 1 end) as group_ok,
        count(case when causes.is_attended and causes.group_size is not null and contracts.max_group_size is not null then 1 end)
            as with_group,
        count(case when causes.is_attended and causes.attended_minutes >= contracts.min_session_minutes then 1 end) as length_ok,
        count(
            case when causes.is_attended and causes.attended_minutes is not null and contracts.min_session_minutes is not null then 1 end
        ) as with_minutes,
        max(case when causes.is_attended then causes.session_on end) as last_attended_on
    from {{ ref('int_tutoring_session__cause') }} as causes
    inner join contracts
        on causes.contract_id = contracts.contract_id
    group by causes.contract_id, causes.student_id
),

reported as (
    select distinct contract_id
    from {{ ref('int_tutoring_session__cause') }}
)

select
    students.contract_id,
    contracts.contract_version,
    contracts.provider_id,
    students.student_id,
    students.student_key,
    students.school_id,
    students.first_start_on,
    students.last_end_on,
    students.end_reason,
    contracts.service_end_on,
    reported.contract_id is not null as has_session_data,
    students.assigned_days,
    students.elapsed_days,
    -- The contract's sessions for the days of the assignment, rounded up, as the payment's dosage gate has it.
    {{ ceiling_divide(
        'contracts.required_sessions * students.assigned_days',
        days_between('contracts.service_start_on', add_days('contracts.service_end_on', 1))
    ) }} as required_sessions,
    contracts.sessions_per_week * {{ ceiling_divide('students.assigned_days - students.elapsed_days', '7') }} as remaining_sessions,
    coalesce(sessions.scheduled, 0) as scheduled,
    coalesce(sessions.held, 0) as held,
    coalesce(sessions.attended, 0) as attended,
    coalesce(sessions.creditable, 0) as creditable,
    coalesce(sessions.district_lost, 0) as district_lost,
    coalesce(sessions.provider_lost, 0) as provider_lost,
    coalesce(sessions.unknown_cause, 0) as unknown_cause,
    coalesce(sessions.conflicts, 0) as conflicts,
    coalesce(sessions.attended_of_scheduled, 0) as attended_of_scheduled,
    coalesce(sessions.chargeable, 0) as chargeable,
    coalesce(sessions.excused, 0) as excused,
    sessions.attended_minutes,
    sessions.creditable_minutes,
    coalesce(sessions.group_ok, 0) as group_ok,
    coalesce(sessions.with_group, 0) as with_group,
    coalesce(sessions.length_ok, 0) as length_ok,
    coalesce(sessions.with_minutes, 0) as with_minutes,
    coalesce(tutors.modal_tutor_sessions, 0) as same_tutor,
    coalesce(tutors.sessions_with_tutor, 0) as with_tutor,
    coalesce(tutors.tutor_count, 0) as tutor_count,
    sessions.last_attended_on
from students
inner join contracts
    on students.contract_id = contracts.contract_id
left join sessions
    on
        students.contract_id = sessions.contract_id
        and students.student_id = sessions.student_id
left join {{ ref('int_student_tutoring__modal_tutor') }} as tutors
    on
        students.contract_id = tutors.contract_id
        and students.student_id = tutors.student_id
left join reported
    on students.contract_id = reported.contract_id
