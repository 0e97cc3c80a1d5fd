-- Every process metric as additive numerators and denominators: one row per contract, student, week, school, tutor, time slot and metric.
-- What is in no row is unknown, never 0. Days the school was closed are in no denominator: a closure counts against nobody.
with contracts as (
    select
        contract_id,
        version as contract_version,
        provider_id,
        subject,
        effective_from,
        effective_to,
        service_start_on,
        service_end_on,
        required_sessions,
        min_session_minutes,
        max_group_size
    from {{ source('documents', 'contract') }}
),

current_contracts as (
    select contracts.*
    from contracts
    inner join {{ ref('int_payment__contract') }} as current_contract
        on
            contracts.contract_id = current_contract.contract_id
            and contracts.contract_version = current_contract.contract_version
),

spans as (
    select
        contract_id,
        student_id,
        student_key,
        school_id,
        start_on,
        coalesce(end_on, date '9999-12-31') as end_on
    from {{ ref('int_student_assignment__span') }}
),

sessions as (
    select
        causes.contract_id,
        causes.provider_id,
        causes.student_id,
        causes.student_key,
        causes.session_id,
        causes.week_start_on,
        causes.school_id,
        causes.tutor_id,
        {{ time_slot('causes.scheduled_start_at') }} as time_slot,
        causes.is_held,
        causes.is_attended,
        causes.is_creditable,
        causes.absence_cause,
        causes.group_size,
        causes.attended_minutes,
        causes.school_absent_share,
        causes.is_scheduled and {{ is_chargeable('causes.absence_cause') }} as is_chargeable,
        causes.is_scheduled and coalesce(causes.absence_cause, '') <> 'CLOSURE' as is_deliverable,
        tutors.modal_tutor_id,
        contracts.max_group_size,
        contracts.min_session_minutes
    from {{ ref('int_tutoring_session__cause') }} as causes
    inner join contracts
        on
            causes.contract_id = contracts.contract_id
            and causes.contract_version = contracts.contract_version
    left join {{ ref('int_student_tutoring__modal_tutor') }} as tutors
        on
            causes.contract_id = tutors.contract_id
            and causes.student_id = tutors.student_id
),

session_weeks as (
    select
        contract_id,
        provider_id,
        student_id,
        student_key,
        week_start_on,
        school_id,
        tutor_id,
        time_slot,
        count(case when is_chargeable and is_attended then 1 end) as tutoring_attendance_numerator,
        count(case when is_chargeable then 1 end) as tutoring_attendance_denominator,
        count(case when is_deliverable and is_held then 1 end) as delivery_numerator,
        count(case when is_deliverable then 1 end) as delivery_denominator,
        count(case when is_deliverable and absence_cause in {{ provider_causes() }} then 1 end) as provider_loss_numerator,
        count(case when is_deliverable then 1 end) as provider_loss_denominator,
        count(case when is_deliverable and absence_cause in {{ district_causes() }} then 1 end) as district_loss_numerator,
        count(case when is_deliverable then 1 end) as district_loss_denominator,
        count(
            case when is_chargeable and absence_cause = 'PRESENT_SCHOOL_SKIPPED' and school_absent_share < 0.5 then 1 end
        ) as skip_in_school_numerator,
        count(case when is_chargeable and school_absent_share < 0.5 then 1 end) as skip_in_school_denominator,
        count(case when is_attended and tutor_id = modal_tutor_id then 1 end) as same_tutor_numerator,
        count(case when is_attended and tutor_id is not null then 1 end) as same_tutor_denominator,
        count(case when is_attended and group_size <= max_group_size then 1 end) as group_size_numerator,
        count(case when is_attended and group_size is not null and max_group_size is not null then 1 end) as group_size_denominator,
        count(case when is_attended and attended_minutes >= min_session_minutes then 1 end) as duration_numerator,
        count(case when is_attended and attended_minutes is not null and min_session_minutes is not null then 1 end) as duration_denominator
    from sessions
    group by contract_id, provider_id, student_id, student_key, week_start_on, school_id, tutor_id, time_slot
),

