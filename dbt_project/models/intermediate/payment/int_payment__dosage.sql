-- One row per contract, rate-card line and student: the attendance gate (domain §4.2 step 5), judged in whole numbers by
-- cross-multiplication.
with contract_with_sessions as (
    select distinct contract_id
    from {{ ref('int_tutoring_session__cause') }}
),

measured as (
    select
        assignment.contract_id,
        assignment.contract_version,
        assignment.line_id,
        assignment.student_ref,
        line.has_dosage_gate,
        line.dosage_min_rate_numerator,
        line.dosage_min_rate_denominator,
        line.dosage_ends_on,
        line.data_due_on,
        coalesce(line.dosage_unit, 'SESSIONS') as dosage_unit,
        coalesce(line.dosage_denominator, 'REQUIRED') as dosage_basis,
        contract_with_sessions.contract_id is not null as has_session_data,
        coalesce(session.scheduled_sessions, 0) as scheduled_sessions,
        coalesce(session.attended_sessions, 0) as attended_sessions,
        coalesce(session.creditable_sessions, 0) as creditable_sessions,
        coalesce(session.creditable_minutes, 0) as creditable_minutes,
        coalesce(session.district_lost_sessions, 0) as district_lost_sessions,
        coalesce(session.provider_lost_sessions, 0) as provider_lost_sessions,
        coalesce(session.unknown_cause_sessions, 0) as unknown_cause_sessions,
        coalesce(session.conflict_sessions, 0) as conflict_sessions,
        coalesce(session.late_sessions, 0) as late_sessions,
        -- What the line's own denominator keeps of the timetable.
        coalesce(session.scheduled_net_sessions, 0)
        - case when line.dosage_denominator = 'SCHEDULED_NET_OF_EXCUSED' then coalesce(session.excused_sessions, 0) else 0 end
            as scheduled_net_sessions,
        assignment.required_sessions,
        assignment.required_minutes,
        line.min_session_minutes
    from {{ ref('int_payment__assignment') }} as assignment
    inner join {{ ref('int_payment__line') }} as line
        on
            assignment.contract_id = line.contract_id
            and assignment.line_id = line.line_id
    left join {{ ref('int_payment__session_count') }} as session
        on
            assignment.contract_id = session.contract_id
            and assignment.line_id = session.line_id
            and assignment.student_ref = session.student_ref
    left join contract_with_sessions
        on assignment.contract_id = contract_with_sessions.contract_id
    where assignment.is_on_roster
),

-- In the unit the line is written in. A session lost to the district is worth the contract's minimum minutes.
dose as (
    select
        *,
        cast(case when dosage_unit = 'MINUTES' then creditable_minutes else creditable_sessions end as decimal(18, 2)) as dosage_attended,
        cast(
            case
                when dosage_basis <> 'REQUIRED' then 0
                when dosage_unit = 'MINUTES' then district_lost_sessions * coalesce(min_session_minutes, 0)
                else district_lost_sessions
            end as decimal(18, 2)
        ) as dosage_credited,
        cast(
            case
                when dosage_basis = 'REQUIRED' and dosage_unit = 'MINUTES' then required_minutes
                when dosage_basis = 'REQUIRED' then required_sessions
                when dosage_unit = 'MINUTES' then scheduled_net_sessions * min_session_minutes
                else scheduled_net_sessions
            end as decimal(18, 2)
        ) as dosage_required
    from measured
),

compared as (
    select
        *,
        cast(least(dosage_required, dosage_attended + dosage_credited) as decimal(18, 2)) as dosage_numerator,
        case
            when dosage_required is null or dosage_required = 0 then null
            else
                least(dosage_required, dosage_attended + dosage_credited) * dosage_min_rate_denominator
                >= dosage_min_rate_numerator * dosage_required
        end as is_enough
    from dose
)

select
    contract_id,
    contract_version,
    line_id,
    student_ref,
    dosage_unit,
    dosage_basis,
    has_session_data,
    scheduled_sessions,
    attended_sessions,
    creditable_sessions,
    creditable_minutes,
    district_lost_sessions,
    provider_lost_sessions,
    unknown_cause_sessions,
    conflict_sessions,
    late_sessions,
    dosage_attended,
    dosage_credited,
    dosage_numerator,
    dosage_required,
    dosage_min_rate_numerator,
    dosage_min_rate_denominator,
    case
        -- Before the gate: without any log nobody knows that the service was given at all, whatever the line asks for.
        when not has_session_data then 'NO_SESSION_DATA'
        when not has_dosage_gate then 'NO_GATE'
        when is_enough is null then 'NOTHING_REQUIRED'
        -- With required sessions, what is reached stays reached; with scheduled ones the rate can still fall.
        when dosage_basis = 'REQUIRED' and is_enough then 'MET'
        when dosage_ends_on >= {{ as_of_date() }} then 'PERIOD_RUNNING'
        when unknown_cause_sessions > 0 and data_due_on >= {{ as_of_date() }} then 'UNKNOWN_CAUSES'
        when is_enough then 'MET'
        else 'NOT_MET'
    end as dosage_status,
    case
        when not has_dosage_gate then true
        when not has_session_data or is_enough is null then null
        when dosage_basis = 'REQUIRED' and is_enough then true
        when dosage_ends_on >= {{ as_of_date() }} then null
        when unknown_cause_sessions > 0 and data_due_on >= {{ as_of_date() }} then null
        else is_enough
    end as is_attendance_met
from compared
