{# The causes by who bears them (domain.md §4.2 step 5 and §5.1). #}
{% macro provider_causes() -%}
    ('PROVIDER_CANCEL', 'TUTOR_NO_SHOW', 'PROVIDER_TECH')
{%- endmacro %}

{% macro district_causes() -%}
    ('DISTRICT_TECH', 'DISTRICT_SCHEDULE')
{%- endmacro %}

{# TRUE where a session counts in the denominator of tutoring attendance: it was attended, or missed for a reason that is the
   student's or not known. Sessions lost to provider, district, closure or testing are nobody's absence. #}
{% macro is_chargeable(cause) -%}
    (
        {{ cause }} is null
        or {{ cause }} in ('ABSENT_SCHOOL', 'PRESENT_SCHOOL_SKIPPED', 'UNKNOWN')
    )
{%- endmacro %}
