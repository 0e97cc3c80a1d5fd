-- Who still lacks a test that a payment needs: from the first day of the window, or of the assignment where that is later.
-- It stays listed after the window has closed, because what happened must be ruled on; can_still_be_tested says what is left to do.
with assessor as (
    select
        contract_id,
        version as contract_version,
        -- The district gives the tests unless the contract makes it a duty of the provider.
        max(case when party = 'PROVIDER' then 1 else 0 end) as is_provider_duty
    from {{ source('documents', 'obligation') }}
    where metric = 'ASSESSMENT_ADMINISTERED'
    group by contract_id, version
),

enrolled as (
    select
        student_key,
        max(
            case
                when enrolled_on <= {{ as_of_date() }} and coalesce(exited_on > {{ as_of_date() }}, true) then 1
                else 0
            end
        ) as is_enrolled
    from {{ ref('input__school_enrollment') }}
    group by student_key
),

needed as (
    select
        counted.contract_id,
        counted.line_id,
        counted.student_ref,
        counted.window_id,
        counted.test_status,
        counted.test_reason,
        counted.attempt_count,
        missing_test.cause,
        line.instrument,
        assignment.student_key,
        assignment.student_id,
        assignment.school_id,
        coalesce(assessor.is_provider_duty, 0) as is_provider_duty,
        case when counted.test_role = 'END' then line.end_opens_on else line.baseline_opens_on end as opens_on,
        case
            when counted.test_role = 'END' then line.end_closes_on
            when assignment.first_start_on > line.baseline_closes_on then coalesce(line.late_baseline_until, line.baseline_closes_on)
            else line.baseline_closes_on
        end as closes_on,
        assignment.first_start_on,
        decision.maximum_amount
    from {{ ref('int_assessment__counted') }} as counted
    inner join {{ ref('int_payment__line') }} as line
        on
            counted.contract_id = line.contract_id
            and counted.line_id = line.line_id
    inner join {{ ref('int_payment__assignment') }} as assignment
        on
            counted.contract_id = assignment.contract_id
            and counted.line_id = assignment.line_id
            and counted.student_ref = assignment.student_ref
    inner join {{ ref('int_payment__decision') }} as decision
        on
            counted.contract_id = decision.contract_id
            and counted.line_id = decision.line_id
            and counted.student_ref = decision.student_ref
    left join {{ ref('int_payment__missing_test') }} as missing_test
        on
            counted.contract_id = missing_test.contract_id
            and counted.line_id = missing_test.line_id
            and counted.student_ref = missing_test.student_ref
            and counted.test_role = missing_test.test_role
    left join assessor
        on
            line.contract_id = assessor.contract_id
            and line.contract_version = assessor.contract_version
    where
        counted.test_status <> 'COUNTED'
        and counted.student_key is not null
        and decision.decision <> 'OUT_OF_SCOPE'
        and left(decision.decision, 9) <> 'EXCLUDED_'
        and not assignment.has_left
),

opened as (
    select
        *,
        greatest(opens_on, first_start_on) as since_on
    from needed
    where
        opens_on <= {{ as_of_date() }}
        and first_start_on <= {{ as_of_date() }}
),

grouped as (
    select
        contract_id,
        student_key,
        max(student_id) as student_id,
        max(school_id) as school_id,
        window_id,
        cast(count(distinct line_id) as integer) as line_count,
        min(line_id) as first_line_id,
        min(instrument) as instrument,
        cast(count(distinct instrument) as integer) as instrument_count,
        -- A test taken and unusable asks for a retest, and so comes first.
        min(case test_status when 'INVALID' then 1 when 'AMBIGUOUS' then 2 else 3 end) as status_order,
        max(case when test_status = 'INVALID' then test_reason end) as invalid_reason,
        max(attempt_count) as attempt_count,
        max(cause) as cause,
        max(is_provider_duty) as is_provider_duty,
        min(since_on) as since_on,
        max(closes_on) as closes_on,
        sum(maximum_amount) as at_stake_amount
    from opened
    group by contract_id, student_key, window_id
)

select
    {{ surrogate_key(['grouped.contract_id', 'grouped.student_key', 'grouped.window_id']) }} as untested_key,
    grouped.contract_id,
    grouped.student_key,
    grouped.student_id,
    grouped.school_id,
    grouped.window_id,
    grouped.instrument,
    grouped.instrument_count,
    grouped.line_count,
    case grouped.status_order when 1 then 'RETEST' when 2 then 'TWO_GROWTH_EVENTS' else 'NOT_TESTED' end as status,
    grouped.invalid_reason,
    cast(grouped.attempt_count as integer) as attempt_count,
    grouped.since_on,
    cast({{ days_between('grouped.since_on', as_of_date()) }} as integer) as days_waiting,
    grouped.closes_on,
    grouped.closes_on >= {{ as_of_date() }} as can_still_be_tested,
    case
        when grouped.cause in ('DISTRICT', 'PROVIDER', 'STUDENT') then grouped.cause
        when grouped.is_provider_duty = 1 then 'PROVIDER'
        else 'DISTRICT'
    end as duty_of,
    grouped.cause as ruled_cause,
    case when enrolled.student_key is null then null else enrolled.is_enrolled = 1 end as is_enrolled,
    cast(grouped.at_stake_amount as decimal(18, 2)) as at_stake_amount,
    {{ as_of_date() }} as as_of_date
from grouped
left join enrolled
    on grouped.student_key = enrolled.student_key
