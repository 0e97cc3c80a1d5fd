-- Every process metric per contract and week, for the contract as a whole (scope CONTRACT) and for each of its schools (scope SCHOOL).
-- Only weeks with a denominator.
with observations as (
    select
        contract_id,
        coalesce(school_id, 'unknown') as school_id,
        metric_id,
        week_start_on,
        student_id,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from {{ ref('int_improvement__metric_observation') }}
    group by contract_id, coalesce(school_id, 'unknown'), metric_id, week_start_on, student_id
)

select
    contract_id,
    'CONTRACT' as scope,
    cast(null as varchar) as school_id,
    metric_id,
    week_start_on,
    sum(numerator) as numerator,
    sum(denominator) as denominator,
    count(distinct student_id) as n_students
from observations
group by contract_id, metric_id, week_start_on

union all

select
    contract_id,
    'SCHOOL' as scope,
    school_id,
    metric_id,
    week_start_on,
    sum(numerator) as numerator,
    sum(denominator) as denominator,
    count(*) as n_students
from observations
group by contract_id, school_id, metric_id, week_start_on
