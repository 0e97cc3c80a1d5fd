-- Tutored students beside untutored students of the same year, district, grade, starting fifth, school attendance, language and IEP status.
-- Two readings of each line: the share that met the outcome, and the mean of the growth index (or end score), in points and in standard
-- deviations. Within each cell the mean is adjusted for what difference in baseline remains. No effect is shown where the groups were more
-- than the limit apart at baseline.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

settings as (
    select
        least_group_n,
        normal_group_n,
        balance_limit_sd,
        balance_fine_sd
    from {{ source('documents', 'improvement_setting') }}
),

lines as (
    select * from {{ ref('int_improvement__outcome_line') }}
    where pair_key is not null
),

students as (
    select * from {{ ref('int_improvement__matched_student') }}
),

-- One side of one cell. Sums of squares within it are what is left of chance once the cell is fixed.
sides as (
    select
        contract_id,
        line_id,
        cell_key,
        is_tutored,
        count(*) as n_students,
        sum(weight) as weight,
        avg(outcome) as mean_outcome,
        avg(cast(is_met as double)) as mean_met,
        sum(is_met) as n_met,
        avg(baseline_score) as mean_baseline,
        coalesce(regr_sxx(outcome, baseline_score), 0) as sum_xx,
        coalesce(regr_sxy(outcome, baseline_score), 0) as sum_xy,
        coalesce(regr_syy(outcome, baseline_score), 0) as sum_yy,
        coalesce(regr_sxy(is_met, baseline_score), 0) as sum_xm
    from students
    where cell_is_matched
    group by contract_id, line_id, cell_key, is_tutored
),

-- Weighted means of both groups, and the common slope of the outcome on the baseline within cells.
summed as (
    select
        contract_id,
        line_id,
        count(*) as n_sides,
        sum(n_students) as n_all,
        sum(case when is_tutored then n_students else 0 end) as n_tutored,
        sum(case when not is_tutored then n_students else 0 end) as n_comparison,
        sum(case when is_tutored then n_met else 0 end) as met_tutored,
        sum(case when is_tutored then n_students * mean_outcome end) as sum_tutored,
        sum(case when not is_tutored then weight * mean_outcome end) as sum_comparison,
        sum(case when not is_tutored then weight * mean_met end) as sum_met_comparison,
        sum(case when is_tutored then n_students * mean_baseline end) as sum_baseline_tutored,
        sum(case when not is_tutored then weight * mean_baseline end) as sum_baseline_comparison,
        sum(case when not is_tutored then weight * weight / n_students end) as sum_squares,
        sum(sum_xx) as sum_xx,
        sum(sum_xy) as sum_xy,
        sum(sum_yy) as sum_yy,
        sum(sum_xm) as sum_xm
    from sides
    group by contract_id, line_id
),

slopes as (
    select
        summed.*,
        sum_tutored / n_tutored as mean_tutored,
        (sum_baseline_tutored - sum_baseline_comparison) / n_tutored as baseline_difference,
        case when sum_xx > 0 then sum_xy / sum_xx else 0 end as slope,
        case when sum_xx > 0 then sum_xm / sum_xx else 0 end as slope_met,
        n_all - n_sides - case when sum_xx > 0 then 1 else 0 end as degrees,
        {{ effective_students('sum_squares', 'n_tutored') }} as effective_n
    from summed
),

adjusted as (
    select
        slopes.*,
        sum_comparison / n_tutored + slope * baseline_difference as mean_comparison,
        -- A share stays a share, however it is adjusted.
        least(greatest(sum_met_comparison / n_tutored + slope_met * baseline_difference, 0.0e0), 1.0e0) as rate_comparison,
        greatest(sum_yy - slope * sum_xy, 0) / nullif(degrees, 0) as variance_within,
        case when sum_xx > 0 then baseline_difference * baseline_difference / sum_xx else 0 end as slope_share
    from slopes
),

-- The spread an effect is stated in: of the outcome itself, within group and grade.
grade_spreads as (
    select
        contract_id,
        line_id,
        grade_level,
        is_tutored,
        count(*) as n_students,
        var_samp(outcome) as variance
    from students
    where cell_is_matched
    group by contract_id, line_id, grade_level, is_tutored
),

