-- Return on investment, each number with the type that it is (domain §11). ROIci: leading indicators while the program runs, for scaling
-- or changing it; no evidence of impact. ROIsp: options beside each other. ROIe: after final results only. What the vendor is paid and what
-- all of it costs stand side by side.
with setting as (
    select * from {{ source('documents', 'improvement_setting') }}
),

blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

-- is_price: dollars per unit, amount / count. Else units per so many dollars, count x dollars / amount.
number as (
    select
        'ROIci' as roi_type,
        contract_id,
        cast(null as varchar) as option_id,
        line_id,
        measure,
        unit,
        n_students,
        unit_count,
        unit_low,
        unit_high,
        cast(vendor_paid_amount as double) as vendor_paid_amount,
        cast(full_cost_amount as double) as full_cost_amount,
        true as is_price,
        1 as dollars,
        what_is_missing,
        note
    from {{ ref('int_roi__running') }}
    union all
    select
        'ROIe' as roi_type,
        contract_id,
        cast(null as varchar) as option_id,
        line_id,
        measure,
        unit,
        n_students,
        unit_count,
        unit_low,
        unit_high,
        cast(vendor_paid_amount as double) as vendor_paid_amount,
        cast(full_cost_amount as double) as full_cost_amount,
        measure <> 'effect_per_100_dollars' as is_price,
        case when measure = 'effect_per_100_dollars' then 100 else 1 end as dollars,
        what_is_missing,
        note
    from {{ ref('int_roi__final') }}
    union all
    select
        'ROIsp' as roi_type,
        contract_id,
        option_id,
        cast(null as varchar) as line_id,
        'outcomes_per_1000_dollars' as measure,
        'outcomes to expect per $1,000' as unit,
        n_students,
        cast(outcomes_base as double) as unit_count,
        cast(outcomes_low as double) as unit_low,
        cast(outcomes_high as double) as unit_high,
        cast(vendor_paid_amount as double) as vendor_paid_amount,
        cast(full_cost_amount as double) as full_cost_amount,
        false as is_price,
        1000 as dollars,
        what_is_missing,
        'Evidence: ' || lower(coalesce(evidence_grade, 'not stated')) || '.' as note
    from {{ ref('rpt_roi_option') }}
),

-- More of the unit is a lower price, so the upper end of the count is the lower end of the price; a lower end of nothing has none.
valued as (
    select
        *,
        case
            when what_is_missing is not null then null
            when is_price then vendor_paid_amount / nullif(unit_count, 0)
            else unit_count * dollars / nullif(vendor_paid_amount, 0)
        end as vendor_paid_value,
        case
            when what_is_missing is not null then null
            when is_price then case when unit_high > 0 then vendor_paid_amount / unit_high end
            else unit_low * dollars / nullif(vendor_paid_amount, 0)
        end as vendor_paid_low,
        case
            when what_is_missing is not null then null
            when is_price then case when unit_low > 0 then vendor_paid_amount / unit_low end
            else unit_high * dollars / nullif(vendor_paid_amount, 0)
        end as vendor_paid_high,
        case
            when what_is_missing is not null then null
            when is_price then full_cost_amount / nullif(unit_count, 0)
            else unit_count * dollars / nullif(full_cost_amount, 0)
        end as full_cost_value,
        case
            when what_is_missing is not null then null
            when is_price then case when unit_high > 0 then full_cost_amount / unit_high end
            else unit_low * dollars / nullif(full_cost_amount, 0)
        end as full_cost_low,
        case
            when what_is_missing is not null then null
            when is_price then case when unit_low > 0 then full_cost_amount / unit_low end
            else unit_high * dollars / nullif(full_cost_amount, 0)
        end as full_cost_high
    from number
),

