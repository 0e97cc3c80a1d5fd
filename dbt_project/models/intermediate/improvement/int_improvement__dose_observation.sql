-- Each measured student of each priced line with dosage, school attendance and what is averaged: whether the line's threshold is met, and
-- where the instrument states it, the conditional growth index (percentiles are never averaged).
with outcome as (
    select
        outcome.contract_id,
        outcome.line_id,
        outcome.student_ref as student_key,
        outcome.is_outcome_met,
        outcome.end_assessment_result_key,
        case when left(line.metric, 4) = 'CGP_' then replace(line.metric, 'CGP_', 'CGI_') end as index_metric
    from {{ ref('int_payment__outcome') }} as outcome
    inner join {{ ref('int_payment__line') }} as line
        on
            outcome.contract_id = line.contract_id
            and outcome.line_id = line.line_id
    where
        outcome.metric_value is not null
        and left(outcome.student_ref, 8) <> 'unknown:'
),

observed as (
    select
        contract_id,
        line_id,
        student_key,
        'share_met' as measure,
        case when is_outcome_met then 1.0e0 when not is_outcome_met then 0.0e0 end as observed_value
    from outcome
    union all
    select
        outcome.contract_id,
        outcome.line_id,
        outcome.student_key,
        'mean_cgi' as measure,
        cast(index_of_growth.value as double) as observed_value
    from outcome
    inner join {{ ref('input__assessment_metric') }} as index_of_growth
        on
            outcome.end_assessment_result_key = index_of_growth.assessment_result_key
            and outcome.index_metric = index_of_growth.metric
),

dosage as (
    select
        contract_id,
        student_key,
        max(case when factor_kind = 'DOSAGE' then factor_value end) as dosage_rate,
        max(case when factor_kind = 'SCHOOL_ATTENDANCE' then factor_value end) as school_attendance_rate
    from {{ ref('int_improvement__student_measure') }}
    where factor_kind in ('DOSAGE', 'SCHOOL_ATTENDANCE')
    group by contract_id, student_key
)

select
    observed.contract_id,
    observed.line_id,
    observed.measure,
    observed.student_key,
    observed.observed_value,
    dosage.dosage_rate,
    dosage.school_attendance_rate,
    case
        when dosage.dosage_rate < 0.25 then 1
        when dosage.dosage_rate < 0.5 then 2
        when dosage.dosage_rate < 0.7 then 3
        when dosage.dosage_rate < 0.8 then 4
        when dosage.dosage_rate < 0.9 then 5
        else 6
    end as bin_number
from observed
inner join dosage
    on
        observed.contract_id = dosage.contract_id
        and observed.student_key = dosage.student_key
where
    observed.observed_value is not null
    and dosage.dosage_rate is not null
