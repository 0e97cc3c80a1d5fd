{# What an association needs beside corr(): Fisher's z, a p value, a correction for many looks. Held against SciPy in tests/statistics. #}

{# Average rank (ties share the mean of their places), 1 = smallest, inside a partition. Spearman's rho is the correlation of such ranks. #}
{% macro average_rank(value, partition) -%}
    (
        rank() over (partition by {{ partition }} order by {{ value }})
        + (count(*) over (partition by {{ partition }}, {{ value }}) - 1) / 2.0e0
    )
{%- endmacro %}

{# Fisher's z of a correlation, atanh(r). A correlation of exactly -1 or 1 is taken as 0.999999, so that its z is a number. #}
{% macro fisher_z(r) -%}
    (0.5e0 * ln((1 + least(greatest({{ r }}, -0.999999e0), 0.999999e0)) / (1 - least(greatest({{ r }}, -0.999999e0), 0.999999e0))))
{%- endmacro %}

{# Standard error of the z of Spearman's rho over n independent pairs, sqrt((1 + r^2/2) / (n - 3)): ranks vary more than the 1 / (n - 3) of
   Pearson's r. NULL for n < 4. Source: Bonett and Wright 2000. #}
{% macro spearman_z_se(r, n) -%}
    sqrt((1 + power({{ r }}, 2) / 2) / nullif(greatest({{ n }} - 3, 0), 0))
{%- endmacro %}

{# Back from z to r, tanh(z). #}
{% macro from_fisher_z(z) -%}
    (1 - 2 / (exp(2 * ({{ z }})) + 1))
{%- endmacro %}

{# Chance of a standard normal value at least this far from 0, either side. The complementary error function in Chebyshev form, good to
   1.2e-7 of the value everywhere. Source: Numerical Recipes in C, 2nd edition, section 6.2 (erfcc). #}
{% macro two_sided_p(z) -%}
    {%- set x = '(abs(' ~ z ~ ') * 0.70710678118654752e0)' -%}
    {%- set t = '(1 / (1 + 0.5e0 * ' ~ x ~ '))' -%}
    ({{ t }} * exp(
        -{{ x }} * {{ x }} - 1.26551223e0 + {{ t }} * (1.00002368e0 + {{ t }} * (0.37409196e0 + {{ t }} * (0.09678418e0
        + {{ t }} * (-0.18628806e0 + {{ t }} * (0.27886807e0 + {{ t }} * (-1.13520398e0 + {{ t }} * (1.48851587e0
        + {{ t }} * (-0.82215223e0 + {{ t }} * 0.17087277e0))))))))
    ))
{%- endmacro %}

{# Benjamini-Hochberg over a partition, in two steps, because the second is a window over the first: p x looks / rank, then the least of
   those at this p or a greater one. Rows without p are no look. #}
{% macro bh_scaled(p, partition) -%}
    ({{ p }} * count({{ p }}) over (partition by {{ partition }})
    / (rank() over (partition by {{ partition }} order by {{ p }} asc nulls last)
    + count(*) over (partition by {{ partition }}, {{ p }}) - 1))
{%- endmacro %}

{% macro bh_adjusted(p, scaled, partition) -%}
    least(1, min({{ scaled }}) over (
        partition by {{ partition }} order by {{ p }} desc nulls first range between unbounded preceding and current row
    ))
{%- endmacro %}

{# Words for the size of a correlation (domain §6): below .1 none, up to .2 weak, above notable. #}
{% macro strength_word(r) -%}
    case
        when {{ r }} is null then null
        when abs({{ r }}) < 0.1 then 'none'
        when abs({{ r }}) <= 0.2 then 'weak'
        else 'notable'
    end
{%- endmacro %}

{# Constructs of exit tickets that ask how the session was; the others ask about the student (SEL). #}
{% macro experience_constructs() -%}
    ('engagement', 'satisfaction', 'understanding')
{%- endmacro %}
