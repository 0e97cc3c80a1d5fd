-- Costs by ingredient, planned and spent. A list replaces the whole list before it; within one list the last row of an id counts.
with costs as (
    select
        _source as source,
        cost_id,
        nullif(trim(contract_id), '') as contract_id,
        nullif(trim(option_id), '') as option_id,
        upper(trim(ingredient)) as ingredient,
        upper(trim(paid_by)) as paid_by,
        starts_on,
        coalesce(ends_on, starts_on) as ends_on,
        amount,
        is_planned,
        _file_id as file_id,
        _row_number as row_number,
        {{ recency_of_key(['_source', 'cost_id']) }} as recency
    from {{ source('lake', 'cost__cost') }}
)

select
    costs.cost_id,
    costs.contract_id,
    costs.option_id,
    costs.ingredient,
    costs.paid_by,
    costs.starts_on,
    costs.ends_on,
    costs.amount,
    costs.is_planned,
    costs.source,
    costs.file_id,
    costs.row_number
from costs
where costs.recency = 1
