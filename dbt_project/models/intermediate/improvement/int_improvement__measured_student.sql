-- One row per contract, measure and student who has a value of it: numerator over denominator, both additive. A priced line counts the
-- student as 1 of 1 or 0 of 1; a process metric counts sessions, days or answers of the whole contract.
select
    outcome.contract_id,
    outcome.line_id,
    lower(outcome.line_id) as metric_id,
    students.student_id,
    case when outcome.is_outcome_met then 1.0e0 else 0.0e0 end as numerator,
    1.0e0 as denominator,
    cast(outcome.metric_value as double) as student_value,
    expectation.expected_rate,
    expectation.cell_key,
    expectation.history_students
from {{ ref('int_payment__outcome') }} as outcome
inner join {{ ref('int_improvement__student') }} as students
    on
        outcome.contract_id = students.contract_id
        and outcome.student_ref = students.student_key
left join {{ ref('int_improvement__expectation') }} as expectation
    on
        outcome.contract_id = expectation.contract_id
        and outcome.line_id = expectation.line_id
        and students.student_id = expectation.student_id
where outcome.measure_status = 'MEASURED'
union all
select
    contract_id,
    cast(null as varchar) as line_id,
    metric_id,
    student_id,
    sum(cast(numerator as double)) as numerator,
    sum(cast(denominator as double)) as denominator,
    sum(cast(numerator as double)) / sum(cast(denominator as double)) as student_value,
    cast(null as double) as expected_rate,
    cast(null as varchar) as cell_key,
    cast(null as integer) as history_students
from {{ ref('int_improvement__metric_observation') }}
group by contract_id, metric_id, student_id
