-- The students an action's effect is judged by: those it was for and the others of the same contract, each with the metric in the window
-- before and the window after. Only students who have it in both.
with actions as (
    select *
    from {{ ref('int_improvement__action_window') }}
    where not_judged_because is null
),

groups as (
    select
        contract_id,
        student_id,
        dimension,
        lower(category) as category
    from {{ ref('int_improvement__student_group') }}
),

measured as (
    select
        actions.action_id,
        observations.contract_id,
        observations.student_id,
        actions.school_id,
        actions.population_dimension,
        actions.population_category,
        sum(case when observations.week_start_on < actions.start_week_on then observations.numerator else 0 end) as before_numerator,
        sum(case when observations.week_start_on < actions.start_week_on then observations.denominator else 0 end) as before_denominator,
        sum(case when observations.week_start_on >= actions.after_from_on then observations.numerator else 0 end) as after_numerator,
        sum(case when observations.week_start_on >= actions.after_from_on then observations.denominator else 0 end) as after_denominator
    from actions
    inner join {{ ref('int_improvement__metric_observation') }} as observations
        on
            coalesce(actions.contract_id, observations.contract_id) = observations.contract_id
            and actions.metric_id = observations.metric_id
            and observations.week_start_on between actions.before_from_on and actions.after_to_on
    group by
        actions.action_id, observations.contract_id, observations.student_id, actions.school_id, actions.population_dimension,
        actions.population_category
)

select
    measured.action_id,
    measured.contract_id,
    measured.student_id,
    (measured.school_id is null or schools.student_id is not null)
    and (measured.population_dimension is null or populations.student_id is not null) as is_touched,
    measured.before_numerator,
    measured.before_denominator,
    measured.after_numerator,
    measured.after_denominator,
    cast(measured.after_numerator as double) / measured.after_denominator
    - cast(measured.before_numerator as double) / measured.before_denominator as change
from measured
left join groups as schools
    on
        measured.contract_id = schools.contract_id
        and measured.student_id = schools.student_id
        and schools.dimension = 'school'
        and lower(measured.school_id) = schools.category
left join groups as populations
    on
        measured.contract_id = populations.contract_id
        and measured.student_id = populations.student_id
        and measured.population_dimension = populations.dimension
        and lower(measured.population_category) = populations.category
where
    measured.before_denominator > 0
    and measured.after_denominator > 0
