-- Every test taken, of every instrument, in one shape. Nothing is chosen here: which test counts is a rule per instrument, downstream.
with nwea_map as (
    select
        assessment_result_key,
        student_id,
        -- Some districts write kindergarten as 13.
        {{ grade_level("case when trim(grade) = '13' then 'KG' else grade end") }} as grade_level,
        case
            when lower(course) like '%spanish%' then 'READING_SPANISH'
            when
                lower(course) like 'math%'
                or lower(course) like 'algebra%'
                or lower(course) like 'geometry%'
                or lower(course) like 'integrated math%'
                then 'MATH'
            when lower(course) like 'reading%' then 'READING'
            when lower(course) like 'language%' then 'LANGUAGE_USAGE'
            when
                lower(course) like '%science%' or lower(course) like 'biology%' or lower(subject) like '%science%'
                then 'SCIENCE'
            when lower(course) is null and lower(subject) like 'math%' then 'MATH'
            else 'OTHER'
        end as subject,
        school_year_end,
        window_id,
        test_start_date as tested_on,
        case when test_start_time is not null then test_start_date + test_start_time end as started_at,
        test_id,
        case
            when lower(test_name) like 'screening%' then 'SCREENING'
            when lower(test_type) like 'survey%' then 'GROWTH'
            else 'OTHER'
        end as test_type,
        cast(test_rit_score as decimal(18, 6)) as score,
        cast(test_standard_error as decimal(18, 6)) as score_se,
        test_percentile as percentile,
        cast(null as integer) as performance_level,
        growth_measure_yn as is_growth_event,
        -- The export states a percentage of the answers, 0 to 100.
        cast(rapid_guessing_percentage / 100 as decimal(9, 6)) as rapid_guessing_share,
        norms_reference_data as norms_reference,
        case
            when test_rit_score is null then 'NO_SCORE'
            when test_rit_score < 100 or test_rit_score > 350 then 'SCORE_OUT_OF_RANGE'
            when lower(test_name) like 'screening%' then 'NOT_A_GROWTH_TEST'
        end as invalid_reason,
        coalesce(school_state_id, school_name) as sent_school,
        school_name as sent_school_name,
        source,
        file_id,
        row_number,
        exported_at,
        'NWEA_MAP_' as instrument_prefix
    from {{ ref('stg_nwea_map__assessment_result') }}
),

renaissance_star as (
    select
        tests.assessment_result_key,
        case coalesce(feed.student_id_is, 'LOCAL')
            when 'SOURCED' then tests.student_sourced_id
            when 'STATE' then tests.student_state_id
            else tests.student_identifier
        end as student_id,
        {{ grade_level('tests.grade') }} as grade_level,
        case
            when tests.product like 'SRS%' then 'READING_SPANISH'
            when tests.product like 'SMS%' then 'MATH_SPANISH'
            when tests.product like 'SELS%' then 'EARLY_LITERACY_SPANISH'
            when tests.product like 'SEL%' then 'EARLY_LITERACY'
            when tests.product like 'SR%' then 'READING'
            when tests.product like 'SM%' then 'MATH'
            else 'OTHER'
        end as subject,
        try_cast(right(trim(tests.school_year), 4) as integer) as school_year_end,
        {{ star_growth_window('tests.tested_on') }} as window_id,
        tests.tested_on,
        tests.launch_date as started_at,
        tests.assessment_id as test_id,
        case
            when lower(replace(replace(tests.assessment_type, ' ', ''), '-', '')) in ('progressmonitoring', 'nonenterprise')
                then 'PROGRESS_MONITORING'
            when lower(tests.assessment_type) like '%enterprise%' then 'GROWTH'
            else 'OTHER'
        end as test_type,
        -- The unified scale is the reported one since 2022-23; the two are never mixed.
        cast(
            case
                when try_cast(right(trim(tests.school_year), 4) as integer) < 2023 then tests.scaled_score
                else coalesce(tests.unified_score, tests.scaled_score)
            end as decimal(18, 6)
        ) as score,
        cast(tests.standard_error_of_measurement as decimal(18, 6)) as score_se,
        cast(tests.percentile_rank as decimal(18, 6)) as percentile,
        cast(null as integer) as performance_level,
        cast(null as boolean) as is_growth_event,
        cast(null as decimal(9, 6)) as rapid_guessing_share,
        cast(null as varchar) as norms_reference,
        case
            when
                lower(coalesce(tests.assessment_status, 'active')) <> 'active'
                or nullif(trim(tests.deactivation_reason), '') is not null
                then 'DEACTIVATED'
            when tests.unified_score is null and tests.scaled_score is null then 'NO_SCORE'
        end as invalid_reason,
        coalesce(tests.school_sourced_id, tests.school_identifier, tests.school_name) as sent_school,
        tests.school_name as sent_school_name,
        tests._source as source,
        tests._file_id as file_id,
        tests._row_number as row_number,
        tests._exported_at as exported_at,
        'RENAISSANCE_STAR_' as instrument_prefix
    from {{ ref('stg_renaissance_star__star_test') }} as tests
    left join {{ source('documents', 'data_source') }} as feed
        on tests._source = feed.source
),

