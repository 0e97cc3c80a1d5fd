-- What is behind a change: the difference of a metric between two equal windows, split by each dimension into what came from who was
-- served (mix) and what came from how each category did (rate). The parts of a dimension add up to the change exactly.
with setting as (
    select
        least_group_n,
        normal_group_n
    from {{ source('documents', 'improvement_setting') }}
),

cells as (
    select *
    from {{ ref('int_improvement__driver_cell') }}
),

metrics as (
    select
        metric_id,
        label
    from {{ ref('dim_metric') }}
    where measure_kind = 'PROCESS'
),

windows as (
    select *
    from {{ ref('int_improvement__window') }}
),

categories as (
    select
        contract_id,
        comparison,
        metric_id,
        dimension,
        category,
        count(distinct case when previous_denominator > 0 then student_ref end) as n_students_previous,
        count(distinct case when current_denominator > 0 then student_ref end) as n_students_current,
        sum(previous_numerator) as previous_numerator,
        sum(previous_denominator) as previous_denominator,
        sum(current_numerator) as current_numerator,
        sum(current_denominator) as current_denominator
    from cells
    group by contract_id, comparison, metric_id, dimension, category
),

-- The whole, once: every metric has a school.
students as (
    select
        contract_id,
        comparison,
        metric_id,
        count(distinct case when previous_denominator > 0 then student_ref end) as n_previous,
        count(distinct case when current_denominator > 0 then student_ref end) as n_current,
        count(distinct student_ref) as n_students
    from cells
    where dimension = 'school'
    group by contract_id, comparison, metric_id
),

judged as (
    select
        students.*,
        {{ group_status('least(students.n_previous, students.n_current)', 'setting.least_group_n', 'setting.normal_group_n') }} as status,
        setting.least_group_n
    from students
    cross join setting
),

whole as (
    select
        categories.*,
        judged.n_previous,
        judged.n_current,
        judged.n_students,
        judged.status,
        judged.least_group_n,
        sum(categories.previous_numerator) over (partition by {{ driver_key('categories') }}) as whole_previous_numerator,
        sum(categories.previous_denominator) over (partition by {{ driver_key('categories') }}) as whole_previous_denominator,
        sum(categories.current_numerator) over (partition by {{ driver_key('categories') }}) as whole_current_numerator,
        sum(categories.current_denominator) over (partition by {{ driver_key('categories') }}) as whole_current_denominator
    from categories
    inner join judged
        on
            categories.contract_id is not distinct from judged.contract_id
            and categories.comparison = judged.comparison
            and categories.metric_id = judged.metric_id
),

rated as (
    select
        whole.*,
        cast(previous_numerator as double) / nullif(previous_denominator, 0) as previous_rate,
        cast(current_numerator as double) / nullif(current_denominator, 0) as current_rate,
        cast(previous_denominator as double) / whole_previous_denominator as previous_share,
        cast(current_denominator as double) / whole_current_denominator as current_share,
        cast(whole_previous_numerator as double) / whole_previous_denominator as whole_previous_rate,
        cast(whole_current_numerator as double) / whole_current_denominator as whole_current_rate
    from whole
    where status <> 'not_enough_data'
),

-- A category that is in one window only has no change of its own rate: it is all mix.
split as (
    select
        rated.*,
        cast(whole_current_rate as decimal(18, 9)) - cast(whole_previous_rate as decimal(18, 9)) as change,
        cast(
            (current_share - previous_share)
            * (
                (coalesce(previous_rate, current_rate) + coalesce(current_rate, previous_rate)) / 2
                - (whole_previous_rate + whole_current_rate) / 2
            ) as decimal(18, 9)
        ) as rounded_mix,
        cast(coalesce((current_rate - previous_rate) * (previous_share + current_share) / 2, 0) as decimal(18, 9)) as rounded_rate
    from rated
),

-- Rounding leaves a few units of the ninth decimal over: they go to the largest part.
placed as (
    select
        split.*,
        change - sum(rounded_mix + rounded_rate) over (partition by {{ driver_key('split') }}) as left_over,
        row_number() over (
            partition by {{ driver_key('split') }}
            order by greatest(abs(rounded_mix), abs(rounded_rate)) desc, category asc
        ) as part_rank
    from split
),

parts as (
    select
        placed.*,
        rounded_mix + case when part_rank = 1 and abs(rounded_mix) >= abs(rounded_rate) then left_over else 0 end as mix_effect,
        rounded_rate + case when part_rank = 1 and abs(rounded_mix) < abs(rounded_rate) then left_over else 0 end as rate_effect
    from placed
),

ranked as (
    select
        parts.*,
        sum(mix_effect) over (partition by {{ driver_key('parts') }}) as whole_mix_effect,
        sum(rate_effect) over (partition by {{ driver_key('parts') }}) as whole_rate_effect,
        row_number() over (
            partition by {{ driver_key('parts') }}
            order by abs(mix_effect + rate_effect) desc, category asc
        ) as effect_rank
    from parts
),

