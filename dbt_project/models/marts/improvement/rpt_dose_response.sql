-- What students reached by how much tutoring they had: bins of dosage had over dosage asked for, and a row over all bins with the slope.
-- Who comes to tutoring is who comes to school, so every figure stands beside the one adjusted for school attendance. Not causal, either.
with setting as (
    select * from {{ source('documents', 'improvement_setting') }}
),

blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

observation as (
    select * from {{ ref('int_improvement__dose_observation') }}
),

-- Every bin of every line, empty ones too. Only instruments with a growth index have its mean.
spine as (
    select
        line.contract_id,
        line.line_id,
        line.metric,
        measures.measure,
        bins.bin_number,
        bins.dosage_bin,
        bins.bin_from_rate,
        bins.bin_below_rate
    from {{ ref('int_payment__line') }} as line
    cross join (values ('share_met'), ('mean_cgi')) as measures (measure)
    cross join (
        values
        (0, 'all', 0.0, null),
        (1, '0.00-0.25', 0.0, 0.25),
        (2, '0.25-0.50', 0.25, 0.5),
        (3, '0.50-0.70', 0.5, 0.7),
        (4, '0.70-0.80', 0.7, 0.8),
        (5, '0.80-0.90', 0.8, 0.9),
        (6, '0.90 or more', 0.9, null)
    ) as bins (bin_number, dosage_bin, bin_from_rate, bin_below_rate)
    where measures.measure = 'share_met' or left(line.metric, 4) = 'CGP_'
),

binned as (
    select
        contract_id,
        line_id,
        measure,
        bin_number,
        count(*) as n,
        sum(observed_value) as total,
        avg(observed_value) as mean,
        stddev_samp(observed_value) as spread,
        avg(school_attendance_rate) as mean_attendance
    from observation
    group by contract_id, line_id, measure, bin_number
    union all
    select
        contract_id,
        line_id,
        measure,
        0 as bin_number,
        count(*) as n,
        sum(observed_value) as total,
        avg(observed_value) as mean,
        stddev_samp(observed_value) as spread,
        avg(school_attendance_rate) as mean_attendance
    from observation
    group by contract_id, line_id, measure
),

-- Analysis of covariance: one slope of the outcome on school attendance inside the bins, and each bin's mean moved along it to the mean
-- attendance of all.
covaried as (
    select
        contract_id,
        line_id,
        measure,
        bin_number,
        count(*) as n,
        avg(observed_value) as mean,
        avg(school_attendance_rate) as mean_attendance,
        count(*) * var_pop(school_attendance_rate) as aa,
        count(*) * var_pop(observed_value) as yy,
        count(*) * covar_pop(school_attendance_rate, observed_value) as ay
    from observation
    where school_attendance_rate is not null
    group by contract_id, line_id, measure, bin_number
),

pooled as (
    select
        contract_id,
        line_id,
        measure,
        sum(n) - count(*) - 1 as degrees,
        sum(n * mean_attendance) / sum(n) as grand_attendance,
        case when sum(aa) > 1e-12 then sum(aa) end as aa,
        sum(ay) / case when sum(aa) > 1e-12 then sum(aa) end as slope,
        greatest(sum(yy) - power(sum(ay), 2) / case when sum(aa) > 1e-12 then sum(aa) end, 0) as residual
    from covaried
    group by contract_id, line_id, measure
),

adjusted as (
    select
        covaried.contract_id,
        covaried.line_id,
        covaried.measure,
        covaried.bin_number,
        covaried.mean - pooled.slope * (covaried.mean_attendance - pooled.grand_attendance) as adjusted_value,
        sqrt(
            pooled.residual / nullif(greatest(pooled.degrees, 0), 0)
            * (1.0e0 / covaried.n + power(covaried.mean_attendance - pooled.grand_attendance, 2) / pooled.aa)
        ) * {{ t_quantile('pooled.degrees') }} as reach
    from covaried
    inner join pooled
        on
            covaried.contract_id = pooled.contract_id
            and covaried.line_id = pooled.line_id
            and covaried.measure = pooled.measure
),

