{# Grade some years earlier than stated: '6' one year earlier is '5', '1' is 'KG'. NULL for what is no grade, and before preschool. #}
{% macro grade_years_before(grade_level, years) -%}
    case {{ grade_number(grade_level) }} - ({{ years }})
        when -1 then 'PK'
        when 0 then 'KG'
        {%- for grade in range(1, 13) %}
        when {{ grade }} then '{{ grade }}'
        {%- endfor %}
    end
{%- endmacro %}

{# Grade as a number: PK -1, KG 0, 1 to 12. NULL for what is no grade. #}
{% macro grade_number(grade_level) -%}
    case {{ grade_level }}
        when 'PK' then -1
        when 'KG' then 0
        {%- for grade in range(1, 13) %}
        when '{{ grade }}' then {{ grade }}
        {%- endfor %}
    end
{%- endmacro %}

{# Share of known days a student was in school, as the bands states report; 'unknown' below the days needed to say (domain §5.1). #}
{% macro school_attendance_band(absent_days, known_days) -%}
    case
        when coalesce({{ known_days }}, 0) < {{ var('chronic_absence_min_days') }} then 'unknown'
        when {{ absent_days }} * 20 < {{ known_days }} then 'above_95'
        when {{ absent_days }} * 10 < {{ known_days }} then '90_to_95'
        when {{ absent_days }} * 5 < {{ known_days }} then '80_to_90'
        else 'below_80'
    end
{%- endmacro %}

{# A metric against a threshold in the line's own comparator. NULL when either is unknown. #}
{% macro is_threshold_met(value, comparator, threshold) -%}
    case when {{ comparator }} = '>' then {{ value }} > {{ threshold }} else {{ value }} >= {{ threshold }} end
{%- endmacro %}

{# 'ok', 'small_group' or 'not_enough_data' by the settings' limits. #}
{% macro group_status(n_students, least_n, normal_n) -%}
    case
        when coalesce({{ n_students }}, 0) < {{ least_n }} then 'not_enough_data'
        when {{ n_students }} < {{ normal_n }} then 'small_group'
        else 'ok'
    end
{%- endmacro %}