-- Required sessions are spread over the days in session of the service period, so that a closed day asks for nothing and a full
-- assignment adds up to the contract's number. A school without a calendar, or a contract without sessions, has no such row.
calendar_days as (
    select
        contracts.contract_id,
        calendar.school_id,
        calendar.calendar_on,
        contracts.required_sessions,
        count(*) over (partition by contracts.contract_id, calendar.school_id) as service_days
    from {{ ref('input__calendar_day') }} as calendar
    inner join current_contracts as contracts
        on calendar.calendar_on between contracts.service_start_on and contracts.service_end_on
    where calendar.is_in_session
),

-- A log that stopped says nothing of the days after it.
reported as (
    select
        contract_id,
        max(session_on) as last_session_on
    from {{ ref('int_tutoring_session__cause') }}
    group by contract_id
),

required_weeks as (
    select
        spans.contract_id,
        spans.student_id,
        max(spans.student_key) as student_key,
        max_by(spans.school_id, spans.start_on) as school_id,
        {{ week_start('days.calendar_on') }} as week_start_on,
        cast(sum(cast(days.required_sessions as double) / days.service_days) as decimal(18, 6)) as required
    from spans
    inner join calendar_days as days
        on
            spans.contract_id = days.contract_id
            and spans.school_id = days.school_id
            and days.calendar_on >= spans.start_on
            and days.calendar_on < spans.end_on
    inner join reported
        on
            spans.contract_id = reported.contract_id
            and days.calendar_on <= reported.last_session_on
    where days.required_sessions is not null
    group by spans.contract_id, spans.student_id, {{ week_start('days.calendar_on') }}
),

creditable_weeks as (
    select
        contract_id,
        student_id,
        week_start_on,
        sum(case when is_creditable then 1 else 0 end) as creditable
    from sessions
    group by contract_id, student_id, week_start_on
),

school_weeks as (
    select
        contracts.contract_id,
        contracts.provider_id,
        spans.student_id,
        spans.student_key,
        {{ week_start('days.attendance_on') }} as week_start_on,
        days.school_id,
        cast(sum(1 - days.absent_share) as decimal(18, 6)) as present_days,
        count(days.absent_share) as known_days
    from {{ ref('fct_student_daily_attendance') }} as days
    inner join spans
        on
            days.student_key = spans.student_key
            and days.attendance_on >= spans.start_on
            and days.attendance_on < spans.end_on
    inner join current_contracts as contracts
        on
            spans.contract_id = contracts.contract_id
            and days.attendance_on between contracts.service_start_on and contracts.service_end_on
    group by
        contracts.contract_id, contracts.provider_id, spans.student_id, spans.student_key,
        {{ week_start('days.attendance_on') }}, days.school_id
),

-- Exit tickets, as in agg_exit_ticket_weekly: a response has a score for a construct when two thirds of its items are answered, and is
-- favourable from 0.75 on.
attended_sessions as (
    select *
    from sessions
    where is_attended
),

item_counts as (
    select
        source,
        construct,
        count(distinct item_code) as item_count
    from {{ source('documents', 'exit_ticket_item') }}
    where not coalesce(is_free_text, false)
    group by source, construct
),

scored as (
    select
        answers.provider_id,
        answers.response_id,
        answers.session_id,
        answers.student_key,
        answers.construct,
        sum(answers.value_scaled) as score_sum,
        count(*) as answer_count,
        max(item_counts.item_count) as item_count
    from {{ ref('input__exit_ticket_answer') }} as answers
    inner join item_counts
        on
            answers.source = item_counts.source
            and answers.construct = item_counts.construct
    where
        answers.session_id is not null
        and answers.student_key is not null
    group by answers.provider_id, answers.response_id, answers.session_id, answers.student_key, answers.construct
),

responses as (
    select
        attended_sessions.*,
        scored.construct,
        scored.answer_count * 3 >= scored.item_count * 2 as is_scored,
        cast(scored.score_sum as double) / scored.answer_count >= 0.75 as is_favourable
    from scored
    inner join attended_sessions
        on
            scored.provider_id = attended_sessions.provider_id
            and scored.session_id = attended_sessions.session_id
            and scored.student_key = attended_sessions.student_key
),

