-- Rows of one file that name the same test with other results: nobody can say which of them is right. The same row twice is no
-- conflict (intake counts it once), nor is a newer file with another score (a restatement).
{%- set growth = [
    'fall_to_winter', 'fall_to_spring', 'winter_to_spring', 'fall_to_fall', 'winter_to_winter', 'spring_to_spring'
] %}
{%- set map_key = [
    'student_id', 'term_name', 'course', 'test_name', 'test_start_date', 'test_start_time', 'norms_reference_data'
] %}
{%- set map_results = ['test_rit_score'] %}
{%- for span in growth %}
{%- do map_results.append(span ~ '_conditional_growth_percentile') %}
{%- endfor %}
{%- set star_results = ['unified_score', 'scaled_score', 'percentile_rank'] %}
{%- for span in ['fall_fall', 'fall_spring', 'fall_winter', 'spring_fall', 'spring_spring', 'winter_spring'] %}
{%- do star_results.append('student_growth_percentile_' ~ span) %}
{%- endfor %}
{%- set tables = [
    ('nwea_map__assessment_results', map_key + ['test_id'], map_results),
    ('nwea_map__combo_student_assessment', map_key, map_results),
    ('renaissance_star__star_test', ['assessment_id'], star_results),
    ('state_assessment__canonical_result', [
        'state_test_id', 'local_student_id', 'state_student_id', 'assessment_family', 'subject', 'tested_grade', 'school_year_end',
        'admin_window'
    ], ['scale_score', 'level_number']),
] %}
with
{%- for table, key, results in tables %}
{{ table }}_repeated as (
    select
        _file_id,
        {{ key | join(',\n        ') }}
    from {{ source('lake', table) }}
    group by
        _file_id,
        {{ key | join(',\n        ') }}
    having
        count(*) > 1
        and (
            {%- for result in results %}
            {% if not loop.first %}or {% endif %}count(distinct coalesce(cast({{ result }} as varchar), '')) > 1
            {%- endfor %}
        )
){{ ',\n' if not loop.last }}
{%- endfor %}
{% for table, key, results in tables %}
select
    test._file_id as file_id,
    test._row_number as row_number
from {{ source('lake', table) }} as test
inner join {{ table }}_repeated as repeated
    on
        test._file_id = repeated._file_id
        {%- for column in key %}
        and test.{{ column }} is not distinct from repeated.{{ column }}
        {%- endfor %}
{{ 'union all' if not loop.last }}
{%- endfor %}
