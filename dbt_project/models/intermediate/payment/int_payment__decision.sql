-- The payment decision (domain §4.2): the tests in their order, the first that matches wins. Reading this CASE from the top is reading
-- the rule.
with evidence as (
    select * from {{ ref('int_payment__evidence') }}
),

-- What steps 11 to 13 alone would pay.
own_result as (
    select
        *,
        case
            when measure_status = 'MEASURED' and is_attendance_met and is_outcome_met then outcome_amount
            else cast(0 as decimal(18, 2))
        end as own_amount
    from evidence
),

decided as (
    select
        *,
        case
            -- 1. on the frozen roster, for some day of the line's period
            when not is_on_roster then 'NOT_ON_ROSTER'
            when assignment_days = 0 then 'NOT_ASSIGNED_IN_PERIOD'
            -- 2. left for a reason the contract excludes
            when is_excluded then 'LEFT_ROSTER'
            when student_key is null then 'UNKNOWN_STUDENT'
            -- 3. open dispute
            when is_disputed then 'OPEN_DISPUTE'
            when is_overlapping then 'OVERLAP_WITHOUT_SHARES'
            when measure_status = 'AMBIGUOUS' then 'TWO_GROWTH_EVENTS'
            -- 4. end window still open
            when end_closes_on >= {{ as_of_date() }} then 'WINDOW_OPEN'
            -- 5. the attendance gate cannot be judged yet
            when dosage_status = 'NO_SESSION_DATA' then 'NO_SESSION_DATA'
            when unknown_cause_sessions > 0 and data_due_on >= {{ as_of_date() }} then 'UNKNOWN_ABSENCE_CAUSE'
            -- 6. results still on their way
            when measure_status <> 'MEASURED' and data_due_on >= {{ as_of_date() }} then 'AWAITING_RESULTS'
            -- 7. whose failure: a provider may still cure
            when is_provider_in_cure and not is_provider_fail then 'PROVIDER_IN_CURE'
            -- 8. both failed
            when is_provider_fail and is_district_fail and both_default_rule = 'PROVIDER_LOSES' then 'BOTH_DEFAULT_PROVIDER_LOSES'
            when is_provider_fail and is_district_fail and both_default_rule = 'SPLIT' then 'BOTH_DEFAULT_SPLIT'
            when is_provider_fail and is_district_fail then 'BOTH_DEFAULT'
            -- 9. the provider failed: nothing, even if the outcome was met
            when is_provider_fail and is_test_missed_by_provider then 'TEST_MISSED_BY_PROVIDER'
            when is_provider_fail then 'PROVIDER_OBLIGATION_BREACHED'
            -- 10. the district failed: the larger of its default and what was earned
            when is_district_fail and own_amount > default_amount then 'EARNED_ABOVE_DEFAULT'
            when is_district_fail then 'DISTRICT_OBLIGATION_BREACHED'
            -- 11. dose below the minimum; a gate that cannot be judged pays nothing and says so
            when is_attendance_met is null then 'DOSAGE_UNKNOWN'
            when not is_attendance_met then 'DOSAGE_BELOW_MINIMUM'
            -- 12. still not measured
            when measure_status = 'INVALID' then 'TEST_INVALID'
            when coalesce(measure_status, 'MISSING') <> 'MEASURED' then 'TEST_MISSING'
            -- 13. the rate card
            when is_outcome_met then 'TIER_REACHED'
            when is_penalty then 'BELOW_PENALTY_THRESHOLD'
            else 'BELOW_THRESHOLD'
        end as own_reason_code
    from own_result
),

