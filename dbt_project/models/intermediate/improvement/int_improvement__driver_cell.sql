-- Every process metric in the two windows of each comparison, by student and by the category the student or the session is in. School,
-- tutor and time slot are those of the session, so one student may be in several; the other dimensions are those of the roster date. The
-- whole district (contract_id NULL) is by provider and school.
{%- set sums = [
    'sum(previous_numerator) as previous_numerator', 'sum(previous_denominator) as previous_denominator',
    'sum(current_numerator) as current_numerator', 'sum(current_denominator) as current_denominator',
] | join(',\n        ') %}
with windows as (
    select *
    from {{ ref('int_improvement__window') }}
),

observed as (
    select
        windows.contract_id is null as is_district,
        windows.comparison,
        observations.contract_id,
        observations.provider_id,
        observations.student_id,
        observations.student_key,
        coalesce(observations.school_id, 'unknown') as school,
        coalesce(observations.tutor_id, 'unknown') as tutor,
        coalesce(observations.time_slot, 'unknown') as time_slot,
        observations.metric_id,
        case when observations.week_start_on < windows.current_from_on then observations.numerator else 0 end as previous_numerator,
        case when observations.week_start_on < windows.current_from_on then observations.denominator else 0 end as previous_denominator,
        case when observations.week_start_on >= windows.current_from_on then observations.numerator else 0 end as current_numerator,
        case when observations.week_start_on >= windows.current_from_on then observations.denominator else 0 end as current_denominator
    from {{ ref('int_improvement__metric_observation') }} as observations
    inner join windows
        on
            coalesce(windows.contract_id, observations.contract_id) = observations.contract_id
            and observations.week_start_on between windows.previous_from_on and windows.current_to_on
),

-- Summed before it is fanned out by dimension.
student_sums as (
    select
        contract_id,
        comparison,
        metric_id,
        student_id,
        {{ sums }}
    from observed
    where not is_district
    group by contract_id, comparison, metric_id, student_id
)

{% for dimension in ['school', 'tutor', 'time_slot'] %}
select
    contract_id,
    comparison,
    metric_id,
    '{{ dimension }}' as dimension,
    {{ dimension }} as category,
    student_id as student_ref,
    {{ sums }}
from observed
where
    not is_district
    {%- if dimension != 'school' %}
    and metric_id not in ('creditable_sessions', 'school_attendance')
    {%- endif %}
group by contract_id, comparison, metric_id, {{ dimension }}, student_id

union all
{% endfor %}
select
    student_sums.contract_id,
    student_sums.comparison,
    student_sums.metric_id,
    groups.dimension,
    groups.category,
    student_sums.student_id as student_ref,
    student_sums.previous_numerator,
    student_sums.previous_denominator,
    student_sums.current_numerator,
    student_sums.current_denominator
from student_sums
inner join {{ ref('int_improvement__student_group') }} as groups
    on
        student_sums.contract_id = groups.contract_id
        and student_sums.student_id = groups.student_id
where groups.dimension not in ('school', 'time_slot', 'provider')

{% for dimension, column in {'provider': 'provider_id', 'school': 'school'}.items() %}
union all

select
    cast(null as varchar) as contract_id,
    comparison,
    metric_id,
    '{{ dimension }}' as dimension,
    {{ column }} as category,
    coalesce(student_key, contract_id || '|' || student_id) as student_ref,
    {{ sums }}
from observed
where is_district
group by comparison, metric_id, {{ column }}, coalesce(student_key, contract_id || '|' || student_id)
{% endfor %}
