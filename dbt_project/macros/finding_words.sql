{# Numbers inside the sentences of findings. Rounded for reading; the mart and row the sentence names have them as they are. #}

{# A share as '68 %'. #}
{% macro percent_words(rate) -%}
    cast(cast(round(100 * ({{ rate }})) as integer) as varchar) || ' %'
{%- endmacro %}

{# A difference of shares in points, with its sign; one decimal below ten points. #}
{% macro signed_points_words(rate) -%}
    case
        when abs(100 * ({{ rate }})) < 9.95 then cast(cast(round(100 * ({{ rate }}), 1) as decimal(9, 1)) as varchar)
        else cast(cast(round(100 * ({{ rate }})) as integer) as varchar)
    end
{%- endmacro %}

{# The size of it: '17', '1.4'. #}
{% macro points_words(rate) -%}
    {{ signed_points_words('abs(' ~ rate ~ ')') }}
{%- endmacro %}

{# A number with two decimals. #}
{% macro number_words(value) -%}
    cast(cast({{ value }} as decimal(18, 2)) as varchar)
{%- endmacro %}

{# ' (95 % interval 12 to 22)' in points. #}
{% macro interval_words(low, high) -%}
    ' (95 % interval ' || {{ signed_points_words(low) }} || ' to ' || {{ signed_points_words(high) }} || ')'
{%- endmacro %}
