-- What each contract costs, by ingredient (domain §11): what the vendor is paid and what all of it costs, side by side. What was sent
-- counts; where no vendor cost was sent, base and outcome payments are those of settlement and forecast. No dollar is in here twice: what a
-- vendor pays itself is in its price already.
with contract as (
    select contract_id
    from {{ ref('int_payment__contract') }}
),

blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

ingredient as (
    select
        ingredients.ingredient_order,
        ingredients.ingredient
    from (
        values
        (1, 'VENDOR_BASE'), (2, 'VENDOR_OUTCOME'), (3, 'STAFF_TIME'), (4, 'SPACE'), (5, 'DEVICES'), (6, 'TRANSPORT'), (7, 'DATA'),
        (8, 'TRAINING'), (9, 'OTHER')
    ) as ingredients (ingredient_order, ingredient)
),

-- Money sent for an option that is a running contract is money of that contract.
sent as (
    select
        coalesce(cost.contract_id, options.contract_id) as contract_id,
        cost.ingredient,
        cost.is_planned,
        left(cost.ingredient, 7) = 'VENDOR_' as is_vendor_price,
        cost.paid_by = 'VENDOR' and left(cost.ingredient, 7) <> 'VENDOR_' as is_inside_price,
        cost.paid_by = 'GRANT' as is_grant,
        cost.amount,
        -- The part of it that lies before the end of the as-of date, by days.
        cast(round(
            cast(cost.amount as double)
            * greatest(
                least({{ days_between('cost.starts_on', as_of_date()) }}, {{ days_between('cost.starts_on', 'cost.ends_on') }}) + 1, 0
            )
            / ({{ days_between('cost.starts_on', 'cost.ends_on') }} + 1), 2
        ) as decimal(18, 2)) as amount_to_date
    from {{ ref('input__cost') }} as cost
    left join {{ ref('input__program_option') }} as options
        on cost.option_id = options.option_id
),

summed as (
    select
        contract_id,
        ingredient,
        count(case when not is_planned then 1 end) as spent_count,
        count(case when is_planned then 1 end) as planned_count,
        sum(case when not is_planned and not is_inside_price then amount_to_date else 0 end) as to_date_amount,
        sum(case when not is_planned and not is_inside_price then amount else 0 end) as whole_amount,
        sum(case when is_planned and not is_inside_price then amount else 0 end) as planned_amount,
        sum(case when not is_planned and is_grant then amount_to_date else 0 end) as grant_amount,
        sum(case when not is_planned and is_inside_price then amount_to_date else 0 end) as inside_price_amount
    from sent
    group by contract_id, ingredient
),

payable as (
    select
        contract_id,
        case when line_kind in ('BASE', 'INSTALMENT') then 'VENDOR_BASE' else 'VENDOR_OUTCOME' end as ingredient,
        sum(payable_amount) as payable_amount
    from {{ ref('fct_settlement_line') }}
    group by contract_id, case when line_kind in ('BASE', 'INSTALMENT') then 'VENDOR_BASE' else 'VENDOR_OUTCOME' end
),

forecast as (
    select
        contract_id,
        case when line_kind = 'BASE' then 'VENDOR_BASE' else 'VENDOR_OUTCOME' end as ingredient,
        sum(coalesce(expected_payable_amount, payable_amount)) as expected_amount,
        count(*) - count(expected_payable_amount) as unknown_lines
    from {{ ref('rpt_payment_forecast') }}
    group by contract_id, case when line_kind = 'BASE' then 'VENDOR_BASE' else 'VENDOR_OUTCOME' end
),

joined as (
    select
        contract.contract_id,
        ingredient.ingredient_order,
        ingredient.ingredient,
        left(ingredient.ingredient, 7) = 'VENDOR_' as is_vendor_price,
        case
            when coalesce(summed.spent_count, 0) > 0 then 'SENT'
            when payable.payable_amount is not null then 'PAYABLE'
            else 'NONE'
        end as cost_source,
        summed.planned_count,
        summed.planned_amount,
        summed.grant_amount,
        summed.inside_price_amount,
        case when coalesce(summed.spent_count, 0) > 0 then summed.to_date_amount else payable.payable_amount end as to_date_amount,
        -- Of the vendor's price what is still to come is what the forecast has beyond what was sent.
        case
            when coalesce(summed.spent_count, 0) = 0 then coalesce(forecast.expected_amount, payable.payable_amount)
            else greatest(summed.whole_amount, coalesce(forecast.expected_amount, summed.whole_amount))
        end as projected_amount,
        coalesce(forecast.unknown_lines, 0) as unknown_lines
    from contract
    cross join ingredient
    left join summed
        on
            contract.contract_id = summed.contract_id
            and ingredient.ingredient = summed.ingredient
    left join payable
        on
            contract.contract_id = payable.contract_id
            and ingredient.ingredient = payable.ingredient
    left join forecast
        on
            contract.contract_id = forecast.contract_id
            and ingredient.ingredient = forecast.ingredient
),