named as (
    select
        *,
        case own_reason_code
            when 'NOT_ON_ROSTER' then 'OUT_OF_SCOPE'
            when 'NOT_ASSIGNED_IN_PERIOD' then 'OUT_OF_SCOPE'
            when 'LEFT_ROSTER' then 'EXCLUDED_' || upper(end_reason)
            when 'UNKNOWN_STUDENT' then 'PENDING_DATA'
            when 'OPEN_DISPUTE' then 'HELD_DISPUTE'
            when 'OVERLAP_WITHOUT_SHARES' then 'HELD_DISPUTE'
            when 'TWO_GROWTH_EVENTS' then 'HELD_DISPUTE'
            when 'WINDOW_OPEN' then 'PENDING_WINDOW'
            when 'NO_SESSION_DATA' then 'PENDING_DATA'
            when 'UNKNOWN_ABSENCE_CAUSE' then 'PENDING_DATA'
            when 'AWAITING_RESULTS' then 'PENDING_DATA'
            when 'PROVIDER_IN_CURE' then 'PENDING_DATA'
            when 'BOTH_DEFAULT' then 'HELD_BOTH_DEFAULT'
            when 'BOTH_DEFAULT_PROVIDER_LOSES' then 'NOT_EARNED_PROVIDER'
            when 'BOTH_DEFAULT_SPLIT' then 'DISTRICT_DEFAULT'
            when 'TEST_MISSED_BY_PROVIDER' then 'NOT_EARNED_PROVIDER'
            when 'PROVIDER_OBLIGATION_BREACHED' then 'NOT_EARNED_PROVIDER'
            when 'EARNED_ABOVE_DEFAULT' then 'EARNED'
            when 'DISTRICT_OBLIGATION_BREACHED' then 'DISTRICT_DEFAULT'
            when 'DOSAGE_UNKNOWN' then 'PENDING_DATA'
            when 'DOSAGE_BELOW_MINIMUM' then 'INELIGIBLE_DOSAGE'
            when 'TEST_INVALID' then 'NOT_MEASURED_INVALID'
            when 'TEST_MISSING' then 'NOT_MEASURED_MISSING'
            when 'TIER_REACHED' then 'EARNED'
            when 'BELOW_PENALTY_THRESHOLD' then 'PENALTY'
            when 'BELOW_THRESHOLD' then 'NOT_EARNED_OUTCOME'
        end as own_decision
    from decided
),

referred_0 as (
    select
        contract_id,
        line_id,
        student_ref,
        own_decision as decision,
        own_reason_code as reason_code
    from named
),

-- requires_line and excludes_line look at what the other line decided for the same student, before any cap: it pays when it is EARNED or
-- DISTRICT_DEFAULT. Validation refuses circles and chains of more than three, so three rounds settle every chain.
{% for round_number in [1, 2, 3] %}
referred_{{ round_number }} as (
    select
        named.contract_id,
        named.line_id,
        named.student_ref,
        case
            when named.own_decision not in ('EARNED', 'DISTRICT_DEFAULT') then named.own_decision
            when
                named.requires_line is not null
                and coalesce(left(required.decision, 5), 'NONE') not in ('EARNE', 'DISTR', 'HELD_', 'PENDI')
                then 'NOT_EARNED_OUTCOME'
            when excluded.decision in ('EARNED', 'DISTRICT_DEFAULT') then 'NOT_EARNED_OUTCOME'
            when left(required.decision, 5) in ('HELD_', 'PENDI') or left(excluded.decision, 5) in ('HELD_', 'PENDI') then 'PENDING_DATA'
            else named.own_decision
        end as decision,
        case
            when named.own_decision not in ('EARNED', 'DISTRICT_DEFAULT') then named.own_reason_code
            when
                named.requires_line is not null
                and coalesce(left(required.decision, 5), 'NONE') not in ('EARNE', 'DISTR', 'HELD_', 'PENDI')
                then 'REQUIRED_LINE_DOES_NOT_PAY'
            when excluded.decision in ('EARNED', 'DISTRICT_DEFAULT') then 'EXCLUDED_BY_OTHER_LINE'
            when left(required.decision, 5) in ('HELD_', 'PENDI') or left(excluded.decision, 5) in ('HELD_', 'PENDI') then 'OTHER_LINE_OPEN'
            else named.own_reason_code
        end as reason_code
    from named
    left join referred_{{ round_number - 1 }} as required
        on
            named.contract_id = required.contract_id
            and named.requires_line = required.line_id
            and named.student_ref = required.student_ref
    left join referred_{{ round_number - 1 }} as excluded
        on
            named.contract_id = excluded.contract_id
            and named.excludes_line = excluded.line_id
            and named.student_ref = excluded.student_ref
){% if not loop.last %},{% endif %}

{% endfor %}
select
    named.*,
    referred_3.decision,
    referred_3.reason_code,
    cast(
        case referred_3.reason_code
            when 'TIER_REACHED' then named.outcome_amount
            when 'EARNED_ABOVE_DEFAULT' then named.outcome_amount
            when 'DISTRICT_OBLIGATION_BREACHED' then named.default_amount
            when 'BOTH_DEFAULT_SPLIT' then named.split_default_amount
            when 'BELOW_PENALTY_THRESHOLD' then named.penalty_amount
            else 0
        end as decimal(18, 2)
    ) as earned_amount
from named
inner join referred_3
    on
        named.contract_id = referred_3.contract_id
        and named.line_id = referred_3.line_id
        and named.student_ref = referred_3.student_ref
