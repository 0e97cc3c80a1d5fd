-- Options for a need beside each other (domain §11, ROIsp): whom they reach, what that costs, the outcomes to expect per $1,000, and how
-- good the evidence is. A projection for choosing: the effects are what the evidence says, not what happened here.
with options as (
    select
        *,
        -- No more than there is room for; where one of the two is not stated, the other.
        least(coalesce(reachable_students, capacity_students), coalesce(capacity_students, reachable_students)) as students
    from {{ ref('input__program_option') }}
),

-- A cost per student that is stated has all ingredients in it. Else the option's own cost rows, spread over its students.
sent as (
    select
        option_id,
        sum(case when paid_by <> 'VENDOR' or left(ingredient, 7) = 'VENDOR_' then amount else 0 end) as full_cost_amount,
        sum(case when left(ingredient, 7) = 'VENDOR_' then amount end) as vendor_paid_amount
    from {{ ref('input__cost') }}
    where
        option_id is not null
        and is_planned
    group by option_id
),

costed as (
    select
        options.*,
        case
            when options.cost_per_student_amount is not null then options.cost_per_student_amount * options.students
            else sent.full_cost_amount
        end as full_cost_amount,
        sent.vendor_paid_amount
    from options
    left join sent
        on options.option_id = sent.option_id
),

judged as (
    select
        *,
        case when students > 0 then 1000 / nullif(cast(greatest(full_cost_amount, 0) as double), 0) end as per_1000,
        case
            when students is null then 'How many students it reaches is not stated.'
            when students <= 0 then 'It reaches nobody.'
            when full_cost_amount is null then 'What it costs is not stated.'
            when full_cost_amount <= 0 then 'A cost of nothing cannot be divided by.'
            when outcome_rate_gain_base is null then 'What effect to expect is not stated.'
        end as what_is_missing
    from costed
)

select
    {{ surrogate_key(['option_id']) }} as roi_option_key,
    'ROIsp' as roi_type,
    need,
    option_id,
    option_name,
    contract_id,
    cast(reachable_students as integer) as reachable_students,
    cast(capacity_students as integer) as capacity_students,
    cast(students as integer) as n_students,
    cast(full_cost_amount / nullif(students, 0) as decimal(18, 6)) as cost_per_student_amount,
    cast(vendor_paid_amount as decimal(18, 2)) as vendor_paid_amount,
    cast(full_cost_amount as decimal(18, 2)) as full_cost_amount,
    cast(students * outcome_rate_gain_low as decimal(18, 6)) as outcomes_low,
    cast(students * outcome_rate_gain_base as decimal(18, 6)) as outcomes_base,
    cast(students * outcome_rate_gain_high as decimal(18, 6)) as outcomes_high,
    cast(students * outcome_rate_gain_low * per_1000 as decimal(18, 6)) as outcomes_per_1000_dollars_low,
    cast(students * outcome_rate_gain_base * per_1000 as decimal(18, 6)) as outcomes_per_1000_dollars_base,
    cast(students * outcome_rate_gain_high * per_1000 as decimal(18, 6)) as outcomes_per_1000_dollars_high,
    evidence_grade,
    cast(sustainability_years as decimal(9, 2)) as sustainability_years,
    case
        when what_is_missing is null
            then
                cast(rank() over (
                    partition by need, what_is_missing is null
                    order by cast(students * outcome_rate_gain_base as double) / nullif(cast(full_cost_amount as double), 0) desc
                ) as integer)
    end as rank_in_need,
    'projection for choosing, not a result' as label,
    case when what_is_missing is null then 'ok' else 'not_enough_data' end as status,
    what_is_missing,
    {{ as_of_date() }} as as_of_date
from judged
