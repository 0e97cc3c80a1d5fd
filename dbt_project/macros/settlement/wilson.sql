{# One bound of the Wilson 95 % interval of a share (domain §6); sign is '+' or '-'. NULL when the denominator is 0. For showing. #}
{% macro wilson_bound(numerator, denominator, sign) -%}
    (
        ({{ numerator }} + 1.9207294) * 1.0e0
        {{ sign }} 1.9599640e0 * sqrt(
            cast({{ numerator }} as double) * ({{ denominator }} - {{ numerator }}) / nullif({{ denominator }}, 0) + 0.9603647e0
        )
    ) / ({{ denominator }} + 3.8414588e0)
{%- endmacro %}