-- How far the rate effect as a whole may be chance: students are drawn, sessions of one student go together. Each student's pull on it,
-- with the weights as they are.
pulls as (
    select
        cells.contract_id,
        cells.comparison,
        cells.metric_id,
        cells.dimension,
        cells.student_ref,
        sum(
            (rated.previous_share + rated.current_share) / 2
            * (
                (cells.current_numerator - rated.current_rate * cells.current_denominator) / rated.current_denominator
                - (cells.previous_numerator - rated.previous_rate * cells.previous_denominator) / rated.previous_denominator
            )
        ) as pull
    from cells
    inner join rated
        on
            cells.contract_id is not distinct from rated.contract_id
            and cells.comparison = rated.comparison
            and cells.metric_id = rated.metric_id
            and cells.dimension = rated.dimension
            and cells.category = rated.category
    where
        rated.previous_denominator > 0
        and rated.current_denominator > 0
    group by cells.contract_id, cells.comparison, cells.metric_id, cells.dimension, cells.student_ref
),

spreads as (
    select
        contract_id,
        comparison,
        metric_id,
        dimension,
        count(*) as n,
        sqrt(sum(pull * pull) * count(*) / nullif(count(*) - 1, 0)) as standard_error
    from pulls
    group by contract_id, comparison, metric_id, dimension
),

-- Contracts, metrics and comparisons of which nothing was observed.
missing as (
    select
        windows.contract_id,
        windows.comparison,
        metrics.metric_id
    from windows
    cross join metrics
    left join students
        on
            windows.contract_id is not distinct from students.contract_id
            and windows.comparison = students.comparison
            and metrics.metric_id = students.metric_id
    where students.metric_id is null
),

answered as (
    select
        whole.contract_id,
        whole.comparison,
        whole.metric_id,
        whole.dimension,
        whole.category,
        whole.n_students_previous,
        whole.n_students_current,
        whole.n_students,
        whole.status,
        case
            when whole.n_previous = 0 then 'Nothing was observed in the earlier window.'
            when whole.n_current = 0 then 'Nothing was observed in the later window.'
            when whole.status = 'not_enough_data' then 'Fewer than ' || cast(whole.least_group_n as varchar) || ' students in a window.'
        end as what_is_missing
    from whole

    union all

    select
        contract_id,
        comparison,
        metric_id,
        cast(null as varchar) as dimension,
        cast(null as varchar) as category,
        0 as n_students_previous,
        0 as n_students_current,
        0 as n_students,
        'not_enough_data' as status,
        'Nothing was observed in either window.' as what_is_missing
    from missing
)

select
    answered.contract_id,
    answered.metric_id,
    metrics.label as metric_label,
    answered.comparison,
    windows.previous_from_on,
    windows.previous_to_on,
    windows.current_from_on,
    windows.current_to_on,
    answered.dimension,
    answered.category,
    cast(ranked.effect_rank as integer) as effect_rank,
    cast(ranked.previous_numerator as decimal(18, 6)) as previous_numerator,
    cast(ranked.previous_denominator as decimal(18, 6)) as previous_denominator,
    cast(ranked.previous_rate as decimal(18, 9)) as previous_rate,
    cast(ranked.previous_share as decimal(18, 9)) as previous_share,
    cast(ranked.current_numerator as decimal(18, 6)) as current_numerator,
    cast(ranked.current_denominator as decimal(18, 6)) as current_denominator,
    cast(ranked.current_rate as decimal(18, 9)) as current_rate,
    cast(ranked.current_share as decimal(18, 9)) as current_share,
    cast(ranked.mix_effect as decimal(18, 9)) as mix_effect,
    cast(ranked.rate_effect as decimal(18, 9)) as rate_effect,
    cast(ranked.mix_effect + ranked.rate_effect as decimal(18, 9)) as effect,
    cast(ranked.whole_previous_rate as decimal(18, 9)) as whole_previous_rate,
    cast(ranked.whole_current_rate as decimal(18, 9)) as whole_current_rate,
    cast(ranked.change as decimal(18, 9)) as change,
    cast(ranked.whole_mix_effect as decimal(18, 9)) as whole_mix_effect,
    cast(ranked.whole_rate_effect as decimal(18, 9)) as whole_rate_effect,
    cast(ranked.whole_rate_effect - {{ t_quantile('(spreads.n - 1)') }} * spreads.standard_error as decimal(18, 6))
        as whole_rate_effect_low,
    cast(ranked.whole_rate_effect + {{ t_quantile('(spreads.n - 1)') }} * spreads.standard_error as decimal(18, 6))
        as whole_rate_effect_high,
    cast(answered.n_students_previous as integer) as n_students_previous,
    cast(answered.n_students_current as integer) as n_students_current,
    cast(answered.n_students as integer) as n_students,
    answered.status,
    answered.what_is_missing
from answered
inner join metrics
    on answered.metric_id = metrics.metric_id
inner join windows
    on
        answered.contract_id is not distinct from windows.contract_id
        and answered.comparison = windows.comparison
left join ranked
    on
        answered.contract_id is not distinct from ranked.contract_id
        and answered.comparison = ranked.comparison
        and answered.metric_id = ranked.metric_id
        and answered.dimension = ranked.dimension
        and answered.category = ranked.category
left join spreads
    on
        answered.contract_id is not distinct from spreads.contract_id
        and answered.comparison = spreads.comparison
        and answered.metric_id = spreads.metric_id
        and answered.dimension = spreads.dimension
