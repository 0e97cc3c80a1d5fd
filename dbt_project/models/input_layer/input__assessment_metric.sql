-- Metrics of every result, long. Growth metrics sit on the row of the end test, as the publishers send them.
-- A view: five million rows at 100,000 students, of which each reader needs a few columns of a few students.
-- noqa: disable=LT02,LT05,LT09
-- (the columns are written by loops)
{{ config(materialized='view') }}
{%- set growth = map_growth_columns() %}
{%- set star = [
    ('SGP_FALL_FALL', 'student_growth_percentile_fall_fall', 'StudentGrowthPercentileFallFall'),
    ('SGP_FALL_SPRING', 'student_growth_percentile_fall_spring', 'StudentGrowthPercentileFallSpring'),
    ('SGP_FALL_WINTER', 'student_growth_percentile_fall_winter', 'StudentGrowthPercentileFallWinter'),
    ('SGP_SPRING_FALL', 'student_growth_percentile_spring_fall', 'StudentGrowthPercentileSpringFall'),
    ('SGP_SPRING_SPRING', 'student_growth_percentile_spring_spring', 'StudentGrowthPercentileSpringSpring'),
    ('SGP_WINTER_SPRING', 'student_growth_percentile_winter_spring', 'StudentGrowthPercentileWinterSpring'),
    ('PERCENTILE', 'percentile_rank', 'PercentileRank'),
] %}

with nwea_map as (
    select
        assessment_result_key,
        {% for column in growth -%}
        {{ column.lake_column }} as {{ column.metric | lower }},
        {% endfor -%}
        test_percentile as percentile
    from {{ ref('stg_nwea_map__assessment_result') }}
),

-- UNPIVOT leaves out what is NULL.
nwea_map_long as (
    select
        assessment_result_key,
        upper(metric) as metric,
        value
    from nwea_map
    unpivot (
        value for metric in (
            {%- for column in growth %}{{ column.metric | lower }}, {% endfor %}percentile
        )
    )
),

renaissance_star as (
    select
        assessment_result_key,
        {% for metric, lake_column, source_column in star -%}
        cast({{ lake_column }} as decimal(18, 6)) as {{ metric | lower }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('stg_renaissance_star__star_test') }}
),

renaissance_star_long as (
    select
        assessment_result_key,
        upper(metric) as metric,
        value
    from renaissance_star
    unpivot (
        value for metric in (
            {%- for metric, lake_column, source_column in star %}{{ metric | lower }}{{ ', ' if not loop.last }}{% endfor %}
        )
    )
),

source_columns as (
    {% for column in growth -%}
    select 'nwea_map' as format, '{{ column.metric }}' as metric, '{{ column.source_column }}' as source_column
    union all
    {% endfor -%}
    {% for metric, lake_column, source_column in star -%}
    select 'renaissance_star' as format, '{{ metric }}' as metric, '{{ source_column }}' as source_column
    union all
    {% endfor -%}
    select 'nwea_map' as format, 'PERCENTILE' as metric, 'TestPercentile' as source_column
)

select
    nwea_map_long.assessment_result_key,
    nwea_map_long.metric,
    source_columns.source_column,
    nwea_map_long.value
from nwea_map_long
inner join source_columns
    on
        nwea_map_long.metric = source_columns.metric
        and source_columns.format = 'nwea_map'
union all
select
    renaissance_star_long.assessment_result_key,
    renaissance_star_long.metric,
    source_columns.source_column,
    renaissance_star_long.value
from renaissance_star_long
inner join source_columns
    on
        renaissance_star_long.metric = source_columns.metric
        and source_columns.format = 'renaissance_star'
union all
select
    assessment_result_key,
    'PROFICIENCY_LEVEL' as metric,
    'level_number' as source_column,
    cast(level_number as decimal(18, 6)) as value
from {{ ref('stg_state_assessment__result') }}
where
    level_number is not null
    and lower(coalesce(status, 'scored')) = 'scored'
union all
select
    assessment_result_key,
    'PERCENTILE' as metric,
    'percentile' as source_column,
    cast(percentile as decimal(18, 6)) as value
from {{ ref('stg_state_assessment__result') }}
where percentile is not null
