-- What is paid for serving each student, whatever the outcome. Rates are those in force on the day of each session (domain §4.5).
with contract as (
    select * from {{ ref('int_payment__contract') }}
),

-- An amendment may raise the rate: the most a student can bring is at the highest of them.
highest_rate as (
    select
        contract_id,
        cast(max(base_rate_amount) as decimal(18, 2)) as rate_amount
    from {{ source('documents', 'contract') }}
    group by contract_id
),

roster as (
    select
        contract_id,
        coalesce(student_key, 'unknown:' || student_id) as student_ref,
        max(student_key) as student_key,
        max(student_id) as student_id,
        max_by(school_id, start_on) as school_id
    from {{ ref('input__roster_assignment') }}
    group by contract_id, coalesce(student_key, 'unknown:' || student_id)
),

-- What comes after the last data-due date of the contract counts only by a ruling.
due as (
    select
        contract_window.contract_id,
        max(contract_window.data_due_on) as data_due_on
    from {{ source('documents', 'contract_window') }} as contract_window
    inner join contract
        on
            contract_window.contract_id = contract.contract_id
            and contract_window.version = contract.contract_version
    group by contract_window.contract_id
),

session_of_version as (
    select
        session.contract_id,
        session.student_key as student_ref,
        session.contract_version,
        cast(count(*) as bigint) as creditable_sessions,
        cast(coalesce(sum(session.attended_minutes), 0) * 100 as bigint) as minute_hundredths
    from {{ ref('int_tutoring_session__cause') }} as session
    left join due
        on session.contract_id = due.contract_id
    left join {{ ref('int_payment__accepted_late_change') }} as late_change
        on
            session.contract_id = late_change.contract_id
            and session.student_key = late_change.student_key
            and session.session_id = late_change.session_id
    where
        session.is_creditable
        and session.student_key is not null
        and (
            late_change.contract_id is not null
            or coalesce(cast(session.received_at as date) <= due.data_due_on, true)
        )
    group by session.contract_id, session.student_key, session.contract_version
),

-- The requirement is filled in order of the versions, so that a rate never pays for more sessions than are left of it.
running as (
    select
        session.*,
        cast(version.base_rate_amount * 100 as bigint) as base_rate_cents,
        contract.required_sessions,
        contract.required_minutes,
        cast(sum(session.creditable_sessions) over (
            partition by session.contract_id, session.student_ref
            order by session.contract_version
            rows between unbounded preceding and current row
        ) as bigint) as sessions_so_far,
        cast(sum(session.minute_hundredths) over (
            partition by session.contract_id, session.student_ref
            order by session.contract_version
            rows between unbounded preceding and current row
        ) as bigint) as hundredths_so_far
    from session_of_version as session
    inner join contract
        on session.contract_id = contract.contract_id
    inner join {{ source('documents', 'contract') }} as version
        on
            session.contract_id = version.contract_id
            and session.contract_version = version.version
),

capped as (
    select
        *,
        least(sessions_so_far, coalesce(required_sessions, sessions_so_far))
        - least(sessions_so_far - creditable_sessions, coalesce(required_sessions, sessions_so_far)) as paid_sessions,
        least(hundredths_so_far, coalesce(required_minutes * 100, hundredths_so_far))
        - least(hundredths_so_far - minute_hundredths, coalesce(required_minutes * 100, hundredths_so_far)) as paid_hundredths
    from running
),

served as (
    select
        contract_id,
        student_ref,
        cast(sum(creditable_sessions) as bigint) as creditable_sessions,
        cast(sum(paid_sessions) as bigint) as paid_sessions,
        cast(sum(minute_hundredths) as bigint) as minute_hundredths,
        cast(sum(paid_sessions * base_rate_cents) as bigint) as session_cents,
        cast(sum(paid_hundredths * base_rate_cents) as bigint) as minute_cents,
        max_by(base_rate_cents, contract_version) as last_base_rate_cents
    from capped
    group by contract_id, student_ref
),

-- Days in service so far, for contracts that prorate by weeks.
elapsed as (
    select
        span.contract_id,
        coalesce(span.student_key, 'unknown:' || span.student_id) as student_ref,
        cast(sum(
            greatest(
                {{ days_between(
                    'greatest(span.start_on, contract.service_start_on)',
                    'least(coalesce(span.end_on, ' ~ add_days('contract.service_end_on', 1) ~ '), '
                    ~ add_days('contract.service_end_on', 1) ~ ', ' ~ add_days(as_of_date(), 1) ~ ')'
                ) }},
                0
            )
        ) as bigint) as assignment_days
    from {{ ref('int_student_assignment__span') }} as span
    inner join contract
        on span.contract_id = contract.contract_id
    group by span.contract_id, coalesce(span.student_key, 'unknown:' || span.student_id)
),

