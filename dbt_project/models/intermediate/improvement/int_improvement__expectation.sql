-- One row per contract, line and measured student: was the outcome met, and how often was it met by the district's own untutored students
-- of the years of history who began at the same place. The same place is grade and tenth of the baseline; where history has too few of
-- those, grade and fifth; then the tenth in any grade. Where even that is too few, nothing is expected: unknown is not zero.
with settings as (
    select
        history_years,
        least_group_n
    from {{ source('documents', 'improvement_setting') }}
),

lines as (
    select * from {{ ref('int_improvement__outcome_line') }}
    where pair_key is not null
),

-- What payment found: the same tests and the same thresholds as on the statement.
outcomes as (
    select
        contract_id,
        line_id,
        student_ref,
        metric_value,
        is_outcome_met
    from {{ ref('int_payment__outcome') }}
    where measure_status = 'MEASURED'
),

tutored as (
    select
        lines.contract_id,
        lines.line_id,
        lines.pair_key,
        lines.comparator,
        lines.threshold,
        lines.school_year_end,
        students.student_id,
        students.student_key,
        students.district_id,
        pairs.grade_level,
        pairs.baseline_decile,
        pairs.baseline_quintile,
        outcomes.metric_value,
        outcomes.is_outcome_met as is_met
    from lines
    inner join outcomes
        on
            lines.contract_id = outcomes.contract_id
            and lines.line_id = outcomes.line_id
    inner join {{ ref('int_improvement__student') }} as students
        on
            outcomes.contract_id = students.contract_id
            and outcomes.student_ref = students.student_key
    left join {{ ref('int_improvement__growth_pair') }} as pairs
        on
            lines.pair_key = pairs.pair_key
            and lines.school_year_end = pairs.school_year_end
            and students.student_key = pairs.student_key
            and students.district_id = pairs.district_id
),

-- Each question of each district once, however many contracts ask it.
questions as (
    select distinct
        district_id,
        pair_key,
        comparator,
        threshold,
        school_year_end
    from tutored
),

history as (
    select
        questions.district_id,
        questions.pair_key,
        questions.comparator,
        questions.threshold,
        questions.school_year_end,
        past.grade_level,
        past.baseline_decile,
        past.baseline_quintile,
        case when {{ is_threshold_met('past.metric_value', 'questions.comparator', 'questions.threshold') }} then 1 else 0 end as is_met
    from questions
    cross join settings
    inner join {{ ref('int_improvement__growth_pair') }} as past
        on
            questions.district_id = past.district_id
            and questions.pair_key = past.pair_key
            and past.school_year_end >= questions.school_year_end - settings.history_years
            and past.school_year_end < questions.school_year_end
    where
        not past.is_tutored
        and past.metric_value is not null
        and past.grade_level is not null
),

cells as (
    select
        district_id,
        pair_key,
        comparator,
        threshold,
        school_year_end,
        case when grouping(grade_level) = 1 then 3 when grouping(baseline_decile) = 1 then 2 else 1 end as cell_level,
        grade_level,
        baseline_decile,
        baseline_quintile,
        count(*) as history_students,
        sum(is_met) as history_met
    from history
    group by grouping sets (
        (district_id, pair_key, comparator, threshold, school_year_end, grade_level, baseline_decile),
        (district_id, pair_key, comparator, threshold, school_year_end, grade_level, baseline_quintile),
        (district_id, pair_key, comparator, threshold, school_year_end, baseline_decile)
    )
),

-- Enough students in the cell to say anything at all.
usable as (
    select
        cells.*,
        {{ surrogate_key([
            'district_id', 'pair_key', 'comparator', 'threshold', 'school_year_end', 'cell_level', 'grade_level', 'baseline_decile',
            'baseline_quintile',
        ]) }} as cell_key
    from cells
    cross join settings
    where cells.history_students >= settings.least_group_n
),

placed as (
    select
        tutored.contract_id,
        tutored.line_id,
        tutored.student_id,
        tutored.student_key,
        tutored.district_id,
        tutored.metric_value,
        tutored.is_met,
        coalesce(tenth.cell_level, fifth.cell_level, any_grade.cell_level) as cell_level,
        coalesce(tenth.cell_key, fifth.cell_key, any_grade.cell_key) as cell_key,
        coalesce(tenth.history_students, fifth.history_students, any_grade.history_students) as history_students,
        coalesce(tenth.history_met, fifth.history_met, any_grade.history_met) as history_met
    from tutored
    left join usable as tenth
        on
            tutored.district_id = tenth.district_id
            and tutored.pair_key = tenth.pair_key
            and tutored.comparator = tenth.comparator
            and tutored.threshold = tenth.threshold
            and tutored.school_year_end = tenth.school_year_end
            and tenth.cell_level = 1
            and tutored.grade_level = tenth.grade_level
            and tutored.baseline_decile = tenth.baseline_decile
    left join usable as fifth
        on
            tutored.district_id = fifth.district_id
            and tutored.pair_key = fifth.pair_key
            and tutored.comparator = fifth.comparator
            and tutored.threshold = fifth.threshold
            and tutored.school_year_end = fifth.school_year_end
            and fifth.cell_level = 2
            and tutored.grade_level = fifth.grade_level
            and tutored.baseline_quintile = fifth.baseline_quintile
    left join usable as any_grade
        on
            tutored.district_id = any_grade.district_id
            and tutored.pair_key = any_grade.pair_key
            and tutored.comparator = any_grade.comparator
            and tutored.threshold = any_grade.threshold
            and tutored.school_year_end = any_grade.school_year_end
            and any_grade.cell_level = 3
            and tutored.baseline_decile = any_grade.baseline_decile
)

select
    contract_id,
    line_id,
    student_id,
    student_key,
    district_id,
    metric_value,
    is_met,
    cast(cell_level as integer) as cell_level,
    cell_key,
    cast(history_students as integer) as history_students,
    cast(history_met as integer) as history_met,
    cast(history_met as double) / history_students as expected_rate
from placed
