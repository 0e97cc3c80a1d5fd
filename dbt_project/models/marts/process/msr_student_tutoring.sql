-- The list a meeting goes through: one row per contract and student, how tutoring goes, on or off track for each of the three factors, and
-- what could still be done.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

-- The gate that asks most of the contract's lines: who reaches it has reached them all.
gates as (
    select
        contract_id,
        version as contract_version,
        dosage_min_rate_numerator as gate_numerator,
        dosage_min_rate_denominator as gate_denominator,
        coalesce(dosage_denominator, 'REQUIRED') = 'REQUIRED' as is_of_required,
        coalesce(dosage_denominator, 'REQUIRED') = 'SCHEDULED_NET_OF_EXCUSED' as is_net_of_excused,
        row_number() over (
            partition by contract_id, version
            order by cast(dosage_min_rate_numerator as double) / dosage_min_rate_denominator desc, line_id asc
        ) as preference
    from {{ source('documents', 'rate_card_line') }}
    where dosage_min_rate_denominator > 0
),

-- What the provider owes each student, where a breach voids pay.
obligations as (
    select
        contract_id,
        version as contract_version,
        max(case when metric = 'SAME_TUTOR_SHARE' then value_numerator end) as tutor_numerator,
        max(case when metric = 'SAME_TUTOR_SHARE' then value_denominator end) as tutor_denominator,
        max(case when metric = 'GROUP_SIZE_COMPLIANCE' then value_numerator end) as group_numerator,
        max(case when metric = 'GROUP_SIZE_COMPLIANCE' then value_denominator end) as group_denominator,
        max(case when metric = 'DURATION_COMPLIANCE' then value_numerator end) as length_numerator,
        max(case when metric = 'DURATION_COMPLIANCE' then value_denominator end) as length_denominator
    from {{ source('documents', 'obligation') }}
    where
        party = 'PROVIDER'
        and scope = 'STUDENT'
        and consequence in ('VOID_OUTCOME', 'VOID_ALL')
    group by contract_id, version
),

decisions as (
    select
        contract_id,
        student_id,
        min(case when is_provider_met then 1 when not is_provider_met then 0 end) as provider_met,
        max(case when is_outcome_met then 1 when not is_outcome_met then 0 end) as outcome_met,
        count(case when is_outcome_met is null then 1 end) as undecided_lines
    from {{ ref('fct_payment_decision') }}
    where
        decision <> 'OUT_OF_SCOPE'
        -- What is owed for all students together is no student's outcome.
        and student_id is not null
    group by contract_id, student_id
),

interim as (
    select
        contract_id,
        student_id,
        max(case when is_on_track then 1 else 0 end) as is_on_track
    from {{ ref('int_student_outcome__interim') }}
    group by contract_id, student_id
),

-- What the gate is a share of: the contract's sessions, with those lost to the district credited, or the scheduled ones net of what was
-- nobody's absence (domain.md §4.2 step 5) and, where the line says so, of absences the school excused.
based as (
    select
        dose.*,
        gates.gate_numerator,
        gates.gate_denominator,
        case
            when coalesce(gates.is_of_required, true) then dose.required_sessions
            when gates.is_net_of_excused then dose.chargeable - dose.excused
            else dose.chargeable
        end as gate_basis,
        case when coalesce(gates.is_of_required, true) then dose.district_lost else 0 end as credited
    from {{ ref('int_student_tutoring__dose') }} as dose
    left join gates
        on
            dose.contract_id = gates.contract_id
            and dose.contract_version = gates.contract_version
            and gates.preference = 1
),

