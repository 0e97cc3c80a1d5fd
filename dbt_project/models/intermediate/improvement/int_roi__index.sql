-- Projected cost per outcome at plan over the one now, month by month, on each contract's leading line (the first growth line, else the
-- first line): 1 is as planned, above is cheaper. The plan is the option that the contract is; costs are as known now, what moves is pace.
with leading_line as (
    select
        contract_id,
        line_id,
        expected_rate_no_tutoring,
        row_number() over (
            partition by contract_id
            order by case when outcome_class = 'GROWTH' then 0 else 1 end, line_id
        ) as preference
    from {{ ref('int_payment__line') }}
),

plan_option as (
    select
        contract_id,
        least(coalesce(reachable_students, capacity_students), coalesce(capacity_students, reachable_students)) as students,
        cost_per_student_amount,
        outcome_rate_gain_base,
        row_number() over (partition by contract_id order by option_id) as preference
    from {{ ref('input__program_option') }}
    where contract_id is not null
),

cost as (
    select * from {{ ref('rpt_roi_cost') }}
    where ingredient = 'ALL'
),

planned as (
    select
        leading_line.contract_id,
        leading_line.line_id,
        plan_option.students * (leading_line.expected_rate_no_tutoring + plan_option.outcome_rate_gain_base) as planned_outcomes,
        cost.vendor_paid_planned_amount,
        coalesce(cost.full_cost_planned_amount, plan_option.students * plan_option.cost_per_student_amount) as full_cost_planned_amount,
        cost.vendor_paid_projected_amount,
        cost.full_cost_projected_amount,
        case
            when plan_option.contract_id is null then 'No option says that it is this contract: there is no plan to compare with.'
            when plan_option.students is null then 'The plan states no number of students.'
            when plan_option.outcome_rate_gain_base is null then 'The plan states no effect to expect.'
            when leading_line.expected_rate_no_tutoring is null then 'The contract states no rate to expect without tutoring.'
            when cost.full_cost_planned_amount is null and plan_option.cost_per_student_amount is null
                then 'The plan states no cost.'
        end as what_is_missing
    from leading_line
    left join plan_option
        on
            leading_line.contract_id = plan_option.contract_id
            and plan_option.preference = 1
    left join cost
        on leading_line.contract_id = cost.contract_id
    where leading_line.preference = 1
),

by_moment as (
    select
        planned.*,
        outlook.moment_on,
        outlook.is_now,
        outlook.n_students,
        outlook.expected_outcomes,
        outlook.expected_low,
        outlook.expected_high,
        -- (planned cost / planned outcomes) / (projected cost / expected outcomes)
        cast(planned.vendor_paid_planned_amount as double) / nullif(cast(planned.planned_outcomes as double), 0)
        / nullif(cast(planned.vendor_paid_projected_amount as double), 0) as vendor_paid_scale,
        cast(planned.full_cost_planned_amount as double) / nullif(cast(planned.planned_outcomes as double), 0)
        / nullif(cast(planned.full_cost_projected_amount as double), 0) as full_cost_scale
    from planned
    left join {{ ref('int_roi__outlook') }} as outlook
        on
            planned.contract_id = outlook.contract_id
            and planned.line_id = outlook.line_id
)

select
    contract_id,
    line_id,
    moment_on,
    is_now,
    n_students,
    planned_outcomes,
    vendor_paid_planned_amount,
    full_cost_planned_amount,
    vendor_paid_projected_amount,
    full_cost_projected_amount,
    expected_outcomes,
    vendor_paid_scale * expected_outcomes as vendor_paid_index,
    vendor_paid_scale * expected_low as vendor_paid_index_low,
    vendor_paid_scale * expected_high as vendor_paid_index_high,
    full_cost_scale * expected_outcomes as full_cost_index,
    full_cost_scale * expected_low as full_cost_index_low,
    full_cost_scale * expected_high as full_cost_index_high,
    -- Judged on the full cost where it is known.
    coalesce(full_cost_scale, vendor_paid_scale) * expected_outcomes as judged_index,
    what_is_missing
from by_moment
