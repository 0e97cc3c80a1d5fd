{# Whole days from the first date to the second. #}
{% macro days_between(from_date, to_date) -%}
    {{ return(adapter.dispatch('days_between', 'obc')(from_date, to_date)) }}
{%- endmacro %}

{% macro default__days_between(from_date, to_date) -%}
    date_diff('day', {{ from_date }}, {{ to_date }})
{%- endmacro %}

{% macro spark__days_between(from_date, to_date) -%}
    datediff({{ to_date }}, {{ from_date }})
{%- endmacro %}

{# Minutes between two timestamps, with their fraction. #}
{% macro minutes_between(from_at, to_at) -%}
    {{ return(adapter.dispatch('minutes_between', 'obc')(from_at, to_at)) }}
{%- endmacro %}

{% macro default__minutes_between(from_at, to_at) -%}
    cast(date_diff('second', {{ from_at }}, {{ to_at }}) / 60.0 as decimal(12, 2))
{%- endmacro %}

{% macro spark__minutes_between(from_at, to_at) -%}
    cast((unix_timestamp({{ to_at }}) - unix_timestamp({{ from_at }})) / 60.0 as decimal(12, 2))
{%- endmacro %}

{# A timestamp some minutes later (minutes may be a fraction). #}
{% macro add_minutes(at, minutes) -%}
    {{ return(adapter.dispatch('add_minutes', 'obc')(at, minutes)) }}
{%- endmacro %}

{% macro default__add_minutes(at, minutes) -%}
    {{ at }} + to_seconds(cast({{ minutes }} * 60 as integer))
{%- endmacro %}

{% macro spark__add_minutes(at, minutes) -%}
    timestampadd(second, cast({{ minutes }} * 60 as int), {{ at }})
{%- endmacro %}

{# A date some days later. #}
{% macro add_days(on, days) -%}
    {{ return(adapter.dispatch('add_days', 'obc')(on, days)) }}
{%- endmacro %}

{% macro default__add_days(on, days) -%}
    cast({{ on }} + {{ days }} as date)
{%- endmacro %}

{% macro spark__add_days(on, days) -%}
    date_add({{ on }}, {{ days }})
{%- endmacro %}

{# The Monday of a date's week. #}
{% macro week_start(on) -%}
    cast(date_trunc('week', {{ on }}) as date)
{%- endmacro %}
