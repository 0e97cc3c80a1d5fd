-- Obligations that are measured week by week, month by month or term by term: one row per contract, rate-card line, obligation and entity
-- (student, school or contract), the window that decides: a breach past its cure days before one inside them, before what is behind and not
-- over, before what was kept. A window without anything to count is no window. A term ends with each of the contract's test windows, and
-- the last one with service.
with duty as (
    select
        line.contract_id,
        line.contract_version,
        line.line_id,
        line.dosage_ends_on,
        obligation.obligation_id,
        obligation.party,
        coalesce(obligation.scope, 'STUDENT') as scope,
        obligation.metric,
        coalesce(obligation.comparator, '>=') as comparator,
        cast(obligation.value_numerator as bigint) as value_numerator,
        cast(obligation.value_denominator as bigint) as value_denominator,
        cast(coalesce(obligation.cure_days, 0) as integer) as cure_days,
        obligation.measurement_window
    from {{ source('documents', 'obligation') }} as obligation
    inner join {{ ref('int_payment__line') }} as line
        on
            obligation.contract_id = line.contract_id
            and obligation.version = line.contract_version
    where obligation.measurement_window in ('WEEK', 'MONTH', 'TERM')
),

term_end as (
    select distinct
        contract_window.contract_id,
        contract_window.version as contract_version,
        contract.service_start_on,
        contract_window.closes_on as ends_on
    from {{ source('documents', 'contract_window') }} as contract_window
    inner join {{ source('documents', 'contract') }} as contract
        on
            contract_window.contract_id = contract.contract_id
            and contract_window.version = contract.version
            and contract_window.closes_on >= contract.service_start_on
            and contract_window.closes_on < contract.service_end_on
    union
    select
        contract_id,
        version as contract_version,
        service_start_on,
        service_end_on as ends_on
    from {{ source('documents', 'contract') }}
),

term as (
    select
        contract_id,
        contract_version,
        ends_on,
        coalesce(
            {{ add_days('lag(ends_on) over (partition by contract_id, contract_version order by ends_on)', 1) }}, service_start_on
        ) as starts_on
    from term_end
),

session_of_line as (
    {{ session_of_line() }}
),

session_of_duty as (
    select
        duty.*,
        session.student_ref,
        case duty.scope
            when 'CONTRACT' then ''
            when 'SCHOOL' then coalesce(assignment.school_id, '~none~')
            else session.student_ref
        end as entity_ref,
        case duty.measurement_window
            when 'WEEK' then {{ week_start('session.session_on') }}
            when 'MONTH' then {{ month_start('session.session_on') }}
            else term.starts_on
        end as window_starts_on,
        least(
            case duty.measurement_window
                when 'WEEK' then {{ add_days(week_start('session.session_on'), 6) }}
                when 'MONTH' then {{ add_days(month_start(add_days(month_start('session.session_on'), 32)), -1) }}
                else term.ends_on
            end,
            duty.dosage_ends_on,
            case
                when duty.scope = 'STUDENT' then coalesce({{ add_days('assignment.end_on', -1) }}, duty.dosage_ends_on)
                else duty.dosage_ends_on
            end
        ) as window_ends_on,
        session.tutor_id,
        session.is_attended,
        case duty.metric
            when 'GROUP_SIZE_COMPLIANCE' then session.is_attended and session.group_size <= session.max_group_size
            when 'DURATION_COMPLIANCE' then session.is_attended and session.attended_minutes >= session.min_session_minutes
            when 'DATA_TIMELINESS' then session.is_timely
            when 'DELIVERY_RATE' then session.is_held
        end as is_kept,
        case duty.metric
            when 'GROUP_SIZE_COMPLIANCE' then session.is_attended and session.group_size is not null
            when 'DURATION_COMPLIANCE' then session.is_attended and session.attended_minutes is not null
            when 'DATA_TIMELINESS' then session.is_timely is not null
            -- Each party answers for the sessions it lost itself, never for the other's.
            when 'DELIVERY_RATE'
                then
                    session.is_held
                    or coalesce(
                        duty.party = 'DISTRICT' and session.absence_cause in ('DISTRICT_TECH', 'DISTRICT_SCHEDULE') and not session.is_late,
                        false
                    )
                    or coalesce(
                        duty.party = 'PROVIDER' and session.absence_cause in ('PROVIDER_CANCEL', 'TUTOR_NO_SHOW', 'PROVIDER_TECH'), false
                    )
        end as is_counted
    from duty
    inner join session_of_line as session
        on
            duty.contract_id = session.contract_id
            and duty.line_id = session.line_id
    inner join {{ ref('int_payment__assignment') }} as assignment
        on
            session.contract_id = assignment.contract_id
            and session.line_id = assignment.line_id
            and session.student_ref = assignment.student_ref
            and assignment.is_on_roster
    left join term
        on
            duty.contract_id = term.contract_id
            and duty.contract_version = term.contract_version
            and session.session_on >= term.starts_on
            and session.session_on <= term.ends_on
),

