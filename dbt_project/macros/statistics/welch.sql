{# The difference of two means whose groups vary differently, from each group's variance (sample, n - 1) and n. Held against SciPy in
   tests/statistics. Source: Welch 1947. #}

{# Standard error of the difference. #}
{% macro welch_se(variance_a, n_a, variance_b, n_b) -%}
    sqrt({{ variance_a }} / nullif({{ n_a }}, 0) + {{ variance_b }} / nullif({{ n_b }}, 0))
{%- endmacro %}

{# Its degrees of freedom (Satterthwaite), to six decimals, so that 4 never comes out as a hair less. NULL with fewer than two in a group,
   or where nothing varies. #}
{% macro welch_df(variance_a, n_a, variance_b, n_b) -%}
    round(
        power({{ variance_a }} / nullif({{ n_a }}, 0) + {{ variance_b }} / nullif({{ n_b }}, 0), 2)
        / nullif(
            power({{ variance_a }} / nullif({{ n_a }}, 0), 2) / nullif({{ n_a }} - 1, 0)
            + power({{ variance_b }} / nullif({{ n_b }}, 0), 2) / nullif({{ n_b }} - 1, 0),
            0
        ),
        6
    )
{%- endmacro %}

{# How far its 95 % interval reaches to either side. 0 where nothing varies in either group. #}
{% macro welch_reach(variance_a, n_a, variance_b, n_b) -%}
    case
        when {{ variance_a }} + {{ variance_b }} = 0 then 0
        else
            {{ t_quantile(welch_df(variance_a, n_a, variance_b, n_b)) }}
            * {{ welch_se(variance_a, n_a, variance_b, n_b) }}
    end
{%- endmacro %}
