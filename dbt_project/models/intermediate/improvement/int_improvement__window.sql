-- The two windows a change is judged between, per contract and for the whole district (contract_id NULL), in whole weeks from Monday to
-- Sunday: the last weeks against as many before them, and the last month against the one before. Windows end with the last week that is
-- over by the as-of date, and no later than service does.
with setting as (
    select trend_window_weeks
    from {{ source('documents', 'improvement_setting') }}
),

services as (
    select
        contract_id,
        min(service_start_on) as service_start_on,
        max(service_end_on) as service_end_on
    from {{ ref('int_payment__contract') }}
    group by contract_id

    union all

    select
        null as contract_id,
        min(service_start_on) as service_start_on,
        max(service_end_on) as service_end_on
    from {{ ref('int_payment__contract') }}
),

-- The Monday of the last week that is over, and the first day of the last month all of whose weeks are; a week is of its Monday's month.
over_weeks as (
    select
        contract_id,
        service_start_on,
        {{ week_start('service_end_on') }} as last_service_week_on,
        {{ add_days(week_start(add_days(as_of_date(), 1)), -7) }} as last_over_week_on
    from services
),

ends as (
    select
        contract_id,
        service_start_on,
        least(last_over_week_on, last_service_week_on) as last_week_on,
        least(
            case
                when {{ month_start(add_days('last_over_week_on', 7)) }} = {{ month_start('last_over_week_on') }}
                    then {{ month_start(add_days(month_start('last_over_week_on'), -1)) }}
                else {{ month_start('last_over_week_on') }}
            end,
            {{ month_start('last_service_week_on') }}
        ) as last_month_on
    from over_weeks
),

spans as (
    select
        ends.contract_id,
        'WEEKS' as comparison,
        {{ add_days('ends.last_week_on', '-7 * (setting.trend_window_weeks - 1)') }} as current_from_on,
        {{ add_days('ends.last_week_on', 6) }} as current_to_on,
        {{ add_days('ends.last_week_on', '-7 * (2 * setting.trend_window_weeks - 1)') }} as previous_from_on,
        {{ add_days('ends.last_week_on', '6 - 7 * setting.trend_window_weeks') }} as previous_to_on
    from ends
    cross join setting

    union all

    -- The first Monday of a month is that of the week of its seventh day.
    select
        contract_id,
        'MONTH' as comparison,
        {{ week_start(add_days('last_month_on', 6)) }} as current_from_on,
        {{ add_days(week_start(add_days(month_start(add_days('last_month_on', 31)), 6)), -1) }} as current_to_on,
        {{ week_start(add_days(month_start(add_days('last_month_on', -1)), 6)) }} as previous_from_on,
        {{ add_days(week_start(add_days('last_month_on', 6)), -1) }} as previous_to_on
    from ends
)

select
    contract_id,
    comparison,
    previous_from_on,
    previous_to_on,
    current_from_on,
    current_to_on
from spans
