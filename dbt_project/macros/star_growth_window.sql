{# Star's fixed growth calendar: Fall 1 Aug to 30 Nov, Winter 1 Dec to 31 Mar, Spring 1 Apr to 31 Jul. It is not the screening window,
   which each district sets (formats/renaissance_star.md §5). #}
{% macro star_growth_window(tested_on) -%}
    case
        when month({{ tested_on }}) between 8 and 11 then 'FALL'
        when month({{ tested_on }}) in (12, 1, 2, 3) then 'WINTER'
        when month({{ tested_on }}) between 4 and 7 then 'SPRING'
    end
{%- endmacro %}