judged as (
    select
        dose.*,
        least(dose.gate_basis, dose.creditable + dose.credited) as dosage_reached,
        -- Sessions needed to reach the gate, rounded up.
        {{ ceiling_divide('dose.gate_basis * dose.gate_numerator', 'dose.gate_denominator') }} as gate_sessions,
        (dose.last_end_on is not null and dose.last_end_on <= {{ as_of_date() }})
        or dose.service_end_on < {{ as_of_date() }} as is_over,
        decisions.provider_met,
        decisions.outcome_met,
        decisions.undecided_lines,
        interim.is_on_track as interim_on_track,
        case
            when dose.with_tutor = 0 and dose.with_group = 0 and dose.with_minutes = 0 then null
            else
                coalesce(dose.same_tutor * obligations.tutor_denominator >= obligations.tutor_numerator * dose.with_tutor, true)
                and coalesce(dose.group_ok * obligations.group_denominator >= obligations.group_numerator * dose.with_group, true)
                and coalesce(dose.length_ok * obligations.length_denominator >= obligations.length_numerator * dose.with_minutes, true)
        end as is_fidelity_kept,
        persistence.misses_in_a_row,
        persistence.is_persistently_absent,
        persistence.persistently_absent_on,
        blocked.contract_id is not null as is_source_flagged
    from based as dose
    left join obligations
        on
            dose.contract_id = obligations.contract_id
            and dose.contract_version = obligations.contract_version
    left join decisions
        on
            dose.contract_id = decisions.contract_id
            and dose.student_id = decisions.student_id
    left join interim
        on
            dose.contract_id = interim.contract_id
            and dose.student_id = interim.student_id
    left join {{ ref('int_student_tutoring__persistence') }} as persistence
        on
            dose.contract_id = persistence.contract_id
            and dose.student_id = persistence.student_id
    left join blocked
        on dose.contract_id = blocked.contract_id
),

tracked as (
    select
        judged.*,
        case
            when not has_session_data or required_sessions is null then null
            else creditable * assigned_days >= required_sessions * elapsed_days
        end as is_on_pace,
        case
            when not has_session_data or gate_sessions is null then null
            when is_over and unknown_cause > 0 and dosage_reached < gate_sessions and dosage_reached + unknown_cause >= gate_sessions
                then null
            when is_over then dosage_reached >= gate_sessions
            when remaining_sessions is null and dosage_reached < gate_sessions then null
            else dosage_reached + unknown_cause + coalesce(remaining_sessions, 0) >= gate_sessions
        end as can_still_qualify,
        greatest(gate_sessions - dosage_reached, 0) as sessions_needed
    from judged
),

factored as (
    select
        tracked.*,
        case
            when not has_session_data or gate_sessions is null then 'UNKNOWN'
            when dosage_reached >= gate_sessions and gate_sessions > 0 then 'MET'
            when is_over and can_still_qualify is null then 'UNKNOWN'
            when is_over then 'NOT_MET'
            -- On track: at the gate's own pace.
            when dosage_reached * assigned_days >= gate_sessions * elapsed_days then 'ON_TRACK'
            else 'OFF_TRACK'
        end as attendance_factor_status,
        case
            when is_over and provider_met = 1 then 'MET'
            when is_over and provider_met = 0 then 'NOT_MET'
            when coalesce(provider_met, case when is_fidelity_kept then 1 when not is_fidelity_kept then 0 end) = 1 then 'ON_TRACK'
            when coalesce(provider_met, case when is_fidelity_kept then 1 when not is_fidelity_kept then 0 end) = 0 then 'OFF_TRACK'
            else 'UNKNOWN'
        end as provider_factor_status,
        case
            when outcome_met = 1 then 'MET'
            when outcome_met = 0 and undecided_lines = 0 then 'NOT_MET'
            when interim_on_track = 1 then 'ON_TRACK'
            when interim_on_track = 0 then 'OFF_TRACK'
            else 'UNKNOWN'
        end as outcome_factor_status
    from tracked
),

