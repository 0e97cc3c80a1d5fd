{# How many independent students an average over cells is worth: the average weights cell c by the share w_c of the group that is in it, and
   each cell's rate rests on m_c students of its own, so the average has the variance of 1 / sum(w_c^2 / m_c) students (Kish). Give the sum
   over cells of (group students in the cell)^2 / m_c and the group's students. NULL where nothing is there. #}
{% macro effective_students(sum_of_squares_over_cell_n, n_students) -%}
    (cast({{ n_students }} as double) * {{ n_students }} / nullif({{ sum_of_squares_over_cell_n }}, 0))
{%- endmacro %}

{# The same, when the rate also varies from year to year by year_variance: the size of a simple sample with as much uncertainty in all. #}
{% macro independent_students(rate, effective_n, year_variance) -%}
    case
        when {{ rate }} <= 0 or {{ rate }} >= 1 then {{ effective_n }}
        else
            {{ rate }} * (1 - {{ rate }})
            / ({{ rate }} * (1 - {{ rate }}) / nullif({{ effective_n }}, 0) + coalesce({{ year_variance }}, 0))
    end
{%- endmacro %}
