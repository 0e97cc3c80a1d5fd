{# The first day of a date's month. #}
{% macro month_start(on) -%}
    cast(date_trunc('month', {{ on }}) as date)
{%- endmacro %}
