-- Do changes of a metric go with something outside the program? Correlation of weekly series, the factor at the same week or some weeks
-- earlier. An association: other things happen in the same weeks.
{%- set weeks_needed = 8 %}
{%- set weeks_with_event = 3 %}
with series as (
    select *
    from {{ ref('int_improvement__factor_week') }}
),

factors as (
    select distinct
        factor_id,
        factor,
        kind,
        unit
    from series
),

contracts as (
    select contract_id
    from {{ ref('int_payment__contract') }}
),

metrics as (
    select
        metric_id,
        label
    from {{ ref('dim_metric') }}
    where measure_kind = 'PROCESS'
),

lags as (
    select distinct lag_weeks
    from series
),

-- Every contract, metric, factor and lag; where no factor is known at all, one row that says so.
spine as (
    select
        contracts.contract_id,
        metrics.metric_id,
        metrics.label,
        factors.factor_id,
        factors.factor,
        factors.kind,
        factors.unit,
        lags.lag_weeks
    from contracts
    cross join metrics
    left join factors
        on true
    left join lags
        on true
),

correlated as (
    select
        contract_id,
        metric_id,
        factor_id,
        lag_weeks,
        count(*) as n_weeks,
        min(n_students) as n_students,
        min(week_start_on) as first_week_on,
        max(week_start_on) as last_week_on,
        count(case when factor_value > 0 then 1 end) as weeks_with_factor,
        min(factor_value) < max(factor_value) as has_factor_moved,
        min(metric_rate) < max(metric_rate) as has_metric_moved,
        case
            when min(factor_value) < max(factor_value) and min(metric_rate) < max(metric_rate) then corr(metric_rate, factor_value)
        end as correlation
    from series
    where factor_value is not null
    group by contract_id, metric_id, factor_id, lag_weeks
),

judged as (
    select
        spine.*,
        coalesce(correlated.n_weeks, 0) as n_weeks,
        correlated.n_students,
        correlated.first_week_on,
        correlated.last_week_on,
        correlated.correlation as any_correlation,
        case
            when spine.factor_id is null then 'No external factor was sent, and the calendar has no closed day.'
            when coalesce(correlated.n_weeks, 0) < {{ weeks_needed }}
                then 'Fewer than {{ weeks_needed }} weeks have both the metric (of enough students) and the factor.'
            when spine.kind = 'EVENT' and correlated.weeks_with_factor < {{ weeks_with_event }}
                then 'The event was in fewer than {{ weeks_with_event }} of these weeks.'
            when not correlated.has_factor_moved then 'The factor is the same in all these weeks.'
            when not correlated.has_metric_moved then 'The metric is the same in all these weeks.'
        end as what_is_missing
    from spine
    left join correlated
        on
            spine.contract_id = correlated.contract_id
            and spine.metric_id = correlated.metric_id
            and spine.factor_id = correlated.factor_id
            and spine.lag_weeks = correlated.lag_weeks
),

computed as (
    select
        judged.*,
        case when what_is_missing is null then any_correlation end as correlation
    from judged
),

tested as (
    select
        computed.*,
        {{ fisher_z('correlation') }} as z,
        1 / sqrt(nullif(greatest(n_weeks - 3, 0), 0)) as z_se
    from computed
),

valued as (
    select
        tested.*,
        case when correlation is not null then {{ two_sided_p('(z / z_se)') }} end as p_value
    from tested
),

-- Every factor, metric and lag of a contract is a look.
scaled as (
    select
        valued.*,
        {{ bh_scaled('p_value', 'contract_id') }} as scaled_p_value
    from valued
),

corrected as (
    select
        scaled.*,
        case
            when p_value is not null then {{ bh_adjusted('p_value', 'scaled_p_value', 'contract_id') }}
        end as adjusted_p_value,
        count(p_value) over (partition by contract_id) as look_count
    from scaled
)

select
    contract_id,
    metric_id,
    label as metric_label,
    factor_id,
    factor,
    kind as factor_kind,
    unit as factor_unit,
    cast(lag_weeks as integer) as lag_weeks,
    cast(n_weeks as integer) as n_weeks,
    cast(n_students as integer) as n_students,
    first_week_on,
    last_week_on,
    cast(correlation as decimal(9, 6)) as correlation,
    cast(case when correlation is not null then {{ from_fisher_z('z - 1.9599640e0 * z_se') }} end as decimal(9, 6)) as ci_low,
    cast(case when correlation is not null then {{ from_fisher_z('z + 1.9599640e0 * z_se') }} end as decimal(9, 6)) as ci_high,
    cast(p_value as decimal(9, 6)) as p_value,
    cast(adjusted_p_value as decimal(9, 6)) as adjusted_p_value,
    cast(look_count as integer) as look_count,
    adjusted_p_value <= 0.05 as holds_after_correction,
    {{ strength_word('correlation') }} as strength,
    'association' as label,
    case when what_is_missing is null then 'ok' else 'not_enough_data' end as status,
    what_is_missing
from corrected
