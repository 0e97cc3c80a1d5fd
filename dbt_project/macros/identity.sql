{# Joins that lead from a sender's ids to ours. `row` is the alias of a staging row with source and student_id.
   Gives feed (documents.data_source) and identifier (student_key, student_id). #}
{% macro join_student(row) -%}
    left join {{ source('documents', 'data_source') }} as feed
        on {{ row }}.source = feed.source
    left join {{ ref('input__student_identifier') }} as identifier
        on
            {{ row }}.student_id = identifier.id_value
            and coalesce(feed.student_id_is, 'LOCAL') = identifier.id_type
{%- endmacro %}

{# The form in which spellings of a school are compared: no case, no trailing "(123)". #}
{% macro school_alias(expression) -%}
    lower(trim(regexp_replace({{ expression }}, '\s*\([^)]*\)\s*$', '')))
{%- endmacro %}
