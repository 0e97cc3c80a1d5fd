-- One row per contract, line and measured student: was the outcome met, and how often was it met by the district's own untutored students
-- of the years of history who began at the same place. The same place is grade and tenth of the baseline; where history has too few of
-- those, grade and fifth; then the tenth in any grade. Where even that is too few, nothing is expected: unknown is not zero.
with settings as (
    select least_group_n
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

-- Enough students in the cell, over all years, to say anything at all.
usable as (
    select
        cells.district_id,
        cells.pair_key,
        cells.comparator,
        cells.threshold,
        cells.school_year_end,
        cells.cell_level,
        cells.grade_level,
        cells.baseline_decile,
        cells.baseline_quintile,
        cells.cell_key,
        sum(cells.n_students) as history_students,
        sum(cells.n_met) as history_met
    from {{ ref('int_improvement__history_cell') }} as cells
    cross join settings
    group by
        cells.district_id, cells.pair_key, cells.comparator, cells.threshold, cells.school_year_end, cells.cell_level, cells.grade_level,
        cells.baseline_decile, cells.baseline_quintile, cells.cell_key, settings.least_group_n
    having sum(cells.n_students) >= settings.least_group_n
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
