-- The categories of a dimension have, together, the students of everybody; and their numerators and denominators too, where none is hidden.
with categories as (
    select
        contract_id,
        measure,
        dimension,
        sum(n_assigned) as n_assigned,
        sum(n_students) as n_students,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        max(case when n_students > 0 and numerator is null then 1 else 0 end) as is_one_hidden
    from {{ ref('agg_outcome_subgroup') }}
    where dimension <> 'all'
    group by contract_id, measure, dimension
)

select
    categories.contract_id,
    categories.measure,
    categories.dimension
from categories
inner join {{ ref('agg_outcome_subgroup') }} as everybody
    on
        categories.contract_id = everybody.contract_id
        and categories.measure = everybody.measure
        and everybody.dimension = 'all'
where
    categories.n_assigned <> everybody.n_assigned
    or categories.n_students <> everybody.n_students
    or (
        categories.is_one_hidden = 0
        and everybody.status <> 'not_enough_data'
        and (
            abs(categories.numerator - everybody.numerator) > 0.0001
            or abs(categories.denominator - everybody.denominator) > 0.0001
        )
    )