void as (
    select
        contract_id,
        student_ref,
        max(case when is_all_void then 1 else 0 end) as is_all_void
    from {{ ref('int_payment__attribution') }}
    group by contract_id, student_ref
),

per_student as (
    select
        contract.contract_id,
        contract.contract_version,
        contract.period,
        contract.provider_id,
        contract.base_model,
        contract.base_proration,
        contract.base_rate_amount,
        contract.base_earning_min_sessions,
        contract.required_sessions,
        contract.required_minutes,
        roster.student_ref,
        roster.student_key,
        roster.student_id,
        roster.school_id,
        coalesce(served.creditable_sessions, 0) as creditable_sessions,
        coalesce(served.paid_sessions, 0) as paid_sessions,
        cast(coalesce(served.minute_hundredths, 0) as decimal(18, 2)) * cast(0.01 as decimal(2, 2)) as creditable_minutes,
        coalesce(void.is_all_void, 0) = 1 as is_all_void,
        case
            when contract.base_model = 'PER_SESSION' then {{ cents_ratio('coalesce(served.session_cents, 0)', '1') }}
            when contract.base_model = 'PER_HOUR' then {{ cents_ratio('coalesce(served.minute_cents, 0)', '6000') }}
            when contract.base_proration = 'BY_SESSIONS_ATTENDED'
                then {{ cents_ratio('coalesce(served.session_cents, 0)', 'contract.required_sessions') }}
            when contract.base_proration = 'BY_WEEKS'
                then {{ cents_ratio(
                    'coalesce(served.last_base_rate_cents, cast(contract.base_rate_amount * 100 as bigint)) * '
                    ~ ceiling_divide('coalesce(elapsed.assignment_days, 0)', '7'),
                    ceiling_divide('cast(' ~ days_between('contract.service_start_on', 'contract.service_end_on') ~ ' + 1 as bigint)', '7')
                ) }}
            else {{ cents_ratio('coalesce(served.last_base_rate_cents, cast(contract.base_rate_amount * 100 as bigint))', '1') }}
        end as full_amount,
        case
            when contract.base_model = 'PER_SESSION'
                then cast(highest_rate.rate_amount * contract.required_sessions as decimal(18, 2))
            when contract.base_model = 'PER_HOUR'
                then {{ cents_ratio('cast(highest_rate.rate_amount * 100 as bigint) * contract.required_minutes', '60') }}
            else highest_rate.rate_amount
        end as maximum_amount
    from contract
    inner join roster
        on contract.contract_id = roster.contract_id
    inner join highest_rate
        on contract.contract_id = highest_rate.contract_id
    left join served
        on
            roster.contract_id = served.contract_id
            and roster.student_ref = served.student_ref
    left join elapsed
        on
            roster.contract_id = elapsed.contract_id
            and roster.student_ref = elapsed.student_ref
    left join void
        on
            roster.contract_id = void.contract_id
            and roster.student_ref = void.student_ref
    where contract.base_model <> 'FIXED_INSTALMENT'
),

judged as (
    select
        *,
        case
            when student_key is null then 'UNKNOWN_STUDENT'
            when is_all_void then 'PROVIDER_OBLIGATION_BREACHED'
            when creditable_sessions < coalesce(base_earning_min_sessions, 0) then 'NOT_SERVED'
            when full_amount is null then 'TERMS_INCOMPLETE'
            else 'SERVED'
        end as reason_code
    from per_student
),

student_rows as (
    select
        contract_id,
        contract_version,
        period,
        provider_id,
        student_ref,
        student_key,
        student_id,
        school_id,
        base_model,
        base_proration,
        base_rate_amount,
        required_sessions,
        creditable_sessions,
        paid_sessions,
        creditable_minutes,
        reason_code,
        case reason_code
            when 'UNKNOWN_STUDENT' then 'The roster''s student id is not known to the district''s student list.'
            when 'PROVIDER_OBLIGATION_BREACHED' then 'A breached provider obligation voids all payment.'
            when 'NOT_SERVED'
                then
                    cast(creditable_sessions as varchar) || ' creditable sessions; a student counts as served from '
                    || cast(base_earning_min_sessions as varchar) || '.'
            when 'TERMS_INCOMPLETE' then 'The contract does not say what a full dose is.'
            else
                cast(creditable_sessions as varchar) || ' creditable sessions'
                || coalesce(' of ' || cast(required_sessions as varchar) || ' required', '') || ', rate '
                || cast(base_rate_amount as varchar) || ' ' || base_model || coalesce(' ' || base_proration, '') || '.'
        end as reason,
        case when reason_code = 'SERVED' then full_amount else cast(0 as decimal(18, 2)) end as base_amount,
        -- A contract without a limit can be said to reach no more than it has.
        greatest(coalesce(maximum_amount, 0), case when reason_code = 'SERVED' then full_amount else 0 end) as maximum_base_amount,
        'BASE' as line_id
    from judged
),

