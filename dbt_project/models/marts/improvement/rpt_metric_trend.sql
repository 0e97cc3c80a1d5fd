-- Every process metric week by week, with control limits of the mean and three standard errors, and with what else happened: closed days
-- and external events. A week without a denominator is a row without a number.
{%- set weeks_for_limits = 8 %}
with setting as (
    select
        least_group_n,
        normal_group_n
    from {{ source('documents', 'improvement_setting') }}
),

windows as (
    select *
    from {{ ref('int_improvement__window') }}
    where
        comparison = 'WEEKS'
        and contract_id is not null
),

services as (
    select
        contracts.contract_id,
        {{ week_start('contracts.service_start_on') }} as first_week_on,
        windows.current_to_on as last_on,
        windows.previous_from_on,
        windows.current_from_on
    from {{ ref('int_payment__contract') }} as contracts
    inner join windows
        on contracts.contract_id = windows.contract_id
),

metrics as (
    select
        metric_id,
        label,
        better_direction
    from {{ ref('dim_metric') }}
    where measure_kind = 'PROCESS'
),

observed as (
    select weeks.*
    from {{ ref('int_improvement__metric_week') }} as weeks
    inner join services
        on
            weeks.contract_id = services.contract_id
            and weeks.week_start_on between services.first_week_on and services.last_on
),

series as (
    select distinct
        contract_id,
        scope,
        school_id,
        metric_id
    from observed
),

calendar as (
    select
        school_id,
        {{ week_start('calendar_on') }} as week_start_on,
        count(*) as school_days,
        count(case when day_type = 'CLOSURE' then 1 end) as closed_days
    from {{ ref('input__calendar_day') }}
    group by school_id, {{ week_start('calendar_on') }}
),

all_weeks as (
    select distinct week_start_on
    from calendar

    union

    select distinct week_start_on
    from observed
),

-- Every week of service, also those of which nothing is known; a metric that was never observed for a contract has one row without a week.
spine as (
    select
        series.contract_id,
        series.scope,
        series.school_id,
        series.metric_id,
        all_weeks.week_start_on,
        case
            when all_weeks.week_start_on >= services.current_from_on then 'CURRENT'
            when all_weeks.week_start_on >= services.previous_from_on then 'PREVIOUS'
        end as trend_window
    from series
    inner join services
        on series.contract_id = services.contract_id
    inner join all_weeks
        on all_weeks.week_start_on between services.first_week_on and services.last_on

    union all

    select
        services.contract_id,
        'CONTRACT' as scope,
        null as school_id,
        metrics.metric_id,
        null as week_start_on,
        null as trend_window
    from services
    cross join metrics
    left join series
        on
            services.contract_id = series.contract_id
            and metrics.metric_id = series.metric_id
            and series.scope = 'CONTRACT'
    where series.metric_id is null
),

points as (
    select
        spine.*,
        observed.numerator,
        observed.denominator,
        coalesce(observed.n_students, 0) as n_students,
        case
            when observed.n_students is null or observed.n_students < setting.least_group_n then 'not_enough_data'
            when observed.n_students < setting.normal_group_n then 'small_group'
            else 'ok'
        end as status,
        setting.least_group_n
    from spine
    cross join setting
    left join observed
        on
            spine.contract_id = observed.contract_id
            and spine.scope = observed.scope
            and spine.school_id is not distinct from observed.school_id
            and spine.metric_id = observed.metric_id
            and spine.week_start_on = observed.week_start_on
),

shown as (
    select
        points.*,
        case when status <> 'not_enough_data' then cast(numerator as double) end as shown_numerator,
        case when status <> 'not_enough_data' then cast(denominator as double) end as shown_denominator
    from points
),

centred as (
    select
        shown.*,
        shown_numerator / shown_denominator as rate,
        count(shown_denominator) over (partition by contract_id, scope, school_id, metric_id) as n_weeks,
        sum(shown_numerator) over (partition by contract_id, scope, school_id, metric_id)
        / sum(shown_denominator) over (partition by contract_id, scope, school_id, metric_id) as mean_rate,
        case
            when trend_window is not null
                then
                    sum(shown_numerator) over (partition by contract_id, scope, school_id, metric_id, trend_window)
                    / sum(shown_denominator) over (partition by contract_id, scope, school_id, metric_id, trend_window)
        end as window_rate
    from shown
),

-- A share varies as mean x (1 - mean) / n; what may exceed its denominator (sessions against required) as mean / n.
limited as (
    select
        centred.*,
        case
            when n_weeks >= {{ weeks_for_limits }}
                then
                    sqrt(mean_rate * case when metric_id = 'creditable_sessions' then 1 else 1 - mean_rate end / shown_denominator)
        end as standard_error,
        case when metric_id <> 'creditable_sessions' then 1 end as greatest_rate
    from centred
),

