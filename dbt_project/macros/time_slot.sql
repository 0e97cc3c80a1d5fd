{# The two hours of the clock in which a session was planned to start, as '14:00-15:59'; 'unknown' when no start is stated. Blocks of the
   clock and not "before school": what is before school differs by school and is in no feed. #}
{% macro time_slot(scheduled_start_at) -%}
    case
        when {{ scheduled_start_at }} is null then 'unknown'
        {%- for hour in range(0, 24, 2) %}
        when extract(hour from {{ scheduled_start_at }}) < {{ hour + 2 }} then '{{ '%02d:00-%02d:59' | format(hour, hour + 1) }}'
        {%- endfor %}
    end
{%- endmacro %}
