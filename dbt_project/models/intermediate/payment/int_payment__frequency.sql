-- One row per contract, rate-card line and rostered student: weeks (Monday to Sunday) with as many held sessions as the contract promises.
-- A week counts when it lies wholly inside the assignment and the line's period, is over, and the contract scheduled or held a session for
-- anyone: a week of holidays is nobody's breach.
with contract_week as (
    select
        contract_id,
        {{ week_start('session_on') }} as week_on
    from {{ ref('int_tutoring_session__cause') }}
    where
        (is_scheduled or is_held)
        and coalesce(absence_cause, 'NONE') not in ('CLOSURE', 'ASSESSMENT_DAY')
    group by contract_id, {{ week_start('session_on') }}
),

-- Only contracts that promise a frequency: the join of students and weeks is the largest here.
promise as (
    select distinct
        contract_id,
        version as contract_version
    from {{ source('documents', 'obligation') }}
    where metric = 'FREQUENCY_COMPLIANCE'
),

week_of_student as (
    select
        span.contract_id,
        span.line_id,
        span.student_ref,
        contract_week.week_on,
        line.sessions_per_week
    from {{ ref('int_payment__assignment_span') }} as span
    inner join {{ ref('int_payment__line') }} as line
        on
            span.contract_id = line.contract_id
            and span.line_id = line.line_id
    inner join promise
        on
            line.contract_id = promise.contract_id
            and line.contract_version = promise.contract_version
    inner join contract_week
        on
            span.contract_id = contract_week.contract_id
            and contract_week.week_on >= span.start_on
            and {{ add_days('contract_week.week_on', 7) }} <= span.end_on
            and contract_week.week_on >= line.service_start_on
            and {{ add_days('contract_week.week_on', 6) }} <= line.dosage_ends_on
            and {{ add_days('contract_week.week_on', 6) }} <= {{ as_of_date() }}
    where line.sessions_per_week is not null
),

held as (
    select
        contract_id,
        student_key,
        {{ week_start('session_on') }} as week_on,
        count(*) as held_sessions
    from {{ ref('int_tutoring_session__cause') }}
    where is_held
    group by contract_id, student_key, {{ week_start('session_on') }}
)

select
    week.contract_id,
    week.line_id,
    week.student_ref,
    cast(count(*) as bigint) as week_count,
    cast(count(*) filter (where held.held_sessions >= week.sessions_per_week) as bigint) as kept_week_count
from week_of_student as week
left join held
    on
        week.contract_id = held.contract_id
        and week.student_ref = held.student_key
        and week.week_on = held.week_on
group by week.contract_id, week.line_id, week.student_ref
