{# A rate of what comes in clusters: sessions of the same student are alike, so a thousand sessions of fifty students say less than a
   thousand students would. Both macros take sums over students: n students, numerator, denominator and their squares and product. #}

{# Variance of numerator / denominator over students, linearised. NULL without a denominator. #}
{% macro clustered_rate_variance(numerator, denominator, numerator_squared, product, denominator_squared) -%}
    (greatest(
        {{ numerator_squared }}
        - 2 * {{ product }} * {{ numerator }} / nullif({{ denominator }}, 0)
        + {{ denominator_squared }} * power({{ numerator }} / nullif({{ denominator }}, 0), 2),
        0
    ) / nullif(power({{ denominator }}, 2), 0))
{%- endmacro %}

{# How many independent trials the rate is worth, for the Wilson interval: rate x (1 - rate) / variance, never more than the denominator.
   Where the rate is 0 or 1 students tell nothing apart, and each counts once. #}
{% macro clustered_rate_trials(n_students, numerator, denominator, variance) -%}
    case
        when {{ numerator }} <= 0 or {{ numerator }} >= {{ denominator }} then cast({{ n_students }} as double)
        when {{ variance }} <= 0 then {{ denominator }}
        else
            least(
                ({{ numerator }} / {{ denominator }}) * (1 - {{ numerator }} / {{ denominator }}) / {{ variance }},
                {{ denominator }}
            )
    end
{%- endmacro %}
