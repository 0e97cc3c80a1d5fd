-- State test results of every layout in the canonical long form, the newest of each test.
with canonical as (
    select
        state_test_id,
        subject,
        coalesce(tested_grade, enrolled_grade) as grade,
        school_year_end,
        admin_window,
        test_date,
        state_student_id,
        local_student_id,
        testing_school_id,
        cast(null as varchar) as testing_school_name,
        scale_score,
        score_sem,
        level_number,
        percentile,
        lower(trim(status)) as status,
        _source,
        _file_id,
        _row_number,
        _exported_at,
        _file_rank
    from {{ source('lake', 'state_assessment__canonical_result') }}
),

-- Colorado CMAS: voided, suppressed and unattempted tests carry a code instead of being left out (formats/state_assessment.md §2).
cmas as (
    select
        student_test_uuid as state_test_id,
        subject,
        grade_level_when_assessed as grade,
        try_cast(right(trim(assessment_year), 4) as integer) as school_year_end,
        'SPRING' as admin_window,
        cast(unit1_test_start_date_time as date) as test_date,
        state_student_identifier as state_student_id,
        local_student_identifier as local_student_id,
        testing_school_code as testing_school_id,
        testing_school_name,
        ss as scale_score,
        sscsem as score_sem,
        perf_lvl as level_number,
        percentile_rank as percentile,
        case
            when nullif(trim(not_tested_code), '') is not null then 'not_tested'
            when nullif(trim(void_score_code), '') is not null or upper(trim(calculated_invalidation)) = 'Y' then 'invalid'
            when nullif(trim(report_suppression_code), '') is not null then 'suppressed'
            when ss is null and perf_lvl is null then 'not_tested'
            else 'scored'
        end as status,
        _source,
        _file_id,
        _row_number,
        _exported_at,
        _file_rank
    from {{ source('lake', 'state_assessment__cmas_result') }}
),

results as (
    select * from canonical
    union all
    select * from cmas
),

replaced as (
    {{ replaced_rows('results', ['_source', 'state_test_id']) }}
)

select
    {{ surrogate_key(["'state_assessment'", 'results._source', 'results.state_test_id']) }} as assessment_result_key,
    results.*
from results
left join replaced
    on
        results._file_id = replaced._file_id
        and results._row_number = replaced._row_number
where replaced._file_id is null
