{# Closed forms of the statistics the marts show (domain §6): 95 %, two-sided, everywhere. Each is held against SciPy in tests/statistics.
   The Wilson interval of one share is wilson_bound, in macros/settlement. #}

{# One bound of Newcombe's hybrid score interval of the difference of two independent shares, x1/n1 - x2/n2; sign is '-' or '+'. It never
   leaves [-1, 1] and does not collapse where a share is 0 or 1. Numerators and denominators may be fractions: an effective sample size
   serves as well as a count. NULL when either denominator is 0. Source: Newcombe 1998, method 10. #}
{% macro newcombe_bound(x1, n1, x2, n2, sign) -%}
    {%- set p1 = '(cast(' ~ x1 ~ ' as double) / nullif(' ~ n1 ~ ', 0))' -%}
    {%- set p2 = '(cast(' ~ x2 ~ ' as double) / nullif(' ~ n2 ~ ', 0))' -%}
    {%- set other = '+' if sign == '-' else '-' -%}
    ({{ p1 }} - {{ p2 }} {{ sign }} sqrt(
        power({{ p1 }} - {{ wilson_bound(x1, n1, sign) }}, 2)
        + power({{ p2 }} - {{ wilson_bound(x2, n2, other) }}, 2)
    ))
{%- endmacro %}

{# Student's t, 97.5th percentile: how many standard errors a 95 % interval reaches. Exact to four decimals: a table up to 4 degrees of
   freedom, the expansion around the normal quantile above (Abramowitz and Stegun 26.7.5). NULL below 1 degree. #}
{% macro t_quantile(df) -%}
    {%- set df = '(' ~ df ~ ')' -%}
    case
        when {{ df }} < 1 then null
        when {{ df }} < 2 then 12.7062047
        when {{ df }} < 3 then 4.3026527
        when {{ df }} < 4 then 3.1824463
        when {{ df }} < 5 then 2.7764451
        else
            1.9599640e0
            + 2.3722713e0 / {{ df }}
            + 2.8224986e0 / power({{ df }}, 2)
            + 2.5558497e0 / power({{ df }}, 3)
            + 1.5895341e0 / power({{ df }}, 4)
    end
{%- endmacro %}

{# Hedges' small-sample factor J = 1 - 3 / (4N - 9) for N students in both groups together: g = J x difference / pooled SD. #}
{% macro hedges_correction(n) -%}
    case when {{ n }} >= 4 then 1 - 3.0e0 / (4 * {{ n }} - 9) end
{%- endmacro %}

{# Rank (1 = smallest) of the order statistic that bounds the median with at least 95 %: '-' the lower, '+' the upper. NULL below 6 values,
   where even the extremes do not reach 95 %. The normal approximation of the binomial, held to the exact coverage by test. #}
{% macro median_rank(n, sign) -%}
    {%- set lower -%}
    greatest(cast(floor(({{ n }} + 1) / 2.0e0 - 0.9799820e0 * sqrt({{ n }})) as integer), 1)
    {%- endset -%}
    case when {{ n }} >= 6 then {% if sign == '-' %}{{ lower }}{% else %}{{ n }} + 1 - {{ lower }}{% endif %} end
{%- endmacro %}

{# A polynomial by Horner's rule, the highest power's coefficient first. #}
{% macro polynomial(coefficients, x) -%}
    {%- set ns = namespace(text=coefficients[0] ~ 'e0') -%}
    {%- for coefficient in coefficients[1:] -%}
        {%- set ns.text = '(' ~ ns.text ~ ' * ' ~ x ~ ' + ' ~ coefficient ~ 'e0)' -%}
    {%- endfor -%}
    {{ ns.text }}
{%- endmacro %}

{# Standard normal quantile: which z has the share p below it. Rational approximation of Acklam, exact to 2e-9 of p's range; NULL outside
   (0, 1). Turns a percentile such as CGP 50 back into the index it stands for. #}
{% macro normal_quantile(p) -%}
    {%- set a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690, -30.66479806614716, 2.506628277459239] -%}
    {%- set b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572] -%}
    {%- set c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783] -%}
    {%- set d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416] -%}
    {%- set middle = '(' ~ p ~ ' - 0.5e0)' -%}
    {%- set squared = 'power(' ~ middle ~ ', 2)' -%}
    {%- set low = 'sqrt(-2 * ln(' ~ p ~ '))' -%}
    {%- set high = 'sqrt(-2 * ln(1 - ' ~ p ~ '))' -%}
    case
        when {{ p }} <= 0 or {{ p }} >= 1 then null
        when {{ p }} < 0.02425 then {{ polynomial(c, low) }} / ({{ polynomial(d, low) }} * {{ low }} + 1)
        when {{ p }} > 0.97575 then -{{ polynomial(c, high) }} / ({{ polynomial(d, high) }} * {{ high }} + 1)
        else {{ polynomial(a, squared) }} * {{ middle }} / ({{ polynomial(b, squared) }} * {{ squared }} + 1)
    end
{%- endmacro %}
