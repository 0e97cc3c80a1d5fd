{# md5 over columns, NULL as a sentinel of its own: without it ('a', NULL, 'b') and ('a', 'b', NULL) would share a key. #}
{% macro surrogate_key(columns) -%}
    md5(
        {%- for column in columns %}
        coalesce(cast({{ column }} as varchar), '~null~'){% if not loop.last %} || '|' ||{% endif %}
        {%- endfor %}
    )
{%- endmacro %}

{# Our keys of students and schools, within this district. #}
{% macro student_key(student_id) -%}
    md5('{{ var("district_id") }}' || '|' || {{ student_id }})
{%- endmacro %}

{% macro school_key(school_id) -%}
    md5('{{ var("district_id") }}' || '|' || {{ school_id }})
{%- endmacro %}
