-- Each external factor beside each process metric, week by week: a contract's metric in a week, and the factor at the same schools as many
-- weeks earlier as the lag says. Schools weigh as in the metric's denominator. Days closed by the calendar are a factor too.
with setting as (
    select
        least_group_n,
        lag_weeks_max
    from {{ source('documents', 'improvement_setting') }}
),

lags as (
    {%- for lag in range(0, 9) %}
    select {{ lag }} as lag_weeks
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

spans as (
    select
        factor_id,
        factor,
        kind,
        unit,
        school_id,
        starts_on,
        ends_on,
        cast(value as double) as value
    from {{ ref('input__external_factor') }}
    where starts_on <= {{ as_of_date() }}

    union all

    select
        'closed_days' as factor_id,
        'School closed (calendar)' as factor,
        'EVENT' as kind,
        'share of the week' as unit,
        school_id,
        calendar_on as starts_on,
        calendar_on as ends_on,
        cast(null as double) as value
    from {{ ref('input__calendar_day') }}
    where day_type = 'CLOSURE'
),

factors as (
    select
        factor_id,
        max(factor) as factor,
        max(kind) as kind,
        max(unit) as unit
    from spans
    group by factor_id
),

school_weeks as (
    select
        contract_id,
        school_id,
        metric_id,
        week_start_on,
        cast(denominator as double) as denominator
    from {{ ref('int_improvement__metric_week') }}
    where scope = 'SCHOOL'
),

contract_weeks as (
    select
        weeks.contract_id,
        weeks.metric_id,
        weeks.week_start_on,
        weeks.n_students,
        cast(weeks.numerator as double) / weeks.denominator as metric_rate
    from {{ ref('int_improvement__metric_week') }} as weeks
    cross join setting
    where
        weeks.scope = 'CONTRACT'
        and weeks.n_students >= setting.least_group_n
),

-- A week in which the program rests may still be the week before one in which it does not.
mondays as (
    select distinct week_start_on
    from school_weeks

    union

    select distinct {{ week_start('calendar_on') }} as week_start_on
    from {{ ref('input__calendar_day') }}
),

-- Days of a week that a span covers: of an event the days Monday to Friday, of a rate all seven.
covered as (
    select
        spans.factor_id,
        spans.school_id,
        mondays.week_start_on,
        sum({{ days_between(
            'greatest(spans.starts_on, mondays.week_start_on)', add_days('least(spans.ends_on, ' ~ add_days('mondays.week_start_on', 4) ~ ')', 1)
        ) }}) as school_days,
        sum(spans.value * {{ days_between(
            'greatest(spans.starts_on, mondays.week_start_on)', add_days('least(spans.ends_on, ' ~ add_days('mondays.week_start_on', 6) ~ ')', 1)
        ) }}) as value_days,
        sum({{ days_between(
            'greatest(spans.starts_on, mondays.week_start_on)', add_days('least(spans.ends_on, ' ~ add_days('mondays.week_start_on', 6) ~ ')', 1)
        ) }}) as all_days
    from spans
    inner join mondays
        on
            spans.starts_on <= {{ add_days('mondays.week_start_on', 6) }}
            and spans.ends_on >= mondays.week_start_on
    group by spans.factor_id, spans.school_id, mondays.week_start_on
),

valued as (
    select
        covered.factor_id,
        covered.school_id,
        covered.week_start_on,
        case
            when factors.kind = 'EVENT' then least(greatest(covered.school_days, 0) / 5.0e0, 1)
            else covered.value_days / covered.all_days
        end as factor_value
    from covered
    inner join factors
        on covered.factor_id = factors.factor_id
),

-- A school's own value goes before the district's. An event that is not named was not; a rate that is not named is unknown.
aligned as (
    select
        school_weeks.contract_id,
        school_weeks.metric_id,
        school_weeks.week_start_on,
        school_weeks.denominator,
        factors.factor_id,
        lags.lag_weeks,
        coalesce(own.factor_value, general.factor_value, case when factors.kind = 'EVENT' then 0 end) as factor_value
    from school_weeks
    cross join factors
    cross join setting
    inner join lags
        on lags.lag_weeks <= setting.lag_weeks_max
    left join valued as own
        on
            factors.factor_id = own.factor_id
            and school_weeks.school_id = own.school_id
            and {{ add_days('school_weeks.week_start_on', '-7 * lags.lag_weeks') }} = own.week_start_on
    left join valued as general
        on
            factors.factor_id = general.factor_id
            and general.school_id is null
            and {{ add_days('school_weeks.week_start_on', '-7 * lags.lag_weeks') }} = general.week_start_on
),

exposed as (
    select
        contract_id,
        metric_id,
        week_start_on,
        factor_id,
        lag_weeks,
        sum(case when factor_value is not null then denominator * factor_value end)
        / sum(case when factor_value is not null then denominator end) as factor_value
    from aligned
    group by contract_id, metric_id, week_start_on, factor_id, lag_weeks
)

select
    exposed.contract_id,
    exposed.metric_id,
    exposed.factor_id,
    factors.factor,
    factors.kind,
    factors.unit,
    exposed.lag_weeks,
    exposed.week_start_on,
    contract_weeks.n_students,
    contract_weeks.metric_rate,
    exposed.factor_value
from exposed
inner join contract_weeks
    on
        exposed.contract_id = contract_weeks.contract_id
        and exposed.metric_id = contract_weeks.metric_id
        and exposed.week_start_on = contract_weeks.week_start_on
inner join factors
    on exposed.factor_id = factors.factor_id
