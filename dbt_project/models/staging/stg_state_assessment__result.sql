-- State test results of every layout in the canonical long form, the newest issue of each.
with canonical as (
    select
        state_test_id,
        subject,
        school_year_end,
        admin_window,
        test_date,
        state_student_id,
        local_student_id,
        testing_school_id,
        scale_score,
        score_sem,
        level_number,
        percentile,
        status,
        _source,
        _file_id,
        _row_number,
        _exported_at,
        _file_rank
    from {{ source('lake', 'state_assessment__canonical_result') }}
),

ranked as (
    select
        canonical.*,
        {{ recency_of_key(['_source', 'state_test_id', 'local_student_id', 'state_student_id', 'subject', 'school_year_end', 'admin_window']) }}
            as recency
    from canonical
)

select
    {{ surrogate_key([
        "'state_assessment'", '_source', 'state_test_id', 'local_student_id', 'state_student_id', 'subject', 'school_year_end',
        'admin_window'
    ]) }} as assessment_result_key,
    ranked.*
from ranked
where recency = 1
