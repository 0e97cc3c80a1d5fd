-- Every priced line and every process metric of a contract by group of students: rate, interval, what was expected, and the gap to
-- everybody else in the contract. Sums are additive over the categories of a dimension; the rest is the total less the category.
{%- set sums = ['n_students', 'numerator', 'denominator', 'numerator_squared', 'product', 'denominator_squared'] %}
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

settings as (
    select
        least_group_n,
        normal_group_n
    from {{ source('documents', 'improvement_setting') }}
),

contracts as (
    select
        contract_id,
        provider_id,
        subject,
        school_year_end
    from {{ ref('int_payment__contract') }}
),

measures as (
    select
        contract_id,
        line_id,
        lower(line_id) as metric_id
    from {{ ref('int_payment__line') }}
    union all
    select
        contracts.contract_id,
        cast(null as varchar) as line_id,
        metric.metric_id
    from contracts
    cross join {{ ref('dim_metric') }} as metric
    where metric.measure_kind = 'PROCESS'
),

values_of_students as (
    select
        value_row.*,
        coalesce(value_row.line_id, value_row.metric_id) as measure
    from {{ ref('int_improvement__measured_student') }} as value_row
    where value_row.denominator > 0
),

spine as (
    select
        contract_id,
        dimension,
        category
    from {{ ref('int_improvement__group_spine') }}
    union all
    select
        contract_id,
        'all' as dimension,
        'all' as category
    from contracts
),

groups as (
    select
        contract_id,
        student_id,
        dimension,
        category
    from {{ ref('int_improvement__student_group') }}
    union all
    select
        contract_id,
        student_id,
        'all' as dimension,
        'all' as category
    from {{ ref('int_improvement__student') }}
),

assigned as (
    select
        contract_id,
        dimension,
        category,
        count(*) as n_assigned
    from groups
    group by contract_id, dimension, category
),

summed as (
    select
        groups.contract_id,
        values_of_students.measure,
        groups.dimension,
        groups.category,
        count(*) as n_students,
        sum(values_of_students.numerator) as numerator,
        sum(values_of_students.denominator) as denominator,
        sum(values_of_students.numerator * values_of_students.numerator) as numerator_squared,
        sum(values_of_students.numerator * values_of_students.denominator) as product,
        sum(values_of_students.denominator * values_of_students.denominator) as denominator_squared,
        median(values_of_students.student_value) as median_value,
        count(values_of_students.expected_rate) as n_expected,
        sum(case when values_of_students.expected_rate is not null then values_of_students.numerator end) as met_with_expectation,
        sum(values_of_students.expected_rate) as expected_numerator
    from groups
    inner join values_of_students
        on
            groups.contract_id = values_of_students.contract_id
            and groups.student_id = values_of_students.student_id
    group by groups.contract_id, values_of_students.measure, groups.dimension, groups.category
),

-- What can be done more often than it is required is no share of one, and gets an interval that does not end at one.
bounded as (
    select
        contract_id,
        measure,
        max(numerator - denominator) <= 0 as is_share
    from values_of_students
    group by contract_id, measure
),

cells as (
    select
        groups.contract_id,
        values_of_students.measure,
        groups.dimension,
        groups.category,
        values_of_students.cell_key,
        count(*) as n_students,
        max(values_of_students.history_students) as history_students
    from groups
    inner join values_of_students
        on
            groups.contract_id = values_of_students.contract_id
            and groups.student_id = values_of_students.student_id
    where values_of_students.cell_key is not null
    group by groups.contract_id, values_of_students.measure, groups.dimension, groups.category, values_of_students.cell_key
),

history as (
    select
        contract_id,
        measure,
        dimension,
        category,
        {{ effective_students('sum(cast(n_students as double) * n_students / history_students)', 'sum(n_students)') }} as effective_n
    from cells
    group by contract_id, measure, dimension, category
),

totals as (
    select
        contract_id,
        measure,
        dimension,
    {%- for column in sums %}
    sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
    from summed
    group by contract_id, measure, dimension
),

