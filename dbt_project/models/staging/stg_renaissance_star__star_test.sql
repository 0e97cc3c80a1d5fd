-- Star tests of all products, one row per AssessmentID, the newest export of it.
with replaced as (
    {{ replaced_rows(source('lake', 'renaissance_star__star_test'), ['assessment_id']) }}
),

tests as (
    select
        assessment_id,
        student_identifier,
        student_sourced_id,
        student_state_id,
        school_sourced_id,
        school_identifier,
        school_name,
        product,
        school_year,
        assessment_type,
        assessment_status,
        deactivation_reason,
        launch_date,
        completed_date_local,
        scaled_score,
        unified_score,
        standard_error_of_measurement,
        percentile_rank,
        -- Grade placement is grade and tenth of the year, such as 4.05.
        coalesce(nullif(trim(grade), ''), cast(cast(floor(grade_placement) as integer) as varchar)) as grade,
        student_growth_percentile_fall_fall,
        student_growth_percentile_fall_spring,
        student_growth_percentile_fall_winter,
        student_growth_percentile_spring_fall,
        student_growth_percentile_spring_spring,
        student_growth_percentile_winter_spring,
        _source,
        _file_id,
        _row_number,
        _exported_at
    from {{ source('lake', 'renaissance_star__star_test') }}
)

select
    tests.*,
    {{ surrogate_key(["'renaissance_star'", 'assessment_id']) }} as assessment_result_key,
    -- CompletedDateLocal is local wall time that still carries a Z: its first ten characters are the day, never converted.
    try_cast(substr(cast(completed_date_local as varchar), 1, 10) as date) as tested_on
from tests
left join replaced
    on
        tests._file_id = replaced._file_id
        and tests._row_number = replaced._row_number
where replaced._file_id is null
