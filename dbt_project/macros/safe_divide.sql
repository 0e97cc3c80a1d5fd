{# numerator / denominator as DECIMAL(9,6), NULL when either is NULL or the denominator is 0: unknown is not zero.
   Through DOUBLE and back, because decimal/decimal gives another type on other engines. For showing, never for deciding:
   thresholds are compared by cross-multiplication. #}
{% macro safe_divide(numerator, denominator) -%}
    cast(cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0) as decimal(9, 6))
{%- endmacro %}