-- Who was asked: sessions from a contract's first answered week to its last.
asked_weeks as (
    select
        contract_id,
        min(week_start_on) as first_week_on,
        max(week_start_on) as last_week_on
    from responses
    group by contract_id
),

answered_sessions as (
    select distinct
        contract_id,
        session_id,
        student_id
    from responses
),

observations as (
    {%- for metric in [
        'tutoring_attendance', 'delivery', 'provider_loss', 'district_loss', 'skip_in_school', 'same_tutor', 'group_size', 'duration'
    ] %}
    select
        contract_id,
        provider_id,
        student_id,
        student_key,
        week_start_on,
        school_id,
        tutor_id,
        time_slot,
        '{{ metric }}' as metric_id,
        cast({{ metric }}_numerator as decimal(18, 6)) as numerator,
        cast({{ metric }}_denominator as decimal(18, 6)) as denominator
    from session_weeks

    union all
    {%- endfor %}

    select
        required_weeks.contract_id,
        contracts.provider_id,
        required_weeks.student_id,
        required_weeks.student_key,
        required_weeks.week_start_on,
        required_weeks.school_id,
        null as tutor_id,
        null as time_slot,
        'creditable_sessions' as metric_id,
        cast(coalesce(creditable_weeks.creditable, 0) as decimal(18, 6)) as numerator,
        required_weeks.required as denominator
    from required_weeks
    inner join current_contracts as contracts
        on required_weeks.contract_id = contracts.contract_id
    left join creditable_weeks
        on
            required_weeks.contract_id = creditable_weeks.contract_id
            and required_weeks.student_id = creditable_weeks.student_id
            and required_weeks.week_start_on = creditable_weeks.week_start_on

    union all

    select
        contract_id,
        provider_id,
        student_id,
        student_key,
        week_start_on,
        school_id,
        null as tutor_id,
        null as time_slot,
        'school_attendance' as metric_id,
        present_days as numerator,
        cast(known_days as decimal(18, 6)) as denominator
    from school_weeks

    union all

    select
        contract_id,
        provider_id,
        student_id,
        student_key,
        week_start_on,
        school_id,
        tutor_id,
        time_slot,
        'exit_ticket_' || construct as metric_id,
        cast(count(case when is_favourable then 1 end) as decimal(18, 6)) as numerator,
        cast(count(*) as decimal(18, 6)) as denominator
    from responses
    where is_scored
    group by contract_id, provider_id, student_id, student_key, week_start_on, school_id, tutor_id, time_slot, construct

    union all

    select
        attended_sessions.contract_id,
        attended_sessions.provider_id,
        attended_sessions.student_id,
        attended_sessions.student_key,
        attended_sessions.week_start_on,
        attended_sessions.school_id,
        attended_sessions.tutor_id,
        attended_sessions.time_slot,
        'exit_ticket_response' as metric_id,
        cast(count(answered_sessions.session_id) as decimal(18, 6)) as numerator,
        cast(count(*) as decimal(18, 6)) as denominator
    from attended_sessions
    inner join asked_weeks
        on
            attended_sessions.contract_id = asked_weeks.contract_id
            and attended_sessions.week_start_on between asked_weeks.first_week_on and asked_weeks.last_week_on
    left join answered_sessions
        on
            attended_sessions.contract_id = answered_sessions.contract_id
            and attended_sessions.session_id = answered_sessions.session_id
            and attended_sessions.student_id = answered_sessions.student_id
    group by
        attended_sessions.contract_id, attended_sessions.provider_id, attended_sessions.student_id, attended_sessions.student_key,
        attended_sessions.week_start_on, attended_sessions.school_id, attended_sessions.tutor_id, attended_sessions.time_slot
)

select
    contract_id,
    provider_id,
    student_id,
    student_key,
    week_start_on,
    school_id,
    tutor_id,
    time_slot,
    metric_id,
    numerator,
    denominator
from observations
where denominator > 0
