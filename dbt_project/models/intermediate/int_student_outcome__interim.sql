-- The latest interim growth of each contracted student beside the first tier of each growth line: a signal on the way, never a result.
-- A fall-to-winter percentile stands in for the fall-to-spring one of the same family (CGP with CGP, SGP with SGP).
with lines as (
    select
        lines.contract_id,
        lines.line_id,
        lines.instrument,
        lines.metric,
        lines.norms_reference,
        contracts.school_year_end,
        split_part(lines.metric, '_', 1) as metric_family,
        min(tiers.threshold) as first_threshold
    from {{ source('documents', 'rate_card_line') }} as lines
    inner join {{ source('documents', 'contract') }} as contracts
        on
            lines.contract_id = contracts.contract_id
            and lines.version = contracts.version
            and contracts.effective_from <= {{ as_of_date() }}
            and (contracts.effective_to is null or contracts.effective_to > {{ as_of_date() }})
    inner join {{ source('documents', 'rate_card_tier') }} as tiers
        on
            lines.contract_id = tiers.contract_id
            and lines.version = tiers.version
            and lines.line_id = tiers.line_id
            and tiers.kind = 'TIER'
    where lines.metric like 'CGP%' or lines.metric like 'SGP%'
    group by
        lines.contract_id, lines.line_id, lines.instrument, lines.metric, lines.norms_reference, contracts.school_year_end
),

students as (
    select distinct
        contract_id,
        student_id,
        student_key
    from {{ ref('int_student_assignment__span') }}
    where student_key is not null
),

results as (
    select
        students.contract_id,
        students.student_id,
        lines.line_id,
        lines.metric as line_metric,
        lines.metric_family,
        lines.first_threshold,
        results.assessment_result_key,
        results.tested_on
    from students
    inner join lines
        on students.contract_id = lines.contract_id
    inner join {{ ref('input__assessment_result') }} as results
        on
            students.student_key = results.student_key
            and lines.instrument = results.instrument
            and lines.school_year_end = results.school_year_end
            and (lines.norms_reference is null or lines.norms_reference = results.norms_reference)
    where
        results.is_valid
        and coalesce(results.is_growth_event, true)
        and results.tested_on <= {{ as_of_date() }}
),

signals as (
    select
        results.contract_id,
        results.student_id,
        results.line_id,
        results.first_threshold,
        results.tested_on,
        metrics.metric,
        metrics.value as metric_value,
        row_number() over (
            partition by results.contract_id, results.student_id, results.line_id
            order by
                case when metrics.metric = results.line_metric then 0 else 1 end,
                results.tested_on desc,
                metrics.metric asc
        ) as preference
    from results
    inner join {{ ref('input__assessment_metric') }} as metrics
        on
            results.assessment_result_key = metrics.assessment_result_key
            and metrics.metric in (
                results.line_metric, results.metric_family || '_FALL_WINTER', results.metric_family || '_FALL_SPRING',
                results.metric_family || '_WINTER_SPRING'
            )
)

select
    contract_id,
    student_id,
    line_id,
    metric,
    metric_value,
    first_threshold,
    tested_on,
    metric_value >= first_threshold as is_on_track
from signals
where preference = 1
