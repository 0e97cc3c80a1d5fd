{# The columns that name one decomposition in rpt_metric_drivers. #}
{% macro driver_key(relation) -%}
    {{ relation }}.contract_id, {{ relation }}.comparison, {{ relation }}.metric_id, {{ relation }}.dimension
{%- endmacro %}
