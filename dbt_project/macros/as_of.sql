{# The two moments everything is judged by. Models never read the clock. #}
{% macro as_of_date() -%}
    cast('{{ var("as_of_date") }}' as date)
{%- endmacro %}

{% macro evidence_cutoff_at() -%}
    cast('{{ var("evidence_cutoff_at") }}' as timestamp)
{%- endmacro %}
