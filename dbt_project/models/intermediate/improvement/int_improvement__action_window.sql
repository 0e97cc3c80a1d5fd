-- Each agreed action with the two equal windows around its start, who it was for, and what keeps it from being judged, if anything does.
-- The week it started in is in neither window, unless it started on its Monday.
with setting as (
    select action_window_weeks
    from {{ source('documents', 'improvement_setting') }}
),

contracts as (
    select
        contract_id,
        service_start_on,
        service_end_on
    from {{ ref('int_payment__contract') }}

    union all

    -- An action about no single contract is about all.
    select
        null as contract_id,
        min(service_start_on) as service_start_on,
        max(service_end_on) as service_end_on
    from {{ ref('int_payment__contract') }}
),

metrics as (
    select
        metric_id,
        better_direction
    from {{ ref('dim_metric') }}
    where measure_kind = 'PROCESS'
),

priced_metrics as (
    select distinct metric_id
    from {{ ref('dim_metric') }}
    where measure_kind = 'PAYMENT'
),

groups as (
    select distinct
        dimension,
        lower(category) as category
    from {{ ref('int_improvement__student_group') }}
),

actions as (
    select
        actions.*,
        contracts.service_start_on,
        contracts.service_end_on,
        coalesce(actions.wanted_direction, metrics.better_direction) as judged_direction,
        setting.action_window_weeks,
        {{ week_start('actions.started_on') }} as start_week_on,
        -- The first Monday on or after the start.
        {{ week_start(add_days('actions.started_on', 6)) }} as after_from_on,
        case
            when actions.metric_id is null then 'The action names no metric that it should move.'
            when metrics.metric_id is null and priced_metrics.metric_id is not null
                then 'The metric is a priced outcome: test windows are too far apart to judge an action by.'
            when metrics.metric_id is null then 'The metric is not one that is computed (see dim_metric).'
            when actions.contract_id is not null and contracts.contract_id is null then 'The contract is not known.'
            when
                actions.school_id is not null and schools.category is null
                or actions.population_dimension is not null and populations.category is null
                then 'The students it is for are not a group that is known (see agg_outcome_subgroup).'
        end as cannot_be_judged
    from {{ ref('input__ci_action') }} as actions
    cross join setting
    left join contracts
        on actions.contract_id is not distinct from contracts.contract_id
    left join metrics
        on actions.metric_id = metrics.metric_id
    left join priced_metrics
        on actions.metric_id = priced_metrics.metric_id
    left join groups as schools
        on
            schools.dimension = 'school'
            and lower(actions.school_id) = schools.category
    left join groups as populations
        on
            actions.population_dimension = populations.dimension
            and lower(actions.population_category) = populations.category
),

windows as (
    select
        actions.*,
        {{ add_days('start_week_on', '-7 * action_window_weeks') }} as before_from_on,
        {{ add_days('start_week_on', -1) }} as before_to_on,
        {{ add_days('after_from_on', '7 * action_window_weeks - 1') }} as after_to_on
    from actions
)

select
    windows.*,
    coalesce(
        cannot_be_judged,
        case
            when started_on is null and status = 'DROPPED' then 'It was dropped before it started.'
            when started_on is null then 'It has not started, or nobody has said when.'
            when before_from_on < {{ week_start('service_start_on') }}
                then 'Service had not gone on for ' || cast(action_window_weeks as varchar) || ' weeks when it started.'
            when after_to_on > {{ add_days(week_start('service_end_on'), 6) }}
                then 'Service ends before ' || cast(action_window_weeks as varchar) || ' weeks after it started.'
            when after_to_on > {{ as_of_date() }}
                then cast(action_window_weeks as varchar) || ' whole weeks have not passed since it started.'
        end
    ) as not_judged_because,
    case
        when cannot_be_judged is not null then 'NOT_ENOUGH_DATA'
        when started_on is null and status = 'DROPPED' then 'NOT_ENOUGH_DATA'
        when started_on is null then 'TOO_EARLY'
        when before_from_on < {{ week_start('service_start_on') }} then 'NOT_ENOUGH_DATA'
        when after_to_on > {{ add_days(week_start('service_end_on'), 6) }} then 'NOT_ENOUGH_DATA'
        when after_to_on > {{ as_of_date() }} then 'TOO_EARLY'
    end as verdict_without_numbers
from windows