spreads as (
    select
        contract_id,
        line_id,
        sqrt(sum((n_students - 1) * coalesce(variance, 0)) / nullif(sum(n_students - 1), 0)) as sd_pooled
    from grade_spreads
    group by contract_id, line_id
),

estimated as (
    select
        adjusted.*,
        spreads.sd_pooled,
        adjusted.mean_tutored - adjusted.mean_comparison as effect,
        {{ t_quantile('adjusted.degrees') }} * sqrt(
            adjusted.variance_within
            * (1.0e0 / adjusted.n_tutored + 1.0e0 / nullif(adjusted.effective_n, 0) + adjusted.slope_share)
        ) as effect_reach,
        {{ hedges_correction('adjusted.n_all') }} / nullif(spreads.sd_pooled, 0) as points_to_sd,
        {{ newcombe_bound(
            'adjusted.met_tutored', 'adjusted.n_tutored', '(adjusted.rate_comparison * adjusted.effective_n)', 'adjusted.effective_n', '-'
        ) }} as effect_rate_low,
        {{ newcombe_bound(
            'adjusted.met_tutored', 'adjusted.n_tutored', '(adjusted.rate_comparison * adjusted.effective_n)', 'adjusted.effective_n', '+'
        ) }} as effect_rate_high
    from adjusted
    left join spreads
        on
            adjusted.contract_id = spreads.contract_id
            and adjusted.line_id = spreads.line_id
),

balances as (
    select
        contract_id,
        line_id,
        max(abs(difference_sd)) as largest_difference_sd,
        max_by(trait, abs(difference_sd)) as largest_difference_trait
    from {{ ref('rpt_matched_balance') }}
    where difference_sd is not null
    group by contract_id, line_id
),

tutored as (
    select
        contract_id,
        line_id,
        max(district_id) as district_id,
        count(*) as n_tutored_measured
    from students
    where is_tutored
    group by contract_id, line_id
),

judged as (
    select
        lines.*,
        tutored.district_id,
        balances.largest_difference_sd,
        balances.largest_difference_trait,
        settings.least_group_n,
        settings.balance_limit_sd,
        settings.balance_fine_sd,
        coalesce(tutored.n_tutored_measured, 0) as n_tutored_measured,
        coalesce(summed.n_tutored, 0) as n_tutored,
        coalesce(summed.n_comparison, 0) as n_comparison,
        coalesce(balances.largest_difference_sd > settings.balance_limit_sd, false) as is_too_far_apart,
        {{ group_status(
            'least(summed.n_tutored, summed.n_comparison)', 'settings.least_group_n', 'settings.normal_group_n'
        ) }} as group_status
    from lines
    cross join settings
    left join tutored
        on
            lines.contract_id = tutored.contract_id
            and lines.line_id = tutored.line_id
    left join summed
        on
            lines.contract_id = summed.contract_id
            and lines.line_id = summed.line_id
    left join balances
        on
            lines.contract_id = balances.contract_id
            and lines.line_id = balances.line_id
),

shown as (
    select estimated.*
    from estimated
    inner join judged
        on
            estimated.contract_id = judged.contract_id
            and estimated.line_id = judged.line_id
    where
        judged.group_status <> 'not_enough_data'
        and not judged.is_too_far_apart
        and estimated.effect_reach is not null
)

