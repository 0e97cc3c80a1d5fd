-- One row per contract and line priced COHORT_THRESHOLD: the share of its students who met the outcome, compared in whole numbers with the
-- line's tiers (domain §4.3: paid once per contract and period, without a student).
-- In scope: everyone on the roster for the line who was not excluded. Met: all three factors hold; a student whom the district failed
-- counts as met, since the provider must not lose by it. Missing tests leave the denominator only under EXCLUDE_FROM_DENOM.
with student as (
    select
        decision.contract_id,
        decision.line_id,
        decision.student_ref,
        decision.decision,
        coalesce(decision.is_attendance_met and decision.is_outcome_met and not decision.is_provider_fail, false) as is_met_itself
    from {{ ref('int_payment__decision') }} as decision
    where
        decision.price_unit = 'COHORT_THRESHOLD'
        and decision.decision <> 'OUT_OF_SCOPE'
        and left(decision.decision, 9) <> 'EXCLUDED_'
),

counted as (
    select
        contract_id,
        line_id,
        count(*) as student_count,
        count(*) filter (where decision in ('EARNED', 'DISTRICT_DEFAULT')) as met_count,
        count(*) filter (where is_met_itself) as met_itself_count,
        count(*) filter (where decision = 'DISTRICT_DEFAULT') as default_count,
        count(*) filter (where decision = 'NOT_EARNED_PROVIDER') as provider_failed_count,
        count(*) filter (where decision in ('NOT_MEASURED_MISSING', 'NOT_MEASURED_INVALID')) as not_measured_count,
        count(*) filter (where decision = 'HELD_DISPUTE') as disputed_count,
        count(*) filter (where decision = 'HELD_BOTH_DEFAULT') as both_default_count,
        count(*) filter (where decision = 'PENDING_DATA') as pending_count
    from student
    group by contract_id, line_id
),

shared as (
    select
        line.contract_id,
        line.contract_version,
        line.line_id,
        line.period,
        line.provider_id,
        line.outcome_class,
        line.price_unit,
        line.metric,
        line.comparator,
        line.tier_mode,
        line.end_window,
        line.end_closes_on,
        line.data_due_on,
        line.district_default_scope,
        line.district_default_share,
        line.maximum_price_amount,
        coalesce(counted.student_count, 0) as student_count,
        coalesce(counted.met_count, 0) as met_count,
        coalesce(counted.met_itself_count, 0) as met_itself_count,
        coalesce(counted.default_count, 0) as default_count,
        coalesce(counted.provider_failed_count, 0) as provider_failed_count,
        coalesce(counted.disputed_count, 0) as disputed_count,
        coalesce(counted.both_default_count, 0) as both_default_count,
        coalesce(counted.pending_count, 0) as pending_count,
        coalesce(counted.student_count, 0)
        - case when line.missing_test_rule = 'EXCLUDE_FROM_DENOM' then coalesce(counted.not_measured_count, 0) else 0 end as denominator
    from {{ ref('int_payment__line') }} as line
    left join counted
        on
            line.contract_id = counted.contract_id
            and line.line_id = counted.line_id
    where line.price_unit = 'COHORT_THRESHOLD'
),

-- With a default that reaches the whole contract the share of the top price is paid, so only what was met without it counts here.
numbered as (
    select
        *,
        district_default_scope = 'CONTRACT' and default_count > 0 as is_contract_default,
        case when district_default_scope = 'CONTRACT' and default_count > 0 then met_itself_count else met_count end as numerator
    from shared
),

tier_compared as (
    select
        numbered.contract_id,
        numbered.line_id,
        tier.kind,
        tier.tier_number,
        tier.threshold,
        tier.price_amount,
        case
            when numbered.denominator = 0 then false
            when tier.kind = 'PENALTY' then numbered.numerator < tier.threshold * numbered.denominator
            when numbered.comparator = '>' then numbered.numerator > tier.threshold * numbered.denominator
            else numbered.numerator >= tier.threshold * numbered.denominator
        end as is_reached
    from numbered
    inner join {{ source('documents', 'rate_card_tier') }} as tier
        on
            numbered.contract_id = tier.contract_id
            and numbered.contract_version = tier.version
            and numbered.line_id = tier.line_id
),

