-- Who was on pace at the end of each month of service, and who is now: what counts so far is no less than the contract's dosage gate asks
-- for by then, in step with the days served; sessions lost to the district are credited, as at the gate. Sessions as they are known today,
-- not as they were known then.
with contract as (
    select
        contract_id,
        service_start_on,
        service_end_on,
        required_minutes
    from {{ ref('int_payment__contract') }}
),

-- The gate that asks most of the contract's lines; a contract without one asks for all that it requires.
gate as (
    select
        contract_id,
        max(cast(dosage_min_rate_numerator as double) / dosage_min_rate_denominator) as gate_rate
    from {{ ref('int_payment__line') }}
    where has_dosage_gate
    group by contract_id
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

counting as (
    select
        contract_id,
        student_id,
        session_on,
        count(*) as session_count,
        sum(case when is_creditable then attended_minutes else scheduled_minutes end) as session_minutes
    from {{ ref('int_tutoring_session__cause') }}
    where is_creditable or absence_cause in {{ district_causes() }}
    group by contract_id, student_id, session_on
),

had as (
    select
        moment.contract_id,
        moment.moment_on,
        counting.student_id,
        sum(counting.session_count) as session_count,
        sum(counting.session_minutes) as session_minutes
    from moment
    inner join counting
        on
            moment.contract_id = counting.contract_id
            and moment.moment_on >= counting.session_on
    group by moment.contract_id, moment.moment_on, counting.student_id
),

elapsed as (
    select
        moment.contract_id,
        moment.moment_on,
        spans.student_id,
        max({{ days_between('contract.service_start_on', add_days('contract.service_end_on', 1)) }}) as service_days,
        max(contract.required_minutes) as required_minutes,
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
),

-- Had and asked for so far, times the days of the whole assignment, so that sessions are compared in whole numbers.
compared as (
    select
        elapsed.contract_id,
        elapsed.moment_on,
        dose.student_key,
        dose.has_session_data and elapsed.elapsed_days > 0 as is_known,
        case
            when dose.required_sessions > 0 then coalesce(had.session_count, 0) * dose.assigned_days
            when elapsed.required_minutes > 0 then coalesce(had.session_minutes, 0) * elapsed.service_days
        end as had_so_far,
        case
            when dose.required_sessions > 0 then dose.required_sessions * elapsed.elapsed_days
            when elapsed.required_minutes > 0 then elapsed.required_minutes * elapsed.elapsed_days
        end * coalesce(gate.gate_rate, 1) as asked_so_far
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
    left join gate
        on elapsed.contract_id = gate.contract_id
    where dose.student_key is not null
)

select
    contract_id,
    moment_on,
    moment_on = {{ as_of_date() }} as is_now,
    student_key,
    case
        when not is_known or had_so_far is null then 'UNKNOWN'
        when had_so_far >= asked_so_far then 'ON_PACE'
        else 'BEHIND'
    end as pace
from compared
