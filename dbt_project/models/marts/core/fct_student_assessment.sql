-- One row per test taken, with its headline percentile. Growth metrics are in the input layer, long.
with percentiles as (
    select
        assessment_result_key,
        value as percentile
    from {{ ref('input__assessment_metric') }}
    where metric = 'PERCENTILE'
)

select
    results.assessment_result_key,
    results.student_key,
    results.student_id,
    results.instrument,
    results.subject,
    results.school_year_end,
    results.window_id,
    results.tested_on,
    results.test_type,
    results.score,
    results.score_se,
    results.performance_level,
    percentiles.percentile,
    results.is_growth_event,
    results.rapid_guessing_share,
    results.norms_reference,
    results.is_valid,
    results.invalid_reason,
    results.school_id,
    results.source,
    results.file_id,
    results.row_number
from {{ ref('input__assessment_result') }} as results
left join percentiles
    on results.assessment_result_key = percentiles.assessment_result_key
