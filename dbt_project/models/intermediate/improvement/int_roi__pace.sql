-- Who was on pace at the end of each month of service, and who is now: creditable sessions so far are no fewer than the contract asks for
-- by then. Sessions as they are known today, not as they were known then.
with contract as (
    select
        contract_id,
        service_start_on,
        service_end_on
    from {{ ref('int_payment__contract') }}
),

moment as (
    select
        contract.contract_id,
        max(dates.calendar_on) as moment_on
    from contract
    inner join {{ ref('dim_calendar_date') }} as dates
        on
            dates.calendar_on >= contract.service_start_on
            and dates.month_start_on <= contract.service_end_on
    group by contract.contract_id, dates.month_start_on
    having max(dates.calendar_on) < {{ as_of_date() }}
    union all
    select
        contract_id,
        {{ as_of_date() }} as moment_on
    from contract
),

sessions as (
    select
        contract_id,
        student_id,
        session_on,
        count(*) as creditable
    from {{ ref('int_tutoring_session__cause') }}
    where is_creditable
    group by contract_id, student_id, session_on
),

had as (
    select
        moment.contract_id,
        moment.moment_on,
        sessions.student_id,
        sum(sessions.creditable) as creditable
    from moment
    inner join sessions
        on
            moment.contract_id = sessions.contract_id
            and moment.moment_on >= sessions.session_on
    group by moment.contract_id, moment.moment_on, sessions.student_id
),

elapsed as (
    select
        moment.contract_id,
        moment.moment_on,
        spans.student_id,
        sum(greatest(0, {{ days_between(
            'greatest(spans.start_on, contract.service_start_on)',
            "least(coalesce(spans.end_on, date '9999-12-31'), " ~ add_days('contract.service_end_on', 1) ~ ', '
            ~ add_days('moment.moment_on', 1) ~ ')'
        ) }})) as elapsed_days
    from moment
    inner join contract
        on moment.contract_id = contract.contract_id
    inner join {{ ref('int_student_assignment__span') }} as spans
        on moment.contract_id = spans.contract_id
    group by moment.contract_id, moment.moment_on, spans.student_id
)

select
    elapsed.contract_id,
    elapsed.moment_on,
    elapsed.moment_on = {{ as_of_date() }} as is_now,
    dose.student_key,
    case
        when not dose.has_session_data or dose.required_sessions is null or elapsed.elapsed_days = 0 then 'UNKNOWN'
        when coalesce(had.creditable, 0) * dose.assigned_days >= dose.required_sessions * elapsed.elapsed_days then 'ON_PACE'
        else 'BEHIND'
    end as pace
from elapsed
inner join {{ ref('int_student_tutoring__dose') }} as dose
    on
        elapsed.contract_id = dose.contract_id
        and elapsed.student_id = dose.student_id
left join had
    on
        elapsed.contract_id = had.contract_id
        and elapsed.moment_on = had.moment_on
        and elapsed.student_id = had.student_id
where dose.student_key is not null
