-- One row per contract, rate-card line, student and obligation: both parties' duties, counted and judged in whole numbers.
-- A duty of scope SCHOOL or CONTRACT is the sum over its students. A denominator of 0 gives no verdict: unknown is not a breach. A duty
-- that is measured by week, month or term is judged by the window that decides (int_payment__obligation_window).
with test_of_student as (
    select
        counted.contract_id,
        counted.line_id,
        counted.student_ref,
        max(case when missing_test.test_status = 'MISSING' and missing_test.cause is null then 1 else 0 end) as has_unknown_cause,
        max(case when missing_test.cause = 'DISTRICT' then 1 else 0 end) as is_missed_by_district
    from {{ ref('int_assessment__counted') }} as counted
    left join {{ ref('int_payment__missing_test') }} as missing_test
        on
            counted.contract_id = missing_test.contract_id
            and counted.line_id = missing_test.line_id
            and counted.student_ref = missing_test.student_ref
            and counted.test_role = missing_test.test_role
    group by counted.contract_id, counted.line_id, counted.student_ref
),

-- The day a feed first brought anything that could be read: what a promise to deliver by a date is held against.
first_delivery as (
    select
        source,
        min(cast(received_at as date)) as first_received_on
    from {{ source('intake', 'file') }}
    where accepted > 0
    group by source
),

-- Both numbers of each duty for each student.
counted as (
    select
        assignment.contract_id,
        assignment.contract_version,
        assignment.line_id,
        assignment.student_ref,
        assignment.student_key,
        assignment.school_id,
        assignment.end_on,
        obligation.obligation_id,
        obligation.party,
        obligation.scope,
        obligation.metric,
        coalesce(obligation.comparator, '>=') as comparator,
        cast(obligation.value_numerator as bigint) as value_numerator,
        cast(obligation.value_denominator as bigint) as value_denominator,
        obligation.consequence,
        coalesce(obligation.measurement_window, 'CONTRACT_TO_DATE') as measurement_window,
        cast(coalesce(obligation.cure_days, 0) as integer) as cure_days,
        line.dosage_ends_on,
        line.end_closes_on,
        obligation.due_on,
        case
            when obligation.metric in ('ROSTER_BY_DATE', 'DATA_FEED_BY_DATE') and obligation.due_on < {{ as_of_date() }}
                then case when first_delivery.first_received_on <= obligation.due_on then 1 else 0 end
            when obligation.metric = 'SAME_TUTOR_SHARE' then session.same_tutor_sessions
            when obligation.metric = 'GROUP_SIZE_COMPLIANCE' then session.group_kept_sessions
            when obligation.metric = 'DURATION_COMPLIANCE' then session.minutes_kept_sessions
            when obligation.metric = 'DATA_TIMELINESS' then session.timely_sessions
            when obligation.metric = 'DELIVERY_RATE' then session.held_sessions
            when obligation.metric = 'FREQUENCY_COMPLIANCE' then frequency.kept_week_count
            when obligation.metric = 'ASSESSMENT_ADMINISTERED' and line.end_closes_on < {{ as_of_date() }} and test.contract_id is not null
                then case when test.has_unknown_cause = 1 and test.is_missed_by_district = 0 then 0 else 1 - test.is_missed_by_district end
        end as own_numerator,
        case
            when obligation.metric in ('ROSTER_BY_DATE', 'DATA_FEED_BY_DATE') and obligation.due_on < {{ as_of_date() }} then 1
            when obligation.metric = 'SAME_TUTOR_SHARE' then session.tutor_known_sessions
            when obligation.metric = 'GROUP_SIZE_COMPLIANCE' then session.group_known_sessions
            when obligation.metric = 'DURATION_COMPLIANCE' then session.minutes_known_sessions
            when obligation.metric = 'DATA_TIMELINESS' then session.timeliness_known_sessions
            -- Each party answers for the sessions it lost itself, never for the other's.
            when obligation.metric = 'DELIVERY_RATE' and obligation.party = 'DISTRICT'
                then session.held_sessions + session.district_lost_sessions
            when obligation.metric = 'DELIVERY_RATE' then session.held_sessions + session.provider_lost_sessions
            when obligation.metric = 'FREQUENCY_COMPLIANCE' then frequency.week_count
            when obligation.metric = 'ASSESSMENT_ADMINISTERED' and line.end_closes_on < {{ as_of_date() }} and test.contract_id is not null
                then case when test.has_unknown_cause = 1 and test.is_missed_by_district = 0 then 0 else 1 end
        end as own_denominator
    from {{ ref('int_payment__assignment') }} as assignment
    inner join {{ ref('int_payment__line') }} as line
        on
            assignment.contract_id = line.contract_id
            and assignment.line_id = line.line_id
    inner join {{ source('documents', 'obligation') }} as obligation
        on
            assignment.contract_id = obligation.contract_id
            and assignment.contract_version = obligation.version
    left join first_delivery
        on obligation.evidence_source = first_delivery.source
    left join {{ ref('int_payment__session_count') }} as session
        on
            assignment.contract_id = session.contract_id
            and assignment.line_id = session.line_id
            and assignment.student_ref = session.student_ref
    left join {{ ref('int_payment__frequency') }} as frequency
        on
            assignment.contract_id = frequency.contract_id
            and assignment.line_id = frequency.line_id
            and assignment.student_ref = frequency.student_ref
    left join test_of_student as test
        on
            assignment.contract_id = test.contract_id
            and assignment.line_id = test.line_id
            and assignment.student_ref = test.student_ref
    where assignment.is_on_roster
),