every_number as (
    select
        roi_type,
        contract_id,
        option_id,
        line_id,
        measure,
        unit,
        n_students,
        unit_count,
        unit_low,
        unit_high,
        vendor_paid_amount,
        full_cost_amount,
        vendor_paid_value,
        vendor_paid_low,
        vendor_paid_high,
        full_cost_value,
        full_cost_low,
        full_cost_high,
        cast(null as varchar) as verdict,
        what_is_missing,
        note
    from valued
    union all
    select
        'ROIci' as roi_type,
        indexed.contract_id,
        cast(null as varchar) as option_id,
        indexed.line_id,
        'index_against_plan' as measure,
        'cost per outcome as planned / as projected' as unit,
        verdict.n_students,
        indexed.expected_outcomes as unit_count,
        cast(null as double) as unit_low,
        cast(null as double) as unit_high,
        cast(indexed.vendor_paid_projected_amount as double) as vendor_paid_amount,
        cast(indexed.full_cost_projected_amount as double) as full_cost_amount,
        indexed.vendor_paid_index as vendor_paid_value,
        indexed.vendor_paid_index_low as vendor_paid_low,
        indexed.vendor_paid_index_high as vendor_paid_high,
        indexed.full_cost_index as full_cost_value,
        indexed.full_cost_index_low as full_cost_low,
        indexed.full_cost_index_high as full_cost_high,
        verdict.verdict,
        case when verdict.verdict = 'NOT_ENOUGH_DATA' then verdict.verdict_reason end as what_is_missing,
        case when verdict.verdict <> 'NOT_ENOUGH_DATA' then verdict.verdict_reason end as note
    from {{ ref('int_roi__index') }} as indexed
    inner join {{ ref('int_roi__verdict') }} as verdict
        on indexed.contract_id = verdict.contract_id
    where coalesce(indexed.is_now, true)
),

-- Too few students, and nothing is shown of them. An option is a plan for students, not a measurement of some.
limited as (
    select
        every_number.*,
        case
            when every_number.what_is_missing is not null then every_number.what_is_missing
            when every_number.roi_type <> 'ROIsp' and every_number.n_students < setting.least_group_n
                then
                    cast(every_number.n_students as varchar) || ' students; at least ' || cast(setting.least_group_n as varchar)
                    || ' are needed.'
            when every_number.vendor_paid_amount is null and every_number.full_cost_amount is null then 'No cost is known.'
        end as missing,
        every_number.roi_type <> 'ROIsp' and every_number.n_students < setting.normal_group_n as is_small,
        blocked.contract_id is not null as is_source_flagged
    from every_number
    cross join setting
    left join blocked
        on every_number.contract_id = blocked.contract_id
)

select
    {{ surrogate_key(['roi_type', 'contract_id', 'option_id', 'line_id', 'measure']) }} as roi_key,
    roi_type,
    contract_id,
    option_id,
    line_id,
    measure,
    unit,
    cast(n_students as integer) as n_students,
    cast(case when missing is null then unit_count end as decimal(18, 6)) as unit_count,
    cast(case when missing is null then unit_low end as decimal(18, 6)) as unit_count_low,
    cast(case when missing is null then unit_high end as decimal(18, 6)) as unit_count_high,
    cast(round(vendor_paid_amount, 2) as decimal(18, 2)) as vendor_paid_amount,
    cast(round(full_cost_amount, 2) as decimal(18, 2)) as full_cost_amount,
    cast(case when missing is null then vendor_paid_value end as decimal(18, 6)) as vendor_paid_value,
    cast(case when missing is null then vendor_paid_low end as decimal(18, 6)) as vendor_paid_low,
    cast(case when missing is null then vendor_paid_high end as decimal(18, 6)) as vendor_paid_high,
    cast(case when missing is null then full_cost_value end as decimal(18, 6)) as full_cost_value,
    cast(case when missing is null then full_cost_low end as decimal(18, 6)) as full_cost_low,
    cast(case when missing is null then full_cost_high end as decimal(18, 6)) as full_cost_high,
    case
        when measure = 'index_against_plan' and missing is not null then 'NOT_ENOUGH_DATA'
        when measure = 'cost_per_excess_outcome' and missing is null and unit_count is null then 'NO_MEASURABLE_EXCESS'
        when measure = 'effect_per_100_dollars' and missing is null and note is not null then 'NO_MEASURABLE_EFFECT'
        else verdict
    end as verdict,
    case
        when roi_type = 'ROIci' then 'leading indicator, not evidence of impact'
        when roi_type = 'ROIsp' then 'projection for choosing, not a result'
        else 'after final results'
    end as label,
    case when missing is not null then 'not_enough_data' when is_small then 'small_group' else 'ok' end as status,
    missing as what_is_missing,
    note,
    is_source_flagged,
    {{ as_of_date() }} as as_of_date
from limited
