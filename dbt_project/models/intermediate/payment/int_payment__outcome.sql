-- One row per contract, rate-card line and rostered student: the valid pair of tests, the metric, and what the rate card says it is worth.
with pair as (
    select
        assignment.contract_id,
        assignment.contract_version,
        assignment.line_id,
        assignment.student_ref,
        assignment.vendor_share,
        line.metric,
        line.source_column,
        line.comparator,
        line.tier_mode,
        line.outcome_class,
        line.points_max,
        coalesce(line.price_unit, 'PER_STUDENT_OUTCOME') as price_unit,
        -- What is owed for a cohort has no price per student.
        case when line.price_unit = 'COHORT_THRESHOLD' then 0 else line.maximum_price_amount end as maximum_price_amount,
        coalesce(uplift.uplift_multiplier, 1) as uplift_multiplier,
        rate.numerator as rate_numerator,
        rate.denominator as rate_denominator,
        line.data_due_on < {{ as_of_date() }} as is_due,
        line.district_default_share,
        line.baseline_window is not null as is_baseline_needed,
        end_test.test_status as end_status,
        end_test.test_reason as end_reason,
        end_test.assessment_result_key as end_assessment_result_key,
        end_test.tested_on as end_tested_on,
        end_test.score as end_score,
        baseline.test_status as baseline_status,
        baseline.test_reason as baseline_reason,
        baseline.assessment_result_key as baseline_assessment_result_key,
        baseline.tested_on as baseline_tested_on,
        baseline.score as baseline_score,
        -- One pair, one norms year: growth between two is growth between two rulers.
        coalesce(end_test.norms_reference <> baseline.norms_reference, false) as is_norms_mixed
    from {{ ref('int_payment__assignment') }} as assignment
    inner join {{ ref('int_payment__line') }} as line
        on
            assignment.contract_id = line.contract_id
            and assignment.line_id = line.line_id
    left join {{ ref('int_assessment__counted') }} as end_test
        on
            assignment.contract_id = end_test.contract_id
            and assignment.line_id = end_test.line_id
            and assignment.student_ref = end_test.student_ref
            and end_test.test_role = 'END'
    left join {{ ref('int_assessment__counted') }} as baseline
        on
            assignment.contract_id = baseline.contract_id
            and assignment.line_id = baseline.line_id
            and assignment.student_ref = baseline.student_ref
            and baseline.test_role = 'BASELINE'
    left join {{ ref('int_payment__uplift') }} as uplift
        on
            assignment.contract_id = uplift.contract_id
            and assignment.line_id = uplift.line_id
            and assignment.student_ref = uplift.student_ref
    left join {{ ref('int_payment__attendance_rate') }} as rate
        on
            assignment.contract_id = rate.contract_id
            and assignment.line_id = rate.line_id
            and assignment.student_ref = rate.student_ref
    where assignment.is_on_roster
),

-- Paid on the column the contract names, never on another of the same kind. Column names are compared without case and underscores.
-- An inner join first: an outer join with this OR would compare every student with every metric of the district.
named_metric as (
    select
        pair.contract_id,
        pair.line_id,
        pair.student_ref,
        metric.value
    from pair
    inner join {{ ref('input__assessment_metric') }} as metric
        on
            pair.end_assessment_result_key = metric.assessment_result_key
            and pair.metric = metric.metric
    where
        pair.source_column is null
        or lower(replace(pair.source_column, '_', '')) = lower(replace(metric.source_column, '_', ''))
),

