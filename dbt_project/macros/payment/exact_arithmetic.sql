{# Arithmetic that decides money: integers and decimals only, the same on every engine. #}

{# Whole part of a / b for integers that are not negative. #}
{% macro integer_divide(a, b) -%}
    {{ return(adapter.dispatch('integer_divide', 'obc')(a, b)) }}
{%- endmacro %}

{% macro default__integer_divide(a, b) -%}
    (({{ a }}) // ({{ b }}))
{%- endmacro %}

{% macro spark__integer_divide(a, b) -%}
    (({{ a }}) div ({{ b }}))
{%- endmacro %}

{# ceil(a / b) for integers that are not negative; NULL when b is 0: unknown is not zero. #}
{% macro ceiling_divide(a, b) -%}
    {{ integer_divide('(' ~ a ~ ') + (' ~ b ~ ') - 1', 'nullif(' ~ b ~ ', 0)') }}
{%- endmacro %}

{# A whole number of cents over a whole number, as dollars, rounded once, half up. Neither is negative; NULL when the divisor is 0.
   floor((2 x cents + d) / (2 x d)) is half-up rounding without a fraction ever being formed. #}
{% macro cents_ratio(cents, denominator) -%}
    cast(
        cast(
            {{ integer_divide(
                '2 * cast(' ~ cents ~ ' as bigint) + cast(' ~ denominator ~ ' as bigint)',
                '2 * nullif(cast(' ~ denominator ~ ' as bigint), 0)'
            ) }} as decimal(16, 0)
        ) * cast(0.01 as decimal(2, 2)) as decimal(18, 2)
    )
{%- endmacro %}

{# price x points x uplift x vendor share, rounded once to cents; ties go away from zero, as a penalty's cents should. A share not stated
   is the whole. The widths add up to 36 of the 38 digits there are: prices to ten digits, points to three, multipliers to 99. #}
{% macro priced_amount(price, multiplier, share, points='1') -%}
    cast(
        round(
            cast({{ price }} as decimal(12, 2))
            * cast({{ points }} as decimal(9, 6))
            * cast({{ multiplier }} as decimal(6, 4))
            * coalesce(cast({{ share }} as decimal(9, 6)), cast(1 as decimal(9, 6))),
            2
        ) as decimal(18, 2)
    )
{%- endmacro %}

{# The district's default: its share of the top price, for one student, rounded once. part is 0.5 where both parties share the loss. #}
{% macro default_amount(price, multiplier, share, default_share, part='1') -%}
    cast(
        round(
            cast({{ price }} as decimal(12, 2))
            * cast({{ multiplier }} as decimal(6, 4))
            * cast(coalesce({{ default_share }}, 0) as decimal(7, 6))
            * coalesce(cast({{ share }} as decimal(9, 6)), cast(1 as decimal(9, 6)))
            * cast({{ part }} as decimal(2, 1)),
            2
        ) as decimal(18, 2)
    )
{%- endmacro %}

{# numerator / denominator against a threshold given as a fraction, by cross-multiplication: 69.9 % is not 70 %.
   NULL when the denominator is 0 or anything is unknown. #}
{% macro meets_rate(numerator, denominator, comparator, threshold_numerator, threshold_denominator) -%}
    case
        when {{ denominator }} is null or {{ denominator }} = 0 then null
        when {{ comparator }} = '>' then {{ numerator }} * {{ threshold_denominator }} > {{ threshold_numerator }} * {{ denominator }}
        when {{ comparator }} = '<=' then {{ numerator }} * {{ threshold_denominator }} <= {{ threshold_numerator }} * {{ denominator }}
        when {{ comparator }} = '<' then {{ numerator }} * {{ threshold_denominator }} < {{ threshold_numerator }} * {{ denominator }}
        else {{ numerator }} * {{ threshold_denominator }} >= {{ threshold_numerator }} * {{ denominator }}
    end
{%- endmacro %}

{# numerator / denominator of whole numbers to six decimals, for showing only: what decides is compared in whole numbers. NULL over 0. #}
{% macro shown_rate(numerator, denominator) -%}
    cast({{ integer_divide(
        '2000000 * cast(' ~ numerator ~ ' as bigint) + cast(' ~ denominator ~ ' as bigint)',
        '2 * nullif(cast(' ~ denominator ~ ' as bigint), 0)'
    ) }} as decimal(12, 0)) * cast(0.000001 as decimal(6, 6))
{%- endmacro %}

{# A decimal as people write it: 50.000000 is 50. For reasons in words. #}
{% macro plain_number(value) -%}
    regexp_replace(cast(cast({{ value }} as decimal(18, 6)) as varchar), '\.?0+$', '')
{%- endmacro %}