rows_of_ingredients as (
    select
        contract_id,
        ingredient_order,
        ingredient,
        cost_source,
        case when cost_source <> 'NONE' then case when is_vendor_price then to_date_amount else 0 end end as vendor_paid_to_date_amount,
        to_date_amount as full_cost_to_date_amount,
        case when cost_source <> 'NONE' then case when is_vendor_price then projected_amount else 0 end end as vendor_paid_projected_amount,
        projected_amount as full_cost_projected_amount,
        case when planned_count > 0 then case when is_vendor_price then planned_amount else 0 end end as vendor_paid_planned_amount,
        case when planned_count > 0 then planned_amount end as full_cost_planned_amount,
        case when cost_source = 'SENT' then grant_amount end as grant_paid_to_date_amount,
        case when cost_source = 'SENT' then inside_price_amount end as inside_price_to_date_amount,
        case
            when cost_source = 'NONE' and is_vendor_price then 'No cost was sent, and nothing is payable.'
            when cost_source = 'NONE' then 'No cost of this kind was sent.'
            when unknown_lines > 0 then 'What pending outcomes will cost cannot be forecast yet; projected is what is payable now.'
        end as what_is_missing
    from joined
),

-- Everything together. What costs besides the vendor is unknown, not zero, where none was sent.
totals as (
    select
        contract_id,
        0 as ingredient_order,
        'ALL' as ingredient,
        case
            when count(case when cost_source <> 'NONE' then 1 end) = 0 then 'NONE'
            when count(case when cost_source = 'PAYABLE' then 1 end) = 0 then 'SENT'
            when count(case when cost_source = 'SENT' then 1 end) = 0 then 'PAYABLE'
            else 'SENT_AND_PAYABLE'
        end as cost_source,
        sum(vendor_paid_to_date_amount) as vendor_paid_to_date_amount,
        case when count(case when ingredient_order > 2 and cost_source <> 'NONE' then 1 end) > 0 then sum(full_cost_to_date_amount) end
            as full_cost_to_date_amount,
        sum(vendor_paid_projected_amount) as vendor_paid_projected_amount,
        case when count(case when ingredient_order > 2 and cost_source <> 'NONE' then 1 end) > 0 then sum(full_cost_projected_amount) end
            as full_cost_projected_amount,
        case
            when max(case when ingredient = 'VENDOR_BASE' then vendor_paid_planned_amount end) is not null
                then sum(vendor_paid_planned_amount)
        end as vendor_paid_planned_amount,
        case
            when max(case when ingredient = 'VENDOR_BASE' then vendor_paid_planned_amount end) is not null
                then sum(full_cost_planned_amount)
        end as full_cost_planned_amount,
        sum(grant_paid_to_date_amount) as grant_paid_to_date_amount,
        sum(inside_price_to_date_amount) as inside_price_to_date_amount,
        case
            when count(case when cost_source = 'NONE' then 1 end) > 0
                then
                    'Nothing was sent for ' || {{ joined_text("case when cost_source = 'NONE' then ingredient end") }}
                    || ': where these cost something, the full cost is higher.'
        end as what_is_missing
    from rows_of_ingredients
    group by contract_id
)

select
    {{ surrogate_key(['every_row.contract_id', 'every_row.ingredient']) }} as roi_cost_key,
    'ROIci and ROIe' as roi_type,
    every_row.contract_id,
    every_row.ingredient,
    every_row.cost_source,
    cast(every_row.vendor_paid_to_date_amount as decimal(18, 2)) as vendor_paid_to_date_amount,
    cast(every_row.full_cost_to_date_amount as decimal(18, 2)) as full_cost_to_date_amount,
    cast(every_row.vendor_paid_projected_amount as decimal(18, 2)) as vendor_paid_projected_amount,
    cast(every_row.full_cost_projected_amount as decimal(18, 2)) as full_cost_projected_amount,
    cast(every_row.vendor_paid_planned_amount as decimal(18, 2)) as vendor_paid_planned_amount,
    cast(every_row.full_cost_planned_amount as decimal(18, 2)) as full_cost_planned_amount,
    cast(every_row.grant_paid_to_date_amount as decimal(18, 2)) as grant_paid_to_date_amount,
    cast(every_row.inside_price_to_date_amount as decimal(18, 2)) as inside_price_to_date_amount,
    case when every_row.cost_source = 'NONE' or every_row.full_cost_to_date_amount is null then 'not_enough_data' else 'ok' end as status,
    every_row.what_is_missing,
    blocked.contract_id is not null as is_source_flagged,
    {{ as_of_date() }} as as_of_date
from (
    select * from rows_of_ingredients
    union all
    select * from totals
) as every_row
left join blocked
    on every_row.contract_id = blocked.contract_id