state_assessment as (
    select
        tests.assessment_result_key,
        case coalesce(feed.student_id_is, 'LOCAL')
            when 'STATE' then tests.state_student_id
            else tests.local_student_id
        end as student_id,
        {{ grade_level('tests.grade') }} as grade_level,
        case
            when lower(tests.subject) like 'math%' or lower(tests.subject) like 'algebra%' then 'MATH'
            when lower(tests.subject) in ('ela', 'reading', 'english', 'rla') or lower(tests.subject) like 'english%' then 'ELA'
            when lower(tests.subject) like 'sci%' then 'SCIENCE'
            when lower(tests.subject) like 'soc%' then 'SOCIAL_STUDIES'
            else 'OTHER'
        end as subject,
        tests.school_year_end,
        upper(trim(coalesce(tests.admin_window, 'SPRING'))) as window_id,
        tests.test_date as tested_on,
        cast(null as timestamp) as started_at,
        tests.state_test_id as test_id,
        'SUMMATIVE' as test_type,
        cast(tests.scale_score as decimal(18, 6)) as score,
        cast(tests.score_sem as decimal(18, 6)) as score_se,
        cast(tests.percentile as decimal(18, 6)) as percentile,
        cast(tests.level_number as integer) as performance_level,
        cast(null as boolean) as is_growth_event,
        cast(null as decimal(9, 6)) as rapid_guessing_share,
        cast(null as varchar) as norms_reference,
        case
            when lower(coalesce(tests.status, 'scored')) <> 'scored' then upper(tests.status)
            when tests.scale_score is null and tests.level_number is null then 'NO_SCORE'
        end as invalid_reason,
        tests.testing_school_id as sent_school,
        tests.testing_school_name as sent_school_name,
        tests._source as source,
        tests._file_id as file_id,
        tests._row_number as row_number,
        tests._exported_at as exported_at,
        'STATE_TEST_' as instrument_prefix
    from {{ ref('stg_state_assessment__result') }} as tests
    left join {{ source('documents', 'data_source') }} as feed
        on tests._source = feed.source
),

tests as (
    select * from nwea_map
    union all
    select * from renaissance_star
    union all
    select * from state_assessment
),

-- The few spellings of schools meet the roster's, by id first, instead of every row.
schools as (
    select
        sent.sent_school,
        sent.sent_school_name,
        coalesce(alias.school_id, name_alias.school_id) as school_id
    from (
        select distinct
            sent_school,
            sent_school_name
        from tests
    ) as sent
    left join {{ ref('stg_oneroster__school_alias') }} as alias
        on lower(trim(sent.sent_school)) = alias.alias
    left join {{ ref('stg_oneroster__school_alias') }} as name_alias
        on {{ school_alias('sent.sent_school_name') }} = name_alias.alias
)

select
    tests.assessment_result_key,
    identifier.student_key,
    coalesce(identifier.student_id, tests.student_id) as student_id,
    tests.instrument_prefix || tests.subject as instrument,
    tests.subject,
    tests.grade_level,
    cast(tests.school_year_end as integer) as school_year_end,
    tests.window_id,
    tests.tested_on,
    cast(tests.started_at as timestamp) as started_at,
    tests.test_id,
    tests.test_type,
    tests.score,
    tests.score_se,
    tests.percentile,
    tests.performance_level,
    tests.is_growth_event,
    tests.rapid_guessing_share,
    tests.norms_reference,
    tests.invalid_reason is null as is_valid,
    tests.invalid_reason,
    schools.school_id,
    tests.source,
    tests.file_id,
    tests.row_number,
    tests.exported_at
from tests
{{ join_student('tests') }}
left join schools
    on
        tests.sent_school is not distinct from schools.sent_school
        and tests.sent_school_name is not distinct from schools.sent_school_name