-- A fixed instalment is owed for the contract, not for a student: one row per date of the payment schedule, which the version in force on
-- that day states. What is rounded is the sum up to each date, so that the instalments add up to the whole amount.
instalment as (
    select
        version.contract_id,
        version.version as contract_version,
        version.base_rate_amount,
        schedule.paid_on,
        schedule.instalment_number,
        sum(schedule.share) over (
            partition by version.contract_id, version.version
            order by schedule.paid_on, schedule.instalment_number
            rows between unbounded preceding and current row
        ) as share_so_far,
        schedule.share,
        coalesce(version.effective_from <= schedule.paid_on, true)
        and coalesce(schedule.paid_on < version.effective_to, true) as is_in_force
    from {{ source('documents', 'contract_instalment') }} as schedule
    inner join {{ source('documents', 'contract') }} as version
        on
            schedule.contract_id = version.contract_id
            and schedule.version = version.version
    where
        version.base_model = 'FIXED_INSTALMENT'
        and schedule.payment_type = 'BASE'
),

instalment_in_force as (
    select
        contract_id,
        contract_version,
        base_rate_amount,
        paid_on,
        row_number() over (
            partition by contract_id
            order by paid_on, instalment_number
        ) as instalment_number,
        cast(
            round(cast(base_rate_amount as decimal(18, 2)) * cast(share_so_far as decimal(9, 6)), 2)
            - round(cast(base_rate_amount as decimal(18, 2)) * cast(share_so_far - share as decimal(9, 6)), 2) as decimal(18, 2)
        ) as instalment_amount
    from instalment
    where is_in_force
),

-- Only a breach of scope CONTRACT can void an instalment; validation refuses the other scopes for such a contract.
void_contract as (
    select
        contract_id,
        max(is_all_void) as is_all_void
    from void
    group by contract_id
),

contract_rows as (
    select
        contract.contract_id,
        instalment.contract_version,
        contract.period,
        contract.provider_id,
        '~instalment-' || cast(instalment.instalment_number as varchar) || '~' as student_ref,
        cast(null as varchar) as student_key,
        cast(null as varchar) as student_id,
        cast(null as varchar) as school_id,
        contract.base_model,
        contract.base_proration,
        instalment.base_rate_amount,
        contract.required_sessions,
        cast(null as bigint) as creditable_sessions,
        cast(null as bigint) as paid_sessions,
        cast(null as decimal(18, 2)) as creditable_minutes,
        case
            when instalment.paid_on > {{ as_of_date() }} then 'NOT_DUE'
            when void_contract.is_all_void = 1 then 'PROVIDER_OBLIGATION_BREACHED'
            else 'FIXED_INSTALMENT'
        end as reason_code,
        case
            when instalment.paid_on > {{ as_of_date() }} then 'Due on ' || cast(instalment.paid_on as varchar) || '.'
            when void_contract.is_all_void = 1 then 'A breached provider obligation voids all payment.'
            else 'Fixed instalment, due on ' || cast(instalment.paid_on as varchar) || '.'
        end as reason,
        case
            when instalment.paid_on > {{ as_of_date() }} or void_contract.is_all_void = 1 then cast(0 as decimal(18, 2))
            else instalment.instalment_amount
        end as base_amount,
        instalment.instalment_amount as maximum_base_amount,
        'INSTALMENT-' || cast(instalment.instalment_number as varchar) as line_id
    from contract
    inner join instalment_in_force as instalment
        on contract.contract_id = instalment.contract_id
    left join void_contract
        on contract.contract_id = void_contract.contract_id
    where contract.base_model = 'FIXED_INSTALMENT'
),

payments as (
    select * from student_rows
    union all
    select * from contract_rows
),

blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
)

select
    {{ surrogate_key(['payments.contract_id', 'payments.student_ref', 'payments.period']) }} as base_payment_key,
    payments.contract_id,
    payments.contract_version,
    payments.period,
    payments.provider_id,
    payments.student_key,
    payments.student_id,
    payments.school_id,
    payments.base_model,
    payments.base_proration,
    payments.base_rate_amount,
    cast(payments.required_sessions as bigint) as required_sessions,
    payments.creditable_sessions,
    payments.paid_sessions,
    cast(payments.creditable_minutes as decimal(18, 2)) as creditable_minutes,
    payments.reason_code,
    payments.reason,
    cast(payments.base_amount as decimal(18, 2)) as base_amount,
    cast(payments.maximum_base_amount as decimal(18, 2)) as maximum_base_amount,
    blocked.contract_id is not null as is_blocked,
    {{ as_of_date() }} as as_of_date,
    payments.line_id
from payments
left join blocked
    on payments.contract_id = blocked.contract_id
