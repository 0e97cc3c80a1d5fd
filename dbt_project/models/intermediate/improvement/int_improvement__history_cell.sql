-- The district's own untutored students of earlier years, counted by where they began: one row per question (pair of tests, threshold,
-- school year asked about), cell and year of history. Cells are grade and tenth of the baseline (level 1), grade and fifth (2), tenth in
-- any grade (3): the wider ones stand in where the narrow ones hold too few students.
with settings as (
    select history_years
    from {{ source('documents', 'improvement_setting') }}
),

-- Each question of each district once, however many contracts ask it.
questions as (
    select distinct
        students.district_id,
        lines.pair_key,
        lines.comparator,
        lines.threshold,
        lines.school_year_end
    from {{ ref('int_improvement__outcome_line') }} as lines
    inner join {{ ref('int_improvement__student') }} as students
        on lines.contract_id = students.contract_id
    where lines.pair_key is not null
),

history as (
    select
        questions.district_id,
        questions.pair_key,
        questions.comparator,
        questions.threshold,
        questions.school_year_end,
        past.school_year_end as history_year_end,
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
        history_year_end,
        case when grouping(grade_level) = 1 then 3 when grouping(baseline_decile) = 1 then 2 else 1 end as cell_level,
        grade_level,
        baseline_decile,
        baseline_quintile,
        count(*) as n_students,
        sum(is_met) as n_met
    from history
    group by grouping sets (
        (district_id, pair_key, comparator, threshold, school_year_end, history_year_end, grade_level, baseline_decile),
        (district_id, pair_key, comparator, threshold, school_year_end, history_year_end, grade_level, baseline_quintile),
        (district_id, pair_key, comparator, threshold, school_year_end, history_year_end, baseline_decile)
    )
)

select
    cells.*,
    {{ surrogate_key([
        'district_id', 'pair_key', 'comparator', 'threshold', 'school_year_end', 'cell_level', 'grade_level', 'baseline_decile',
        'baseline_quintile',
    ]) }} as cell_key
from cells
