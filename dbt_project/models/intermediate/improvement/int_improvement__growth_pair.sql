-- Every student of the district with a baseline, tutored or not, this year and the years of history: baseline, end test and metric of each
-- pair of tests that some contract prices. One rule of which test counts for everybody (domain §5.3), so that both sides of a comparison
-- are made alike; contract windows do not enter, since nobody set any for students without a contract.
with settings as (
    select history_years
    from {{ source('documents', 'improvement_setting') }}
),

pairs as (
    select
        pair_key,
        min(subject) as subject,
        min(instrument) as instrument,
        min(metric) as metric,
        min(baseline_window) as baseline_window,
        min(end_window) as end_window,
        min(norms_reference) as norms_reference,
        min(school_year_end) as first_year_end,
        max(school_year_end) as last_year_end
    from {{ ref('int_improvement__outcome_line') }}
    where pair_key is not null
    group by pair_key
),

-- Which tests are looked for: the baseline of a PRIOR_ window is a year older than the growth it begins.
wanted as (
    select
        pairs.*,
        'END' as test_role,
        pairs.end_window as window_id,
        0 as years_before
    from pairs
    union all
    select
        pairs.*,
        'BASELINE' as test_role,
        replace(pairs.baseline_window, 'PRIOR_', '') as window_id,
        case when left(pairs.baseline_window, 6) = 'PRIOR_' then 1 else 0 end as years_before
    from pairs
),

candidates as (
    select
        wanted.pair_key,
        wanted.test_role,
        wanted.window_id,
        result.school_year_end + wanted.years_before as school_year_end,
        coalesce(result.student_key, 'unknown:' || result.student_id) as student_ref,
        result.student_key,
        result.assessment_result_key,
        result.tested_on,
        result.started_at,
        result.score,
        result.score_se,
        result.performance_level,
        result.school_id,
        result.grade_level,
        result.is_growth_event,
        result.exported_at,
        left(result.instrument, 8) = 'NWEA_MAP' as is_map,
        left(result.instrument, 16) = 'RENAISSANCE_STAR' as is_star,
        coalesce(result.test_type = 'PROGRESS_MONITORING', false) as is_progress_monitoring,
        case
            when wanted.window_id = 'WINTER'
                then
                    abs({{ days_between("cast(cast(result.school_year_end as varchar) || '-01-15' as date)", 'result.tested_on') }})
        end as days_from_mid_january
    from wanted
    cross join settings
    inner join {{ ref('input__assessment_result') }} as result
        on
            wanted.instrument = result.instrument
            and wanted.window_id = result.window_id
            and (wanted.norms_reference is null or wanted.norms_reference = result.norms_reference)
            and result.school_year_end + wanted.years_before between wanted.first_year_end - settings.history_years and wanted.last_year_end
    where
        result.is_valid
        and result.student_id is not null
        and (result.tested_on is null or result.tested_on <= {{ as_of_date() }})
),

-- MAP: the publisher's growth event, else the lowest standard error. Star: the first of fall, the winter test closest to 15 January, the
-- last of spring as a baseline, the last of any window as an end; progress monitoring only where there is nothing else.
ranked as (
    select
        *,
        row_number() over (
            partition by pair_key, test_role, school_year_end, student_ref
            order by
                case when is_progress_monitoring then 1 else 0 end asc,
                case when is_map and is_growth_event then 0 else 1 end asc,
                case when is_map then score_se end asc nulls last,
                case when is_star and test_role = 'BASELINE' and window_id = 'FALL' then tested_on end asc nulls last,
                case when is_star and test_role = 'BASELINE' and window_id = 'WINTER' then days_from_mid_january end asc nulls last,
                tested_on desc nulls last,
                started_at desc nulls last,
                exported_at desc nulls last,
                assessment_result_key asc
        ) as choice
    from candidates
),

counted as (
    select * from ranked
    where choice = 1
),

metrics as (
    select
        metric.assessment_result_key,
        metric.metric,
        metric.value
    from {{ ref('input__assessment_metric') }} as metric
    inner join (
        select distinct metric
        from pairs
        union
        select distinct 'CGI_' || baseline_window || '_' || end_window as metric
        from pairs
        union
        select distinct 'PROJECTED_GROWTH_' || baseline_window || '_' || end_window as metric
        from pairs
    ) as needed
        on metric.metric = needed.metric
),

-- Grade at the time: as the test file states it, else today's less the years between.
students as (
    select
        student.student_key,
        student.grade_level,
        district.school_year_end
    from {{ ref('input__student') }} as student
    cross join {{ source('documents', 'district') }} as district
),

-- In a contract of that subject in that year, whatever the line and however short: such a student is nobody's comparison.
tutored as (
    select
        spans.student_key,
        contracts.school_year_end,
        lower(contracts.subject) as subject,
        min_by(spans.contract_id, spans.start_on) as contract_id
    from {{ ref('int_student_assignment__span') }} as spans
    inner join {{ ref('int_payment__contract') }} as contracts
        on spans.contract_id = contracts.contract_id
    where spans.student_key is not null
    group by spans.student_key, contracts.school_year_end, lower(contracts.subject)
),

