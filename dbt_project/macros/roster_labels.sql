{# Federal single label of race and ethnicity: hispanic first, then more than one, then the one; blank flags are unknown, never
   false (formats/oneroster.md §7). `multiple` is its own category, so that the family adds up (domain.md §9). #}
{% macro race_ethnicity(hispanic, two_or_more, races) -%}
    {%- set counted = [] -%}
    {%- for flag in races.values() -%}{%- do counted.append('case when ' ~ flag ~ ' then 1 else 0 end') -%}{%- endfor -%}
    case
        when {{ hispanic }} then 'hispanic'
        when {{ two_or_more }} or ({{ counted | join(' + ') }}) > 1 then 'multiple'
        {%- for label, flag in races.items() %}
        when {{ flag }} then '{{ label }}'
        {%- endfor %}
        else 'unknown'
    end
{%- endmacro %}

{# Grade as PK, KG or 1 to 12 without leading zero. CEDS codes, and the letters vendors use for them. #}
{% macro grade_level(expression) -%}
    case
        when nullif(trim({{ expression }}), '') is null then null
        when upper(trim({{ expression }})) in ('K', 'KG', '0', '00') then 'KG'
        when upper(trim({{ expression }})) in ('PK', 'PRE-K', '-1', '-2') then 'PK'
        when try_cast(trim({{ expression }}) as integer) is not null then cast(try_cast(trim({{ expression }}) as integer) as varchar)
        else upper(trim({{ expression }}))
    end
{%- endmacro %}
