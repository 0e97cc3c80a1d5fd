{# An answer on 0 to 1, higher is better: (value - min) / (max - min), turned round for reversed items (formats/exit_tickets.md §5). #}
{% macro scaled_answer(value, scale_min, scale_max, is_reverse) -%}
    cast(
        case
            when {{ is_reverse }} then
                1 - cast({{ value }} - {{ scale_min }} as double) / cast({{ scale_max }} - {{ scale_min }} as double)
            else
                cast({{ value }} - {{ scale_min }} as double) / cast({{ scale_max }} - {{ scale_min }} as double)
        end as decimal(9, 6)
    )
{%- endmacro %}
