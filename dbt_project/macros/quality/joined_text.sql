{# The texts of a group as one, in their own order; the separator is an SQL literal. Ordered aggregation into text is written differently on every engine. #}
{% macro joined_text(expression, separator="', '") -%}
    {{ return(adapter.dispatch('joined_text', 'obc')(expression, separator)) }}
{%- endmacro %}

{% macro default__joined_text(expression, separator) -%}
    string_agg({{ expression }}, {{ separator }} order by {{ expression }})
{%- endmacro %}

{% macro spark__joined_text(expression, separator) -%}
    array_join(array_sort(collect_list({{ expression }})), {{ separator }})
{%- endmacro %}