-- Status on the first of October of each school year, about when rosters are drawn. A year in which nobody is known to be in any program
-- says nothing about anybody.
program_years as (
    select
        years.school_year_end,
        stints.student_key,
        max(case when stints.program in ('EL', 'ELL', 'MLL') then 1 else 0 end) as is_english_learner,
        max(case when stints.program in ('IEP', 'SWD') then 1 else 0 end) as is_iep
    from (
        select distinct school_year_end
        from counted
    ) as years
    inner join {{ ref('input__program_status') }} as stints
        on
            coalesce(stints.begin_on <= cast(cast(years.school_year_end - 1 as varchar) || '-10-01' as date), true)
            and coalesce(stints.end_on > cast(cast(years.school_year_end - 1 as varchar) || '-10-01' as date), true)
    group by years.school_year_end, stints.student_key
),

known_years as (
    select distinct school_year_end
    from program_years
),

paired as (
    select
        pairs.pair_key,
        pairs.instrument,
        pairs.subject,
        pairs.metric,
        pairs.baseline_window,
        pairs.end_window,
        pairs.norms_reference,
        baseline.student_ref,
        baseline.student_key,
        baseline.school_year_end,
        coalesce(baseline.school_id, end_test.school_id) as school_id,
        baseline.assessment_result_key as baseline_assessment_result_key,
        baseline.score as baseline_score,
        baseline.score_se as baseline_score_se,
        baseline.performance_level as baseline_performance_level,
        end_test.assessment_result_key as end_assessment_result_key,
        end_test.score as end_score,
        end_test.score_se as end_score_se,
        end_test.performance_level as end_performance_level,
        metric.value as metric_value,
        index_metric.value as cgi,
        projected.value as projected_growth,
        coalesce(
            end_test.grade_level,
            case when pairs.baseline_window not like 'PRIOR_%' then baseline.grade_level end,
            {{ grade_years_before('students.grade_level', 'students.school_year_end - baseline.school_year_end') }}
        ) as grade_level
    from pairs
    inner join counted as baseline
        on
            pairs.pair_key = baseline.pair_key
            and baseline.test_role = 'BASELINE'
    left join counted as end_test
        on
            baseline.pair_key = end_test.pair_key
            and baseline.school_year_end = end_test.school_year_end
            and baseline.student_ref = end_test.student_ref
            and end_test.test_role = 'END'
    left join metrics as metric
        on
            end_test.assessment_result_key = metric.assessment_result_key
            and pairs.metric = metric.metric
    left join metrics as index_metric
        on
            end_test.assessment_result_key = index_metric.assessment_result_key
            and index_metric.metric = 'CGI_' || pairs.baseline_window || '_' || pairs.end_window
    left join metrics as projected
        on
            end_test.assessment_result_key = projected.assessment_result_key
            and projected.metric = 'PROJECTED_GROWTH_' || pairs.baseline_window || '_' || pairs.end_window
    left join students
        on baseline.student_key = students.student_key
),

placed as (
    select
        paired.*,
        coalesce(school.district_id, '{{ var("district_id") }}') as district_id
    from paired
    left join {{ ref('input__school') }} as school
        on paired.school_id = school.school_id
),

-- Place among all students of the same district, test, year and grade; equal scores share a place, so never fall into two groups.
standing as (
    select
        placed.*,
        case
            when placed.baseline_score is not null
                then
                    rank() over (
                        partition by
                            placed.district_id, placed.pair_key, placed.school_year_end, placed.grade_level, (placed.baseline_score is null)
                        order by placed.baseline_score
                    ) - 1
        end as students_below,
        count(placed.baseline_score) over (
            partition by placed.district_id, placed.pair_key, placed.school_year_end, placed.grade_level
        ) as students_in_grade
    from placed
)

select
    standing.district_id,
    standing.student_ref,
    standing.student_key,
    standing.school_year_end,
    standing.pair_key,
    standing.instrument,
    standing.subject,
    standing.metric,
    standing.baseline_window,
    standing.end_window,
    standing.norms_reference,
    standing.grade_level,
    standing.school_id,
    standing.baseline_assessment_result_key,
    standing.baseline_score,
    standing.baseline_score_se,
    standing.baseline_performance_level,
    cast({{ integer_divide('standing.students_below * 10', 'standing.students_in_grade') }} + 1 as integer) as baseline_decile,
    cast({{ integer_divide('standing.students_below * 5', 'standing.students_in_grade') }} + 1 as integer) as baseline_quintile,
    standing.end_assessment_result_key,
    standing.end_score,
    standing.end_score_se,
    standing.end_performance_level,
    standing.metric_value,
    standing.cgi,
    standing.projected_growth,
    tutored.contract_id is not null as is_tutored,
    tutored.contract_id,
    case when known_years.school_year_end is not null then coalesce(program_years.is_english_learner, 0) = 1 end as is_english_learner,
    case when known_years.school_year_end is not null then coalesce(program_years.is_iep, 0) = 1 end as is_iep,
    coalesce(attendance.school_attendance_band, 'unknown') as school_attendance_band
from standing
left join tutored
    on
        standing.student_key = tutored.student_key
        and standing.school_year_end = tutored.school_year_end
        and standing.subject = tutored.subject
left join known_years
    on standing.school_year_end = known_years.school_year_end
left join program_years
    on
        standing.school_year_end = program_years.school_year_end
        and standing.student_key = program_years.student_key
left join {{ ref('int_improvement__prior_attendance') }} as attendance
    on
        standing.student_key = attendance.student_key
        and standing.school_year_end = attendance.school_year_end