-- The group and everybody else, side by side in the same shape.
sides as (
    select
        contract_id,
        measure,
        dimension,
        category,
        'group' as side,
    {%- for column in sums %}
    {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
    from summed
    union all
    select
        summed.contract_id,
        summed.measure,
        summed.dimension,
        summed.category,
        'rest' as side,
    {%- for column in sums %}
    totals.{{ column }} - summed.{{ column }} as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
    from summed
    inner join totals
        on
            summed.contract_id = totals.contract_id
            and summed.measure = totals.measure
            and summed.dimension = totals.dimension
),

varied as (
    select
        sides.*,
        bounded.is_share,
        sides.numerator / nullif(sides.denominator, 0) as rate,
        {{ clustered_rate_variance(
            'sides.numerator', 'sides.denominator', 'sides.numerator_squared', 'sides.product', 'sides.denominator_squared'
        ) }} as variance
    from sides
    inner join bounded
        on
            sides.contract_id = bounded.contract_id
            and sides.measure = bounded.measure
    where sides.n_students > 0
),

weighed as (
    select
        varied.*,
        {{ clustered_rate_trials('n_students', 'numerator', 'denominator', 'variance') }} as trials
    from varied
),

intervals as (
    select
        weighed.*,
        case
            when is_share then {{ wilson_bound('(rate * trials)', 'trials', '-') }}
            else greatest(rate - {{ t_quantile('(n_students - 1)') }} * sqrt(variance * n_students / nullif(n_students - 1, 0)), 0)
        end as rate_low,
        case
            when is_share then {{ wilson_bound('(rate * trials)', 'trials', '+') }}
            else rate + {{ t_quantile('(n_students - 1)') }} * sqrt(variance * n_students / nullif(n_students - 1, 0))
        end as rate_high
    from weighed
),

wanted as (
    select
        contracts.contract_id,
        contracts.provider_id,
        contracts.subject,
        contracts.school_year_end,
        measures.line_id,
        measures.metric_id,
        coalesce(measures.line_id, measures.metric_id) as measure,
        spine.dimension,
        spine.category
    from contracts
    inner join measures
        on contracts.contract_id = measures.contract_id
    inner join spine
        on contracts.contract_id = spine.contract_id
),

judged as (
    select
        wanted.*,
        settings.least_group_n,
        summed.numerator,
        summed.denominator,
        summed.median_value,
        summed.n_expected,
        summed.met_with_expectation,
        summed.expected_numerator,
        {{ independent_students('(summed.expected_numerator / summed.n_expected)', 'history.effective_n', 'variance.year_variance') }}
            as effective_n,
        group_side.rate,
        group_side.rate_low,
        group_side.rate_high,
        rest.rate as rest_rate,
        rest.rate_low as rest_low,
        rest.rate_high as rest_high,
        coalesce(assigned.n_assigned, 0) as n_assigned,
        coalesce(summed.n_students, 0) as n_students,
        coalesce(totals.n_students, 0) - coalesce(summed.n_students, 0) as n_rest,
        {{ group_status('summed.n_students', 'settings.least_group_n', 'settings.normal_group_n') }} as status
    from wanted
    cross join settings
    left join assigned
        on
            wanted.contract_id = assigned.contract_id
            and wanted.dimension = assigned.dimension
            and wanted.category = assigned.category
    left join summed
        on
            wanted.contract_id = summed.contract_id
            and wanted.measure = summed.measure
            and wanted.dimension = summed.dimension
            and wanted.category = summed.category
    left join totals
        on
            wanted.contract_id = totals.contract_id
            and wanted.measure = totals.measure
            and wanted.dimension = totals.dimension
    left join history
        on
            wanted.contract_id = history.contract_id
            and wanted.measure = history.measure
            and wanted.dimension = history.dimension
            and wanted.category = history.category
    left join {{ ref('int_improvement__history_variance') }} as variance
        on
            wanted.contract_id = variance.contract_id
            and wanted.line_id = variance.line_id
    left join intervals as group_side
        on
            wanted.contract_id = group_side.contract_id
            and wanted.measure = group_side.measure
            and wanted.dimension = group_side.dimension
            and wanted.category = group_side.category
            and group_side.side = 'group'
    left join intervals as rest
        on
            wanted.contract_id = rest.contract_id
            and wanted.measure = rest.measure
            and wanted.dimension = rest.dimension
            and wanted.category = rest.category
            and rest.side = 'rest'
),

-- What may be shown of each: nothing below the least group, no gap to a rest that is too small, no excess over a history that is.
shown as (
    select
        judged.*,
        status <> 'not_enough_data' as is_shown,
        status <> 'not_enough_data' and n_rest >= least_group_n as is_gap_shown,
        status <> 'not_enough_data' and coalesce(n_expected, 0) >= least_group_n as is_excess_shown
    from judged
)

select
    {{ surrogate_key(['shown.contract_id', 'measure', 'dimension', 'category']) }} as outcome_subgroup_key,
    shown.contract_id,
    provider_id,
    lower(subject) as subject,
    cast(school_year_end as integer) as school_year_end,
    measure,
    line_id,
    metric_id,
    case when line_id is null then 'PROCESS' else 'PAYMENT' end as measure_kind,
    dimension,
    category,
    cast(n_assigned as integer) as n_assigned,
    cast(n_students as integer) as n_students,
    cast(case when is_shown then numerator end as decimal(18, 6)) as numerator,
    cast(case when is_shown then denominator end as decimal(18, 6)) as denominator,
    cast(case when is_shown then rate end as decimal(18, 6)) as rate,
    cast(case when is_shown then rate_low end as decimal(18, 6)) as ci_low,
    cast(case when is_shown then rate_high end as decimal(18, 6)) as ci_high,
    cast(case when is_shown then median_value end as decimal(18, 6)) as median_value,
    cast(case when is_excess_shown then n_expected end as integer) as n_expected,
    cast(case when is_excess_shown then expected_numerator / n_expected end as decimal(18, 6)) as expected_rate,
    cast(case when is_excess_shown then (met_with_expectation - expected_numerator) / n_expected end as decimal(18, 6)) as excess_rate,
    cast(
        case
            when is_excess_shown
                then
                    {{ newcombe_bound(
                        'met_with_expectation', 'n_expected', '(expected_numerator / n_expected * effective_n)', 'effective_n', '-'
                    ) }}
        end as decimal(18, 6)
    ) as excess_low,
    cast(
        case
            when is_excess_shown
                then
                    {{ newcombe_bound(
                        'met_with_expectation', 'n_expected', '(expected_numerator / n_expected * effective_n)', 'effective_n', '+'
                    ) }}
        end as decimal(18, 6)
    ) as excess_high,
    cast(n_rest as integer) as n_rest,
    cast(case when is_gap_shown then rate - rest_rate end as decimal(18, 6)) as gap_rate,
    cast(
        case when is_gap_shown then rate - rest_rate - sqrt(power(rate - rate_low, 2) + power(rest_high - rest_rate, 2)) end
        as decimal(18, 6)
    ) as gap_low,
    cast(
        case when is_gap_shown then rate - rest_rate + sqrt(power(rate_high - rate, 2) + power(rest_rate - rest_low, 2)) end
        as decimal(18, 6)
    ) as gap_high,
    status,
    case
        when is_shown then null
        when n_assigned = 0 then 'No student of the contract is in this group.'
        when n_students = 0 then 'None of the ' || cast(n_assigned as varchar) || ' students of this group has a value of this measure yet.'
        else
            'Only ' || cast(n_students as varchar) || ' of the ' || cast(n_assigned as varchar) || ' students of this group have a value; '
            || cast(least_group_n as varchar) || ' are needed.'
    end as what_is_missing,
    blocked.contract_id is not null as is_source_flagged
from shown
left join blocked
    on shown.contract_id = blocked.contract_id
