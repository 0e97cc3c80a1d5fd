-- How much what is expected differs from year to year beyond chance, per contract and line: students of three years are not one sample, and
-- the year of the contract is a fourth. The cells are weighted as the contract's students are spread over them; the years' departures from
-- their cells' rates are held against what chance alone would give (DerSimonian and Laird). year_variance is the variance this adds to the
-- expected rate of a new year; 0 where the years differ no more than by chance, or where there is one year only.
with tutored as (
    select
        contract_id,
        line_id,
        cell_key,
        max(history_students) as history_students,
        max(history_met) as history_met,
        count(*) as n_tutored
    from {{ ref('int_improvement__expectation') }}
    where cell_key is not null
    group by contract_id, line_id, cell_key
),

weighted as (
    select
        contract_id,
        line_id,
        cell_key,
        cast(n_tutored as double) / history_students as student_weight,
        cast(history_met as double) / history_students as cell_rate
    from tutored
),

years as (
    select
        weighted.contract_id,
        weighted.line_id,
        cells.history_year_end,
        sum(weighted.student_weight * (cells.n_met - cells.n_students * weighted.cell_rate)) as departure_sum,
        sum(weighted.student_weight * cells.n_students) as weight_sum,
        sum(
            power(weighted.student_weight, 2) * cells.n_students * weighted.cell_rate * (1 - weighted.cell_rate)
        ) as chance_sum
    from weighted
    inner join {{ ref('int_improvement__history_cell') }} as cells
        on weighted.cell_key = cells.cell_key
    group by weighted.contract_id, weighted.line_id, cells.history_year_end
),

departures as (
    select
        contract_id,
        line_id,
        departure_sum / weight_sum as departure,
        power(weight_sum, 2) / nullif(chance_sum, 0) as precision_weight
    from years
    where weight_sum > 0
),

summed as (
    select
        contract_id,
        line_id,
        count(*) as year_count,
        sum(precision_weight) as weights,
        sum(precision_weight * precision_weight) as squared_weights,
        sum(precision_weight * departure) as weighted_departure,
        sum(precision_weight * departure * departure) as weighted_square
    from departures
    where precision_weight is not null
    group by contract_id, line_id
)

select
    contract_id,
    line_id,
    cast(year_count as integer) as year_count,
    cast(
        case
            when year_count < 2 then 0
            else
                greatest(weighted_square - weighted_departure * weighted_departure / weights - (year_count - 1), 0)
                / (weights - squared_weights / weights)
                * (1 + 1.0e0 / year_count)
        end as decimal(18, 12)
    ) as year_variance
from summed
