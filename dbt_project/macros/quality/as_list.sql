{# A comma-joined text as `,a,b,`, so that membership is `like '%,' || item || ',%'` on every engine. #}
{% macro as_list(column) -%}
    ',' || replace(coalesce({{ column }}, ''), ' ', '') || ','
{%- endmacro %}