judged as (
    select
        spine.*,
        coalesce(binned.n, 0) as n,
        binned.total,
        binned.mean,
        binned.mean_attendance,
        adjusted.adjusted_value,
        case
            when spine.measure = 'share_met' then {{ wilson_bound('binned.total', 'binned.n', '-') }}
            else binned.mean - {{ t_quantile('(binned.n - 1)') }} * binned.spread / sqrt(binned.n)
        end as mean_low,
        case
            when spine.measure = 'share_met' then {{ wilson_bound('binned.total', 'binned.n', '+') }}
            else binned.mean + {{ t_quantile('(binned.n - 1)') }} * binned.spread / sqrt(binned.n)
        end as mean_high,
        -- An adjusted share can pass 0 or 1 on paper; its interval is shown inside them.
        case
            when spine.measure <> 'share_met' or adjusted.reach is null then adjusted.adjusted_value - adjusted.reach
            else least(greatest(adjusted.adjusted_value - adjusted.reach, 0), 1)
        end as adjusted_low,
        case
            when spine.measure <> 'share_met' or adjusted.reach is null then adjusted.adjusted_value + adjusted.reach
            else least(greatest(adjusted.adjusted_value + adjusted.reach, 0), 1)
        end as adjusted_high,
        trend.slope / 10 as trend_per_tenth,
        {{ t_quantile('(trend.n - 2)') }} * trend.slope_se / 10 as trend_reach,
        trend.adjusted_slope / 10 as adjusted_trend_per_tenth,
        {{ t_quantile('(trend.adjusted_n - 3)') }} * trend.adjusted_slope_se / 10 as adjusted_trend_reach,
        case
            when coalesce(binned.n, 0) < setting.least_group_n then 'not_enough_data'
            when binned.n < setting.normal_group_n then 'small_group'
            else 'ok'
        end as status,
        setting.least_group_n,
        blocked.contract_id is not null as is_source_flagged
    from spine
    cross join setting
    left join blocked
        on spine.contract_id = blocked.contract_id
    left join binned
        on
            spine.contract_id = binned.contract_id
            and spine.line_id = binned.line_id
            and spine.measure = binned.measure
            and spine.bin_number = binned.bin_number
    left join adjusted
        on
            spine.contract_id = adjusted.contract_id
            and spine.line_id = adjusted.line_id
            and spine.measure = adjusted.measure
            and spine.bin_number = adjusted.bin_number
    left join {{ ref('int_improvement__dose_trend') }} as trend
        on
            spine.contract_id = trend.contract_id
            and spine.line_id = trend.line_id
            and spine.measure = trend.measure
            and spine.bin_number = 0
)

select
    contract_id,
    line_id,
    metric,
    measure,
    cast(bin_number as integer) as bin_number,
    dosage_bin,
    cast(bin_from_rate as decimal(9, 6)) as bin_from_rate,
    cast(bin_below_rate as decimal(9, 6)) as bin_below_rate,
    cast(n as integer) as n_students,
    cast(case when status <> 'not_enough_data' then total end as decimal(18, 6)) as numerator,
    cast(case when status <> 'not_enough_data' then n end as integer) as denominator,
    cast(case when status <> 'not_enough_data' then mean end as decimal(18, 6)) as mean_value,
    cast(case when status <> 'not_enough_data' then mean_low end as decimal(18, 6)) as ci_low,
    cast(case when status <> 'not_enough_data' then mean_high end as decimal(18, 6)) as ci_high,
    cast(case when status <> 'not_enough_data' then adjusted_value end as decimal(18, 6)) as adjusted_value,
    cast(case when status <> 'not_enough_data' then adjusted_low end as decimal(18, 6)) as adjusted_ci_low,
    cast(case when status <> 'not_enough_data' then adjusted_high end as decimal(18, 6)) as adjusted_ci_high,
    cast(case when status <> 'not_enough_data' then mean_attendance end as decimal(9, 6)) as school_attendance_rate,
    cast(case when status = 'ok' then trend_per_tenth end as decimal(18, 6)) as trend_per_tenth,
    cast(case when status = 'ok' then trend_per_tenth - trend_reach end as decimal(18, 6)) as trend_ci_low,
    cast(case when status = 'ok' then trend_per_tenth + trend_reach end as decimal(18, 6)) as trend_ci_high,
    cast(case when status = 'ok' then adjusted_trend_per_tenth end as decimal(18, 6)) as adjusted_trend_per_tenth,
    cast(case when status = 'ok' then adjusted_trend_per_tenth - adjusted_trend_reach end as decimal(18, 6)) as adjusted_trend_ci_low,
    cast(case when status = 'ok' then adjusted_trend_per_tenth + adjusted_trend_reach end as decimal(18, 6)) as adjusted_trend_ci_high,
    'association, not causal' as label,
    status,
    case
        when status = 'not_enough_data'
            then
                cast(n as varchar) || ' measured students with a known dosage; at least ' || cast(least_group_n as varchar)
                || ' are needed.'
        when bin_number > 0 and adjusted_value is null then 'School attendance is not known, or the same for all: no adjusted value.'
    end as what_is_missing,
    is_source_flagged,
    {{ as_of_date() }} as as_of_date
from judged