advised as (
    select
        factored.*,
        case
            when attendance_factor_status = 'UNKNOWN' and not has_session_data then 'No session data yet: ask the provider. '
            when attendance_factor_status = 'MET'
                then
                    'Dosage gate reached: ' || cast(dosage_reached as varchar)
                    || ' sessions, ' || cast(gate_sessions as varchar) || ' needed. '
            when attendance_factor_status = 'NOT_MET' then 'Dosage gate missed by ' || cast(sessions_needed as varchar) || ' sessions. '
            when not can_still_qualify
                then
                    'Cannot reach the dosage gate any more: ' || cast(sessions_needed as varchar)
                    || ' sessions needed, at most ' || cast(coalesce(remaining_sessions, 0) as varchar) || ' left; review substitution. '
            when sessions_needed is not null
                then
                    'Needs ' || cast(sessions_needed as varchar) || ' more creditable sessions; '
                    || coalesce(cast(remaining_sessions as varchar), 'an unknown number of') || ' can still be scheduled. '
            else ''
        end as attendance_advice,
        case
            when
                unknown_cause > 0 and attendance_factor_status <> 'MET'
                then cast(unknown_cause as varchar) || ' missed sessions have no known cause: rule on them. '
            else ''
        end as cause_advice,
        case
            when conflicts > 0
                then
                    cast(conflicts as varchar)
                    || ' sessions reported attended on days absent from school: confirm or reject them. '
            else ''
        end as conflict_advice,
        case
            when is_persistently_absent and not is_over and misses_in_a_row = 0
                then 'Below the contract''s attendance rate over the last weeks: follow up. '
            when is_persistently_absent and not is_over
                then
                    'Absent from tutoring ' || cast(misses_in_a_row as varchar)
                    || ' times in a row: follow up. '
            else ''
        end as absence_advice,
        case
            when provider_factor_status = 'OFF_TRACK'
                then
                    'Provider below its duty (same tutor '
                    || cast(same_tutor as varchar) || ' of ' || cast(with_tutor as varchar) || ', group size ' || cast(group_ok as varchar)
                    || ' of ' || cast(with_group as varchar) || ' sessions): cure it. '
            else ''
        end as provider_advice,
        case
            when outcome_factor_status = 'OFF_TRACK' and not is_over then 'Interim growth below the first tier: look at what is taught. '
            when outcome_factor_status = 'UNKNOWN' then 'No growth result yet: see that the student is tested in the window. '
            else ''
        end as outcome_advice
    from factored
)

select
    contract_id,
    cast(contract_version as integer) as contract_version,
    provider_id,
    student_id,
    student_key,
    school_id,
    first_start_on as assigned_from_on,
    last_end_on as assigned_to_on,
    end_reason,
    not is_over as is_active,
    cast(case when has_session_data and (scheduled > 0 or attended = 0) then scheduled end as integer) as sessions_scheduled,
    cast(case when has_session_data then held end as integer) as sessions_held,
    cast(case when has_session_data then attended end as integer) as sessions_attended,
    cast(case when has_session_data then creditable end as integer) as sessions_creditable,
    cast(district_lost as integer) as sessions_lost_to_district,
    cast(provider_lost as integer) as sessions_lost_to_provider,
    cast(unknown_cause as integer) as sessions_unknown_cause,
    cast(conflicts as integer) as sessions_in_conflict,
    cast(case when scheduled > 0 then attended_of_scheduled end as integer) as attendance_numerator,
    cast(case when scheduled > 0 then chargeable end as integer) as attendance_denominator,
    {{ safe_divide('attended_of_scheduled', 'chargeable') }} as attendance_rate,
    cast(attended_minutes as decimal(18, 2)) as attended_minutes,
    cast(creditable_minutes as decimal(18, 2)) as creditable_minutes,
    cast(case when has_session_data then dosage_reached end as integer) as dosage_numerator,
    cast(gate_basis as integer) as dosage_denominator,
    {{ safe_divide('case when has_session_data then dosage_reached end', 'gate_basis') }} as dosage_rate,
    cast(gate_sessions as integer) as gate_sessions,
    cast(sessions_needed as integer) as sessions_needed,
    cast(remaining_sessions as integer) as remaining_sessions,
    cast(same_tutor as integer) as same_tutor_numerator,
    cast(with_tutor as integer) as same_tutor_denominator,
    {{ safe_divide('same_tutor', 'with_tutor') }} as same_tutor_share,
    cast(tutor_count as integer) as tutor_count,
    cast(group_ok as integer) as group_size_numerator,
    cast(with_group as integer) as group_size_denominator,
    {{ safe_divide('group_ok', 'with_group') }} as group_size_rate,
    cast(length_ok as integer) as duration_numerator,
    cast(with_minutes as integer) as duration_denominator,
    {{ safe_divide('length_ok', 'with_minutes') }} as duration_rate,
    is_on_pace,
    can_still_qualify,
    cast(misses_in_a_row as integer) as misses_in_a_row,
    is_persistently_absent,
    persistently_absent_on,
    last_attended_on,
    attendance_factor_status,
    provider_factor_status,
    outcome_factor_status,
    nullif(
        trim(attendance_advice || cause_advice || conflict_advice || absence_advice || provider_advice || outcome_advice), ''
    ) as what_could_still_be_done,
    is_source_flagged,
    {{ as_of_date() }} as as_of_date
from advised
