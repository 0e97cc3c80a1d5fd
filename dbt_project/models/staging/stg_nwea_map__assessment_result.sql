-- MAP Growth results of both exports, one row per test and norms reference, with the growth block as decimals.
-- noqa: disable=LT02
-- (the columns of the growth block are written by a loop)
-- A table, because the result and the metrics are both read from it and the export has 143 columns.
{{ config(materialized='table') }}

{%- set growth = map_growth_columns() %}
{%- set shared = [
    'term_name', 'school_name', 'school_state_id', 'student_id', 'student_state_id', 'subject', 'course', 'norms_reference_data',
    'test_type', 'test_name', 'test_start_date', 'test_start_time', 'test_rit_score', 'test_standard_error', 'test_percentile',
    'rapid_guessing_percentage', '_source', '_file_id', '_row_number', '_exported_at', '_file_rank',
] %}
{%- set test_key = [
    'student_id', 'term_name', 'course', 'test_name', 'test_start_date', 'test_start_time', 'norms_reference_data'
] %}

with comprehensive as (
    select
        {{ shared | join(',\n        ') }},
        {% for column in growth %}{{ column.lake_column }},
        {% endfor %}growth_measure_yn,
        test_id
    from {{ source('lake', 'nwea_map__assessment_results') }}
),

combined as (
    select
        {{ shared | join(',\n        ') }},
        {% for column in growth %}{{ column.lake_column }},
        {% endfor %}cast(null as boolean) as growth_measure_yn,
        cast(null as varchar) as test_id
    from {{ source('lake', 'nwea_map__combo_student_assessment') }}
),

-- A district that sends both exports states each growth test twice; the comprehensive one carries the flag and the test id.
combined_only as (
    select combined.*
    from combined
    left join comprehensive
        on
            {%- for column in test_key %}
            {% if not loop.first %}and {% endif %}combined.{{ column }} is not distinct from comprehensive.{{ column }}
            {%- endfor %}
    where comprehensive.student_id is null
),

tests as (
    select * from comprehensive
    union all
    select * from combined_only
),

-- A student who moved can come in the exports of two schools: the newer one counts.
ranked as (
    select
        tests.*,
        {{ recency_of_key(test_key + ['test_id']) }} as recency
    from tests
)

select
    {{ surrogate_key(["'nwea_map'"] + test_key + ['test_id']) }} as assessment_result_key,
    student_id,
    student_state_id,
    school_name,
    school_state_id,
    subject,
    course,
    upper(split_part(term_name, ' ', 1)) as window_id,
    try_cast(right(trim(term_name), 4) as integer) as school_year_end,
    norms_reference_data,
    test_type,
    test_name,
    test_id,
    test_start_date,
    test_start_time,
    test_rit_score,
    test_standard_error,
    rapid_guessing_percentage,
    growth_measure_yn,
    cast(test_percentile as decimal(18, 6)) as test_percentile,
    {% for column in growth -%}
    {%- if column.is_yes_no -%}
    cast(
        case
            when lower({{ column.lake_column }}) like 'yes%' then 1
            when lower({{ column.lake_column }}) like 'no%' then 0
        end as decimal(18, 6)
    ) as {{ column.lake_column }},
    {% else -%}
    cast({{ column.lake_column }} as decimal(18, 6)) as {{ column.lake_column }},
    {% endif -%}
    {%- endfor -%}
    _source as source,
    _file_id as file_id,
    _row_number as row_number,
    _exported_at as exported_at
from ranked
where recency = 1