valued as (
    select
        pair.*,
        -- Above and below the line, so that a rate is compared in whole numbers; a test's metric stands over 1.
        case
            when pair.outcome_class = 'ATTENDANCE' then cast(pair.rate_numerator as decimal(18, 6))
            when pair.metric = 'ASSESSMENT_COMPLETED' then cast(1 as decimal(18, 6))
            else metric.value
        end as metric_numerator,
        case when pair.outcome_class = 'ATTENDANCE' then cast(pair.rate_denominator as decimal(18, 0)) else 1 end as metric_denominator,
        -- A rate is shown to six decimals and never compared by them.
        case
            when pair.outcome_class = 'ATTENDANCE' then {{ shown_rate('pair.rate_numerator', 'pair.rate_denominator') }}
            when pair.metric = 'ASSESSMENT_COMPLETED' then 1
            else metric.value
        end as metric_value,
        case
            -- A rate is final on the due date; until then entries may still come.
            when pair.outcome_class = 'ATTENDANCE' and pair.is_due and pair.rate_denominator > 0 then 'MEASURED'
            when pair.outcome_class = 'ATTENDANCE' then 'MISSING'
            when pair.end_status = 'AMBIGUOUS' or (pair.is_baseline_needed and pair.baseline_status = 'AMBIGUOUS') then 'AMBIGUOUS'
            when pair.end_status = 'INVALID' or (pair.is_baseline_needed and pair.baseline_status = 'INVALID') then 'INVALID'
            when coalesce(pair.end_status, 'MISSING') = 'MISSING' then 'MISSING'
            when pair.is_baseline_needed and coalesce(pair.baseline_status, 'MISSING') = 'MISSING' then 'MISSING'
            when pair.is_baseline_needed and pair.is_norms_mixed then 'INVALID'
            when coalesce(pair.metric, '') <> 'ASSESSMENT_COMPLETED' and metric.value is null then 'MISSING'
            else 'MEASURED'
        end as measure_status,
        case
            when pair.outcome_class = 'ATTENDANCE' and not pair.is_due then 'RATE_STILL_OPEN'
            when pair.outcome_class = 'ATTENDANCE' and coalesce(pair.rate_denominator, 0) = 0 then 'NO_ATTENDANCE_DATA'
            when pair.outcome_class = 'ATTENDANCE' then 'MEASURED'
            when coalesce(pair.end_status, 'MISSING') <> 'COUNTED' then 'END_' || coalesce(pair.end_reason, 'NO_TEST')
            when pair.is_baseline_needed and coalesce(pair.baseline_status, 'MISSING') <> 'COUNTED'
                then 'BASELINE_' || coalesce(pair.baseline_reason, 'NO_TEST')
            when pair.is_baseline_needed and pair.is_norms_mixed then 'NORMS_MIXED'
            when coalesce(pair.metric, '') <> 'ASSESSMENT_COMPLETED' and metric.value is null then 'METRIC_BLANK'
            else 'MEASURED'
        end as measure_reason
    from pair
    left join named_metric as metric
        on
            pair.contract_id = metric.contract_id
            and pair.line_id = metric.line_id
            and pair.student_ref = metric.student_ref
),

-- The tiers of a cohort line are shares of its students; here each student is only held against what makes one count.
tier as (
    select
        tier.contract_id,
        tier.version as contract_version,
        tier.line_id,
        cast(tier.tier_number as integer) as tier_number,
        tier.kind,
        tier.threshold,
        tier.price_amount
    from {{ source('documents', 'rate_card_tier') }} as tier
    inner join {{ ref('int_payment__line') }} as line
        on
            tier.contract_id = line.contract_id
            and tier.version = line.contract_version
            and tier.line_id = line.line_id
    where coalesce(line.price_unit, 'PER_STUDENT_OUTCOME') <> 'COHORT_THRESHOLD'
    union all
    select
        contract_id,
        contract_version,
        line_id,
        1 as tier_number,
        'TIER' as kind,
        student_threshold as threshold,
        cast(0 as decimal(18, 2)) as price_amount
    from {{ ref('int_payment__line') }}
    where price_unit = 'COHORT_THRESHOLD'
),

tier_compared as (
    select
        valued.contract_id,
        valued.line_id,
        valued.student_ref,
        tier.kind,
        tier.tier_number,
        tier.threshold,
        tier.price_amount,
        case
            when tier.kind = 'PENALTY' then valued.metric_numerator < tier.threshold * valued.metric_denominator
            when valued.comparator = '>' then valued.metric_numerator > tier.threshold * valued.metric_denominator
            else valued.metric_numerator >= tier.threshold * valued.metric_denominator
        end as is_reached
    from valued
    inner join tier
        on
            valued.contract_id = tier.contract_id
            and valued.contract_version = tier.contract_version
            and valued.line_id = tier.line_id
    where valued.measure_status = 'MEASURED'
),

