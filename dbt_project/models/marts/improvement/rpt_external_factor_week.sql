-- The overlay: each process metric and each external factor side by side, week by week. Factors are those of the same week.
select
    contract_id,
    metric_id,
    factor_id,
    factor,
    kind as factor_kind,
    unit as factor_unit,
    week_start_on,
    cast(metric_rate as decimal(12, 6)) as metric_rate,
    cast(factor_value as decimal(18, 6)) as factor_value,
    cast(n_students as integer) as n_students
from {{ ref('int_improvement__factor_week') }}
where lag_weeks = 0
