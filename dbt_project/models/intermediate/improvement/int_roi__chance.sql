-- How likely a student of each line meets the outcome, by pace: the share among the district's own measured students this year who had
-- their dose, or had not, where there are enough of them; else the rate the contract states; else unknown.
with setting as (
    select * from {{ source('documents', 'improvement_setting') }}
),

counted as (
    select
        contract_id,
        line_id,
        count(case when is_outcome_met is not null then 1 end) as measured,
        count(case when is_outcome_met then 1 end) as met,
        count(case when is_outcome_met is not null and is_attendance_met then 1 end) as measured_with_dose,
        count(case when is_outcome_met and is_attendance_met then 1 end) as met_with_dose,
        count(case when is_outcome_met is not null and not is_attendance_met then 1 end) as measured_without_dose,
        count(case when is_outcome_met and not is_attendance_met then 1 end) as met_without_dose
    from {{ ref('int_payment__decision') }}
    where
        not is_excluded
        and decision <> 'OUT_OF_SCOPE'
    group by contract_id, line_id
),

by_pace as (
    select
        contract_id,
        line_id,
        'ON_PACE' as pace,
        measured_with_dose as measured,
        met_with_dose as met
    from counted
    union all
    select
        contract_id,
        line_id,
        'BEHIND' as pace,
        measured_without_dose as measured,
        met_without_dose as met
    from counted
    union all
    select
        contract_id,
        line_id,
        'UNKNOWN' as pace,
        measured,
        met
    from counted
)

select
    by_pace.contract_id,
    by_pace.line_id,
    by_pace.pace,
    by_pace.measured,
    by_pace.met,
    case
        when by_pace.measured >= setting.least_group_n then cast(by_pace.met as double) / by_pace.measured
        else cast(line.expected_rate_no_tutoring as double)
    end as chance,
    case when by_pace.measured >= setting.least_group_n then {{ wilson_bound('by_pace.met', 'by_pace.measured', '-') }} end as chance_low,
    case when by_pace.measured >= setting.least_group_n then {{ wilson_bound('by_pace.met', 'by_pace.measured', '+') }} end as chance_high
from by_pace
cross join setting
inner join {{ ref('int_payment__line') }} as line
    on
        by_pace.contract_id = line.contract_id
        and by_pace.line_id = line.line_id