tier_reached as (
    select
        contract_id,
        line_id,
        student_ref,
        max(case when kind = 'TIER' and is_reached then 1 else 0 end) = 1 as is_tier_reached,
        max(case when kind = 'TIER' and is_reached then threshold end) as reached_threshold,
        min(case when kind = 'TIER' then threshold end) as lowest_threshold,
        sum(case when kind = 'TIER' and is_reached then price_amount end) as cumulative_price_amount,
        max(case when kind = 'PENALTY' and is_reached then 1 else 0 end) = 1 as is_penalty_reached,
        min(case when kind = 'PENALTY' and is_reached then price_amount end) as penalty_price_amount,
        min(case when kind = 'PENALTY' and is_reached then threshold end) as penalty_threshold
    from tier_compared
    group by contract_id, line_id, student_ref
)

select
    valued.contract_id,
    valued.contract_version,
    valued.line_id,
    valued.student_ref,
    valued.measure_status,
    valued.measure_reason,
    valued.is_baseline_needed,
    valued.baseline_status,
    valued.baseline_assessment_result_key,
    valued.baseline_tested_on,
    valued.baseline_score,
    valued.end_status,
    valued.end_assessment_result_key,
    valued.end_tested_on,
    valued.end_score,
    -- A value read from a test that does not count is no result.
    cast(case when valued.measure_status = 'MEASURED' then valued.metric_value end as decimal(18, 6)) as metric_value,
    cast(
        case
            when tier_reached.is_tier_reached then tier_reached.reached_threshold
            when tier_reached.is_penalty_reached then tier_reached.penalty_threshold
            else tier_reached.lowest_threshold
        end as decimal(18, 6)
    ) as threshold_value,
    case when tier_reached.is_tier_reached then best_tier.tier_number end as tier,
    -- NULL where not measured: unknown is not "not met".
    tier_reached.is_tier_reached as is_outcome_met,
    coalesce(tier_reached.is_penalty_reached and not tier_reached.is_tier_reached, false) as is_penalty,
    {{ priced_amount(
        "case when valued.tier_mode = 'CUMULATIVE' then coalesce(tier_reached.cumulative_price_amount, 0) else coalesce(best_tier.price_amount, 0) end",
        'valued.uplift_multiplier',
        'valued.vendor_share',
        "case when valued.price_unit = 'PER_POINT_ABOVE_TARGET'"
        ~ " then coalesce(least(valued.metric_value - tier_reached.reached_threshold, valued.points_max), 0) else 1 end"
    ) }} as outcome_amount,
    -- What raises the price for serving a student does not raise the penalty: it would then be dearer to serve that student.
    {{ priced_amount('coalesce(tier_reached.penalty_price_amount, 0)', '1', 'valued.vendor_share') }} as penalty_amount,
    {{ priced_amount('valued.maximum_price_amount', 'valued.uplift_multiplier', 'valued.vendor_share') }} as maximum_amount,
    -- The district's default pays its share of the top price; everything is multiplied before the one rounding.
    {{ default_amount('valued.maximum_price_amount', 'valued.uplift_multiplier', 'valued.vendor_share', 'valued.district_default_share') }}
        as default_amount,
    {{ default_amount(
        'valued.maximum_price_amount', 'valued.uplift_multiplier', 'valued.vendor_share', 'valued.district_default_share', '0.5'
    ) }} as split_default_amount,
    cast(valued.uplift_multiplier as decimal(6, 4)) as uplift_multiplier,
    cast(valued.metric_numerator as decimal(18, 6)) as metric_numerator,
    cast(valued.metric_denominator as decimal(18, 0)) as metric_denominator
from valued
left join tier_reached
    on
        valued.contract_id = tier_reached.contract_id
        and valued.line_id = tier_reached.line_id
        and valued.student_ref = tier_reached.student_ref
left join tier as best_tier
    on
        valued.contract_id = best_tier.contract_id
        and valued.contract_version = best_tier.contract_version
        and valued.line_id = best_tier.line_id
        and best_tier.kind = 'TIER'
        and tier_reached.is_tier_reached
        and tier_reached.reached_threshold = best_tier.threshold
