-- ROIci: what each contract's money buys while it runs, as an amount in two kinds and a count of what it buys. Cost per attended hour and
-- per student on pace are to date; cost per outcome is projected, to date and committed over the outcomes to expect.
with cost as (
    select * from {{ ref('rpt_roi_cost') }}
    where ingredient = 'ALL'
),

dose as (
    select
        contract_id,
        count(student_key) as n_assigned,
        cast(sum(attended_minutes) as double) / 60 as attended_hours,
        sum(attended) as attended_sessions
    from {{ ref('int_student_tutoring__dose') }}
    group by contract_id
),

unmeasured as (
    select
        contract_id,
        count(case when attended_minutes is null then 1 end) as sessions_without_minutes
    from {{ ref('int_tutoring_session__cause') }}
    where is_attended
    group by contract_id
),

pace as (
    select
        contract_id,
        count(case when pace = 'ON_PACE' then 1 end) as on_pace,
        count(case when pace <> 'UNKNOWN' then 1 end) as pace_known
    from {{ ref('int_roi__pace') }}
    where is_now
    group by contract_id
),

hour as (
    select
        cost.contract_id,
        'cost_per_attended_hour' as measure,
        'dollars per attended hour' as unit,
        coalesce(dose.n_assigned, 0) as n_students,
        dose.attended_hours as unit_count,
        cost.vendor_paid_to_date_amount as vendor_paid_amount,
        cost.full_cost_to_date_amount as full_cost_amount,
        case
            when coalesce(dose.attended_sessions, 0) = 0 then 'No attended sessions are known.'
            when coalesce(dose.attended_hours, 0) = 0 then 'The minutes of attended sessions are not known.'
        end as what_is_missing,
        case
            when unmeasured.sessions_without_minutes > 0
                then
                    'Of ' || cast(dose.attended_sessions as varchar) || ' attended sessions the minutes of '
                    || cast(unmeasured.sessions_without_minutes as varchar) || ' are not known; an hour costs less than this.'
        end as note,
        cast(null as varchar) as line_id,
        cast(null as double) as unit_low,
        cast(null as double) as unit_high
    from cost
    left join dose
        on cost.contract_id = dose.contract_id
    left join unmeasured
        on cost.contract_id = unmeasured.contract_id
),

student_on_pace as (
    select
        cost.contract_id,
        'cost_per_student_on_pace' as measure,
        'dollars per student on pace' as unit,
        coalesce(pace.pace_known, 0) as n_students,
        cast(pace.on_pace as double) as unit_count,
        cost.vendor_paid_to_date_amount as vendor_paid_amount,
        cost.full_cost_to_date_amount as full_cost_amount,
        case
            when coalesce(pace.pace_known, 0) = 0 then 'The pace of no student is known.'
            when pace.on_pace = 0 then 'No student is on pace: there is nothing to divide by.'
        end as what_is_missing,
        cast(null as varchar) as note,
        cast(null as varchar) as line_id,
        cast(null as double) as unit_low,
        cast(null as double) as unit_high
    from cost
    left join pace
        on cost.contract_id = pace.contract_id
),

outcome as (
    select
        cost.contract_id,
        'projected_cost_per_outcome' as measure,
        'dollars per expected outcome' as unit,
        coalesce(outlook.n_students, 0) as n_students,
        outlook.expected_outcomes as unit_count,
        cost.vendor_paid_projected_amount as vendor_paid_amount,
        cost.full_cost_projected_amount as full_cost_amount,
        case
            when coalesce(outlook.n_students, 0) = 0 then 'No student is in scope of this line.'
            when outlook.expected_outcomes is null
                then 'Too few are measured to say how likely an outcome is, and the contract states no rate.'
            when outlook.expected_outcomes <= 0 then 'No outcome is to be expected: there is nothing to divide by.'
        end as what_is_missing,
        cast(null as varchar) as note,
        line.line_id,
        outlook.expected_low as unit_low,
        outlook.expected_high as unit_high
    from cost
    inner join {{ ref('int_payment__line') }} as line
        on cost.contract_id = line.contract_id
    left join {{ ref('int_roi__outlook') }} as outlook
        on
            line.contract_id = outlook.contract_id
            and line.line_id = outlook.line_id
            and outlook.is_now
)

select
    contract_id,
    line_id,
    measure,
    unit,
    n_students,
    unit_count,
    unit_low,
    unit_high,
    vendor_paid_amount,
    full_cost_amount,
    what_is_missing,
    note
from hour
union all
select
    contract_id,
    line_id,
    measure,
    unit,
    n_students,
    unit_count,
    unit_low,
    unit_high,
    vendor_paid_amount,
    full_cost_amount,
    what_is_missing,
    note
from student_on_pace
union all
select
    contract_id,
    line_id,
    measure,
    unit,
    n_students,
    unit_count,
    unit_low,
    unit_high,
    vendor_paid_amount,
    full_cost_amount,
    what_is_missing,
    note
from outcome