tier_reached as (
    select
        contract_id,
        line_id,
        cast(max(case when kind = 'TIER' and is_reached then tier_number end) as integer) as tier,
        max(case when kind = 'TIER' and is_reached then threshold end) as reached_threshold,
        min(case when kind = 'TIER' then threshold end) as lowest_threshold,
        sum(case when kind = 'TIER' and is_reached then price_amount end) as cumulative_price_amount,
        max_by(price_amount, case when kind = 'TIER' and is_reached then threshold end) as best_price_amount,
        min(case when kind = 'PENALTY' and is_reached then price_amount end) as penalty_price_amount,
        min(case when kind = 'PENALTY' and is_reached then threshold end) as penalty_threshold
    from tier_compared
    group by contract_id, line_id
),

worth as (
    select
        numbered.*,
        tier_reached.tier,
        case
            when tier_reached.tier is not null then tier_reached.reached_threshold
            when tier_reached.penalty_price_amount is not null then tier_reached.penalty_threshold
            else tier_reached.lowest_threshold
        end as threshold_value,
        cast(
            case
                when tier_reached.tier is null then 0
                when numbered.tier_mode = 'CUMULATIVE' then tier_reached.cumulative_price_amount
                else tier_reached.best_price_amount
            end as decimal(18, 2)
        ) as outcome_amount,
        cast(tier_reached.penalty_price_amount as decimal(18, 2)) as penalty_amount,
        {{ default_amount('numbered.maximum_price_amount', '1', '1', 'numbered.district_default_share') }} as default_amount
    from numbered
    left join tier_reached
        on
            numbered.contract_id = tier_reached.contract_id
            and numbered.line_id = tier_reached.line_id
),

decided as (
    select
        *,
        case
            when student_count = 0 then 'NO_STUDENT_IN_SCOPE'
            when disputed_count > 0 then 'COHORT_STUDENT_DISPUTED'
            when end_closes_on >= {{ as_of_date() }} then 'COHORT_WINDOW_OPEN'
            when pending_count > 0 then 'COHORT_STUDENT_OPEN'
            when both_default_count > 0 then 'COHORT_BOTH_DEFAULT'
            when provider_failed_count = student_count then 'COHORT_PROVIDER_FAILED'
            when is_contract_default and outcome_amount <= default_amount then 'COHORT_DISTRICT_DEFAULT'
            when denominator = 0 then 'COHORT_NOT_MEASURED'
            when tier is not null then 'COHORT_TIER_REACHED'
            when penalty_amount is not null then 'COHORT_BELOW_PENALTY_THRESHOLD'
            else 'COHORT_BELOW_THRESHOLD'
        end as reason_code
    from worth
)

select
    *,
    case reason_code
        when 'NO_STUDENT_IN_SCOPE' then 'OUT_OF_SCOPE'
        when 'COHORT_STUDENT_DISPUTED' then 'HELD_DISPUTE'
        when 'COHORT_WINDOW_OPEN' then 'PENDING_WINDOW'
        when 'COHORT_STUDENT_OPEN' then 'PENDING_DATA'
        when 'COHORT_BOTH_DEFAULT' then 'HELD_BOTH_DEFAULT'
        when 'COHORT_PROVIDER_FAILED' then 'NOT_EARNED_PROVIDER'
        when 'COHORT_DISTRICT_DEFAULT' then 'DISTRICT_DEFAULT'
        when 'COHORT_NOT_MEASURED' then 'NOT_MEASURED_MISSING'
        when 'COHORT_TIER_REACHED' then 'EARNED'
        when 'COHORT_BELOW_PENALTY_THRESHOLD' then 'PENALTY'
        when 'COHORT_BELOW_THRESHOLD' then 'NOT_EARNED_OUTCOME'
    end as decision,
    cast(
        case reason_code
            when 'COHORT_TIER_REACHED' then outcome_amount
            when 'COHORT_DISTRICT_DEFAULT' then default_amount
            when 'COHORT_BELOW_PENALTY_THRESHOLD' then penalty_amount
            else 0
        end as decimal(18, 2)
    ) as earned_amount,
    {{ shown_rate('numerator', 'denominator') }} as met_share
from decided
