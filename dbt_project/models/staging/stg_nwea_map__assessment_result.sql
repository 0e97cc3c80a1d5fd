-- MAP Growth results of both exports, one row per test and norms reference, with the growth block as decimals.
-- noqa: disable=LT02,LT05
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
        test_id,
        cast(null as varchar) as grade
    from {{ source('lake', 'nwea_map__assessment_results') }}
),

combined as (
    select
        {{ shared | join(',\n        ') }},
        {% for column in growth %}{{ column.lake_column }},
        {% endfor %}cast(null as boolean) as growth_measure_yn,
        cast(null as varchar) as test_id,
        grade
    from {{ source('lake', 'nwea_map__combo_student_assessment') }}
),

-- The comprehensive export states the grade of a term beside the tests, once per school.
student_grade as (
    select
        student_id as graded_student_id,
        term_name as graded_term_name,
        max(grade) as grade_of_term
    from {{ source('lake', 'nwea_map__students_by_school') }}
    group by
        student_id,
        term_name
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

-- A student who moved can come in the exports of two schools: the newer row counts. Few do, so only their rows are ranked, on the
-- columns of the key alone.
keys as (
    select
        'comprehensive' as export_kind,
        {{ (test_key + ['test_id', '_file_id', '_row_number', '_file_rank']) | join(', ') }}
    from {{ source('lake', 'nwea_map__assessment_results') }}
    union all
    select
        'combined' as export_kind,
        {{ test_key | join(', ') }}, cast(null as varchar) as test_id, _file_id, _row_number, _file_rank
    from {{ source('lake', 'nwea_map__combo_student_assessment') }}
),

repeated as (
    select export_kind, {{ (test_key + ['test_id']) | join(', ') }}
    from keys
    group by export_kind, {{ (test_key + ['test_id']) | join(', ') }}
    having count(*) > 1
),

replaced as (
    select
        _file_id,
        _row_number
    from (
        select
            keys._file_id,
            keys._row_number,
            row_number() over (
                partition by keys.export_kind{% for column in test_key + ['test_id'] %}, keys.{{ column }}{% endfor %}
                order by keys._file_rank desc, keys._row_number desc, keys._file_id desc
            ) as recency
        from keys
        inner join repeated
            on
                keys.export_kind = repeated.export_kind
                {%- for column in test_key + ['test_id'] %}
                and keys.{{ column }} is not distinct from repeated.{{ column }}
                {%- endfor %}
    ) as ranked
    where recency > 1
)

select
    {{ surrogate_key(["'nwea_map'"] + test_key + ['test_id']) }} as assessment_result_key,
    student_id,
    coalesce(grade, grade_of_term) as grade,
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
    tests._source as source,
    tests._file_id as file_id,
    tests._row_number as row_number,
    tests._exported_at as exported_at
from tests
left join student_grade
    on
        tests.student_id = student_grade.graded_student_id
        and tests.term_name = student_grade.graded_term_name
left join replaced
    on
        tests._file_id = replaced._file_id
        and tests._row_number = replaced._row_number
where replaced._file_id is null
