-- One row per contract, student and dimension: the one category the student is in, 'unknown' where nothing says. Because every student is
-- in exactly one, the categories of a dimension always add up to the contract.
{%- set yes_no = {
    'economic_disadvantage': 'is_economically_disadvantaged', 'english_learner': 'is_english_learner', 'iep': 'is_iep',
} -%}
{%- set as_stated = {
    'race_ethnicity': 'race_ethnicity', 'gender': 'gender', 'school': 'school_id', 'grade': 'grade_level', 'baseline_band': 'baseline_band',
    'provider': 'provider_id', 'school_attendance_band': 'school_attendance_band', 'cohort_entry': 'cohort_entry',
    'delivery_mode': 'delivery_mode', 'group_size_band': 'group_size_band', 'time_slot': 'time_slot',
} -%}
{%- for dimension, column in yes_no.items() %}
select
    contract_id,
    student_id,
    student_key,
    '{{ dimension }}' as dimension,
    case when {{ column }} then 'yes' when not {{ column }} then 'no' else 'unknown' end as category
from {{ ref('int_improvement__student') }}
union all
{%- endfor %}
{%- for dimension, column in as_stated.items() %}
select
    contract_id,
    student_id,
    student_key,
    '{{ dimension }}' as dimension,
    coalesce(nullif(trim(cast({{ column }} as varchar)), ''), 'unknown') as category
from {{ ref('int_improvement__student') }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