judged as (
    select
        limited.*,
        -- Not greatest() and least() alone: they would make a limit of nothing out of NULL.
        case when standard_error is not null then greatest(mean_rate - 3 * standard_error, 0) end as lower_limit,
        case
            when standard_error is null then null
            when greatest_rate is null then mean_rate + 3 * standard_error
            else least(mean_rate + 3 * standard_error, greatest_rate)
        end as upper_limit
    from limited
),

-- Only schools that the contract serves.
contract_schools as (
    select distinct
        contract_id,
        school_id
    from series
    where scope = 'SCHOOL'
),

closures as (
    select
        contract_schools.contract_id,
        'SCHOOL' as scope,
        contract_schools.school_id,
        calendar.week_start_on,
        calendar.school_days,
        calendar.closed_days
    from contract_schools
    inner join calendar
        on contract_schools.school_id = calendar.school_id

    union all

    select
        contract_schools.contract_id,
        'CONTRACT' as scope,
        null as school_id,
        calendar.week_start_on,
        sum(calendar.school_days) as school_days,
        sum(calendar.closed_days) as closed_days
    from contract_schools
    inner join calendar
        on contract_schools.school_id = calendar.school_id
    group by contract_schools.contract_id, calendar.week_start_on
),

happened as (
    select distinct
        contract_schools.contract_id,
        contract_schools.school_id,
        all_weeks.week_start_on,
        factors.factor
    from {{ ref('input__external_factor') }} as factors
    inner join all_weeks
        on
            all_weeks.week_start_on <= factors.ends_on
            and factors.starts_on <= {{ add_days('all_weeks.week_start_on', 6) }}
    inner join contract_schools
        on coalesce(factors.school_id, contract_schools.school_id) = contract_schools.school_id
    where factors.kind = 'EVENT'
),

events as (
    select
        contract_id,
        'SCHOOL' as scope,
        school_id,
        week_start_on,
        {{ joined_text('factor') }} as factors
    from happened
    group by contract_id, school_id, week_start_on

    union all

    select
        contract_id,
        'CONTRACT' as scope,
        null as school_id,
        week_start_on,
        {{ joined_text('factor') }} as factors
    from (
        select distinct
            contract_id,
            week_start_on,
            factor
        from happened
    ) as of_any_school
    group by contract_id, week_start_on
)

select
    judged.contract_id,
    judged.scope,
    judged.school_id,
    judged.metric_id,
    metrics.label as metric_label,
    judged.week_start_on,
    judged.trend_window,
    cast(case when judged.status <> 'not_enough_data' then judged.numerator end as decimal(18, 6)) as numerator,
    cast(case when judged.status <> 'not_enough_data' then judged.denominator end as decimal(18, 6)) as denominator,
    cast(judged.rate as decimal(12, 6)) as rate,
    cast(judged.n_students as integer) as n_students,
    cast(judged.window_rate as decimal(12, 6)) as window_rate,
    cast(judged.mean_rate as decimal(12, 6)) as mean_rate,
    cast(judged.lower_limit as decimal(12, 6)) as lower_limit,
    cast(judged.upper_limit as decimal(12, 6)) as upper_limit,
    judged.rate < judged.lower_limit or judged.rate > judged.upper_limit as is_out_of_control,
    case
        when judged.rate > judged.upper_limit then case when metrics.better_direction = 'UP' then 'BETTER' else 'WORSE' end
        when judged.rate < judged.lower_limit then case when metrics.better_direction = 'UP' then 'WORSE' else 'BETTER' end
    end as signal,
    cast(closures.school_days as integer) as school_days,
    cast(closures.closed_days as integer) as closed_days,
    events.factors as external_events,
    judged.status,
    case
        when judged.week_start_on is null then 'No week of this contract has this metric.'
        when closures.closed_days = closures.school_days and judged.denominator is null then 'The schools were closed all week.'
        when judged.denominator is null then 'Nothing was observed this week.'
        when judged.status = 'not_enough_data'
            then 'Fewer than ' || cast(judged.least_group_n as varchar) || ' students.'
        when judged.n_weeks < {{ weeks_for_limits }} then 'Control limits need {{ weeks_for_limits }} weeks.'
    end as what_is_missing
from judged
inner join metrics
    on judged.metric_id = metrics.metric_id
left join closures
    on
        judged.contract_id = closures.contract_id
        and judged.scope = closures.scope
        and judged.school_id is not distinct from closures.school_id
        and judged.week_start_on = closures.week_start_on
left join events
    on
        judged.contract_id = events.contract_id
        and judged.scope = events.scope
        and judged.school_id is not distinct from events.school_id
        and judged.week_start_on = events.week_start_on