summed as (
    select
        *,
        cast(
            sum(coalesce(own_numerator, 0)) over (
                partition by
                    contract_id, line_id, obligation_id,
                    case when scope = 'SCHOOL' then coalesce(school_id, '~none~') end,
                    case when coalesce(scope, 'STUDENT') = 'STUDENT' then student_ref end
            ) as bigint
        ) as whole_numerator,
        cast(
            sum(coalesce(own_denominator, 0)) over (
                partition by
                    contract_id, line_id, obligation_id,
                    case when scope = 'SCHOOL' then coalesce(school_id, '~none~') end,
                    case when coalesce(scope, 'STUDENT') = 'STUDENT' then student_ref end
            ) as bigint
        ) as whole_denominator,
        -- A breach begins when what is measured has ended: tests at their window's close, deliveries on their day, sessions with the
        -- assignment or the period.
        case
            when metric = 'ASSESSMENT_ADMINISTERED' then end_closes_on
            when metric in ('ROSTER_BY_DATE', 'DATA_FEED_BY_DATE') then due_on
            when coalesce(scope, 'STUDENT') = 'STUDENT' and end_on is not null then least({{ add_days('end_on', -1) }}, dosage_ends_on)
            else dosage_ends_on
        end as whole_measured_through_on
    from counted
),

scoped as (
    select
        summed.*,
        case when summed.measurement_window = 'CONTRACT_TO_DATE' then summed.whole_numerator else coalesce(deciding.numerator, 0) end
            as numerator,
        case when summed.measurement_window = 'CONTRACT_TO_DATE' then summed.whole_denominator else coalesce(deciding.denominator, 0) end
            as denominator,
        deciding.window_starts_on,
        deciding.window_ends_on,
        deciding.window_count,
        deciding.missed_window_count
    from summed
    left join {{ ref('int_payment__obligation_window') }} as deciding
        on
            summed.contract_id = deciding.contract_id
            and summed.line_id = deciding.line_id
            and summed.obligation_id = deciding.obligation_id
            and case coalesce(summed.scope, 'STUDENT')
                when 'CONTRACT' then ''
                when 'SCHOOL' then coalesce(summed.school_id, '~none~')
                else summed.student_ref
            end = deciding.entity_ref
),

-- A person may rule on a duty that no feed can prove. The more the ruling names, the more it weighs.
ruled as (
    select
        scoped.contract_id,
        scoped.line_id,
        scoped.student_ref,
        scoped.obligation_id,
        ruling.value,
        row_number() over (
            partition by scoped.contract_id, scoped.line_id, scoped.student_ref, scoped.obligation_id
            order by case when ruling.student_key is not null then 0 else 1 end, ruling.ruled_on desc, ruling.ruling_id desc
        ) as weight
    from scoped
    inner join {{ ref('int_payment__ruling') }} as ruling
        on
            ruling.subject = 'OBLIGATION_EVIDENCE'
            and ruling.value in ('MET', 'BREACHED')
            and scoped.contract_id = ruling.contract_id
            and scoped.obligation_id = ruling.key
            and (ruling.student_key is null or scoped.student_key = ruling.student_key)
),

judged as (
    select
        scoped.*,
        ruled.value as ruled_value,
        -- A ruling speaks of the whole, not of one week.
        case
            when ruled.value is null then coalesce(scoped.window_ends_on, scoped.whole_measured_through_on)
            else scoped.whole_measured_through_on
        end as measured_through_on,
        case
            when ruled.value is not null then ruled.value = 'MET'
            else
                {{ meets_rate(
                    'scoped.numerator', 'scoped.denominator', 'scoped.comparator', 'scoped.value_numerator', 'scoped.value_denominator'
                ) }}
        end as is_met
    from scoped
    left join ruled
        on
            scoped.contract_id = ruled.contract_id
            and scoped.line_id = ruled.line_id
            and scoped.student_ref = ruled.student_ref
            and scoped.obligation_id = ruled.obligation_id
            and ruled.weight = 1
),

timed as (
    select
        *,
        {{ add_days('measured_through_on', 'cure_days') }} as cure_ends_on
    from judged
)

select
    contract_id,
    contract_version,
    line_id,
    student_ref,
    school_id,
    obligation_id,
    party,
    coalesce(scope, 'STUDENT') as scope,
    metric,
    comparator,
    value_numerator,
    value_denominator,
    consequence,
    measurement_window,
    cure_days,
    numerator,
    denominator,
    is_met,
    window_starts_on,
    measured_through_on,
    cure_ends_on,
    window_count,
    missed_window_count,
    ruled_value is not null as is_ruled,
    case
        when is_met is null then 'UNKNOWN'
        when is_met then 'MET'
        when measured_through_on >= {{ as_of_date() }} then 'BEHIND'
        when cure_ends_on >= {{ as_of_date() }} then 'IN_CURE'
        else 'BREACHED'
    end as obligation_status
from timed