with_tutor as (
    select
        contract_id,
        line_id,
        obligation_id,
        entity_ref,
        student_ref,
        window_starts_on,
        tutor_id,
        count(*) as session_count
    from session_of_duty
    where metric = 'SAME_TUTOR_SHARE' and is_attended and tutor_id is not null
    group by contract_id, line_id, obligation_id, entity_ref, student_ref, window_starts_on, tutor_id
),

same_tutor as (
    select
        contract_id,
        line_id,
        obligation_id,
        entity_ref,
        student_ref,
        window_starts_on,
        max(session_count) as numerator,
        sum(session_count) as denominator
    from with_tutor
    group by contract_id, line_id, obligation_id, entity_ref, student_ref, window_starts_on
),

added as (
    select
        contract_id,
        line_id,
        obligation_id,
        entity_ref,
        window_starts_on,
        count(*) filter (where is_kept and is_counted) as numerator,
        count(*) filter (where is_counted) as denominator
    from session_of_duty
    where metric <> 'SAME_TUTOR_SHARE'
    group by contract_id, line_id, obligation_id, entity_ref, window_starts_on
    union all
    select
        contract_id,
        line_id,
        obligation_id,
        entity_ref,
        window_starts_on,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from same_tutor
    group by contract_id, line_id, obligation_id, entity_ref, window_starts_on
),

window_of_entity as (
    select
        contract_id,
        line_id,
        obligation_id,
        entity_ref,
        window_starts_on,
        max(window_ends_on) as window_ends_on,
        max(comparator) as comparator,
        max(value_numerator) as value_numerator,
        max(value_denominator) as value_denominator,
        max(cure_days) as cure_days
    from session_of_duty
    group by contract_id, line_id, obligation_id, entity_ref, window_starts_on
),

judged as (
    select
        added.*,
        window_of_entity.window_ends_on,
        {{ add_days('window_of_entity.window_ends_on', 'window_of_entity.cure_days') }} as cure_ends_on,
        {{ meets_rate(
            'added.numerator', 'added.denominator', 'window_of_entity.comparator',
            'window_of_entity.value_numerator', 'window_of_entity.value_denominator'
        ) }} as is_met
    from added
    inner join window_of_entity
        on
            added.contract_id = window_of_entity.contract_id
            and added.line_id = window_of_entity.line_id
            and added.obligation_id = window_of_entity.obligation_id
            and added.entity_ref = window_of_entity.entity_ref
            and added.window_starts_on = window_of_entity.window_starts_on
    where added.denominator > 0
),

weighed as (
    select
        *,
        case
            when is_met then 1
            when window_ends_on >= {{ as_of_date() }} then 2
            when cure_ends_on >= {{ as_of_date() }} then 3
            else 4
        end as weight
    from judged
),

ranked as (
    select
        *,
        count(*) over (partition by contract_id, line_id, obligation_id, entity_ref) as window_count,
        sum(case when weight >= 3 then 1 else 0 end) over (
            partition by contract_id, line_id, obligation_id, entity_ref
        ) as missed_window_count,
        -- The first that was missed; where none was, the last.
        row_number() over (
            partition by contract_id, line_id, obligation_id, entity_ref
            order by weight desc, case when weight >= 3 then window_starts_on end asc, window_starts_on desc
        ) as preference
    from weighed
)

select
    contract_id,
    line_id,
    obligation_id,
    entity_ref,
    window_starts_on,
    window_ends_on,
    cast(numerator as bigint) as numerator,
    cast(denominator as bigint) as denominator,
    cast(window_count as bigint) as window_count,
    cast(missed_window_count as bigint) as missed_window_count
from ranked
where preference = 1