select
    {{ surrogate_key(['judged.contract_id', 'judged.line_id']) }} as matched_comparison_key,
    judged.contract_id,
    judged.line_id,
    judged.provider_id,
    judged.district_id,
    judged.subject,
    cast(judged.school_year_end as integer) as school_year_end,
    judged.outcome_name,
    judged.metric,
    judged.threshold,
    cast(judged.n_tutored_measured as integer) as n_tutored_measured,
    cast(judged.n_tutored as integer) as n_students,
    cast(judged.n_comparison as integer) as n_comparison,
    cast(estimated.effective_n as decimal(18, 6)) as comparison_effective_n,
    {{ safe_divide('judged.n_tutored', 'judged.n_tutored_measured') }} as matched_rate,
    cast(judged.largest_difference_sd as decimal(18, 6)) as largest_difference_sd,
    judged.largest_difference_trait,
    case
        when judged.largest_difference_sd is null then null
        when judged.is_too_far_apart then 'too_far_apart'
        when judged.largest_difference_sd <= judged.balance_fine_sd then 'fine'
        else 'adjusted_for'
    end as balance,
    cast(case when shown.contract_id is not null then shown.met_tutored end as integer) as numerator,
    cast(case when shown.contract_id is not null then shown.n_tutored end as integer) as denominator,
    cast(cast(shown.met_tutored as double) / shown.n_tutored as decimal(9, 6)) as rate,
    cast(shown.rate_comparison as decimal(9, 6)) as rate_comparison,
    cast(cast(shown.met_tutored as double) / shown.n_tutored - shown.rate_comparison as decimal(9, 6)) as effect_rate,
    cast(shown.effect_rate_low as decimal(9, 6)) as effect_rate_low,
    cast(shown.effect_rate_high as decimal(9, 6)) as effect_rate_high,
    case
        when left(judged.instrument, 8) = 'NWEA_MAP' and left(judged.baseline_window, 6) <> 'PRIOR_' then 'growth_index'
        else 'end_score'
    end as outcome_measure,
    cast(shown.mean_tutored as decimal(18, 6)) as mean_tutored,
    cast(shown.mean_comparison as decimal(18, 6)) as mean_comparison,
    cast(shown.effect as decimal(18, 6)) as effect,
    cast(shown.effect - shown.effect_reach as decimal(18, 6)) as effect_low,
    cast(shown.effect + shown.effect_reach as decimal(18, 6)) as effect_high,
    cast(shown.sd_pooled as decimal(18, 6)) as sd_pooled,
    cast(shown.effect * shown.points_to_sd as decimal(18, 6)) as effect_size,
    cast((shown.effect - shown.effect_reach) * shown.points_to_sd as decimal(18, 6)) as ci_low,
    cast((shown.effect + shown.effect_reach) * shown.points_to_sd as decimal(18, 6)) as ci_high,
    case
        when shown.effect - shown.effect_reach > 0 then 'more_than_comparison'
        when shown.effect + shown.effect_reach < 0 then 'less_than_comparison'
        when shown.contract_id is not null then 'no_measurable_difference'
    end as verdict,
    case when shown.contract_id is null then 'not_enough_data' else judged.group_status end as status,
    case
        when shown.contract_id is not null then null
        when judged.n_tutored_measured < judged.least_group_n
            then
                cast(judged.n_tutored_measured as varchar) || ' tutored students have both tests; '
                || cast(judged.least_group_n as varchar) || ' are needed.'
        when judged.group_status = 'not_enough_data'
            then
                'Of ' || cast(judged.n_tutored_measured as varchar) || ' tutored students ' || cast(judged.n_tutored as varchar)
                || ' have a match among ' || cast(judged.n_comparison as varchar) || ' untutored students of the same year; '
                || cast(judged.least_group_n as varchar) || ' of each are needed.'
        when judged.is_too_far_apart
            then
                'The matched groups were ' || cast(cast(judged.largest_difference_sd as decimal(9, 2)) as varchar)
                || ' standard deviations apart in ' || judged.largest_difference_trait || ' before tutoring; the limit is '
                || cast(cast(judged.balance_limit_sd as decimal(9, 2)) as varchar)
                || '. More comparable untutored students are needed.'
        else 'Too few students share a cell to tell chance from effect.'
    end as what_is_missing,
    blocked.contract_id is not null as is_source_flagged
from judged
left join estimated
    on
        judged.contract_id = estimated.contract_id
        and judged.line_id = estimated.line_id
left join shown
    on
        judged.contract_id = shown.contract_id
        and judged.line_id = shown.line_id
left join blocked
    on judged.contract_id = blocked.contract_id
