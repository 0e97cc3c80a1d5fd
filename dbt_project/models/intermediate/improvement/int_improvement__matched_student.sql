-- Tutored students and the untutored students of the same year they are compared with: coarsened exact matching on grade, fifth of the
-- baseline, band of school attendance, English learner and IEP, inside one district and one pair of tests (domain §6). A tutored student in
-- a cell without untutored ones is left out and counted (cell_is_matched). Weights: 1 for the tutored; for the others the cell's tutored
-- over its untutored, so that both groups stand in the same cells in the same proportions.
with lines as (
    select * from {{ ref('int_improvement__outcome_line') }}
    where pair_key is not null
),

-- What is compared: growth where the publisher gives an index of it, else the end score, which is adjusted for the baseline downstream.
pairs as (
    select
        pair.*,
        cast(
            case
                when left(pair.instrument, 8) = 'NWEA_MAP' and left(pair.baseline_window, 6) <> 'PRIOR_' then pair.cgi
                else pair.end_score
            end as double
        ) as outcome,
        case when attendance.known_days > 0 then 1 - cast(attendance.absent_days as double) / attendance.known_days end
            as prior_attendance_rate,
        {{ surrogate_key([
            'pair.grade_level', 'pair.baseline_quintile', 'pair.school_attendance_band', 'pair.is_english_learner', 'pair.is_iep',
        ]) }} as cell_key
    from {{ ref('int_improvement__growth_pair') }} as pair
    left join {{ ref('int_improvement__prior_attendance') }} as attendance
        on
            pair.student_key = attendance.student_key
            and pair.school_year_end = attendance.school_year_end
    where
        pair.baseline_score is not null
        and pair.metric_value is not null
        and pair.grade_level is not null
),

tutored as (
    select
        lines.contract_id,
        lines.line_id,
        lines.comparator,
        lines.threshold,
        pairs.*
    from lines
    inner join {{ ref('int_improvement__student') }} as students
        on lines.contract_id = students.contract_id
    inner join pairs
        on
            lines.pair_key = pairs.pair_key
            and lines.school_year_end = pairs.school_year_end
            and students.student_key = pairs.student_key
            and students.district_id = pairs.district_id
    where pairs.outcome is not null
),

cells as (
    select
        contract_id,
        line_id,
        district_id,
        pair_key,
        school_year_end,
        cell_key,
        min(comparator) as comparator,
        min(threshold) as threshold,
        count(*) as n_tutored
    from tutored
    group by contract_id, line_id, district_id, pair_key, school_year_end, cell_key
),

untutored as (
    select
        cells.contract_id,
        cells.line_id,
        cells.comparator,
        cells.threshold,
        pairs.*
    from cells
    inner join pairs
        on
            cells.district_id = pairs.district_id
            and cells.pair_key = pairs.pair_key
            and cells.school_year_end = pairs.school_year_end
            and cells.cell_key = pairs.cell_key
    where
        not pairs.is_tutored
        and pairs.outcome is not null
),

untutored_cells as (
    select
        contract_id,
        line_id,
        district_id,
        cell_key,
        count(*) as n_untutored
    from untutored
    group by contract_id, line_id, district_id, cell_key
),

compared as (
    select
        tutored.*,
        true as is_tutored_here
    from tutored
    union all
    select
        untutored.*,
        false as is_tutored_here
    from untutored
)

select
    compared.contract_id,
    compared.line_id,
    compared.district_id,
    compared.student_ref,
    compared.is_tutored_here as is_tutored,
    {{ surrogate_key(['compared.district_id', 'compared.cell_key']) }} as cell_key,
    compared.grade_level,
    compared.school_id,
    cast(compared.baseline_score as double) as baseline_score,
    compared.prior_attendance_rate,
    compared.is_english_learner,
    compared.is_iep,
    compared.outcome,
    case when {{ is_threshold_met('compared.metric_value', 'compared.comparator', 'compared.threshold') }} then 1 else 0 end as is_met,
    untutored_cells.n_untutored is not null as cell_is_matched,
    cells.n_tutored as cell_tutored,
    coalesce(untutored_cells.n_untutored, 0) as cell_untutored,
    case
        when compared.is_tutored_here then case when untutored_cells.n_untutored is not null then 1.0e0 else 0.0e0 end
        else cast(cells.n_tutored as double) / untutored_cells.n_untutored
    end as weight
from compared
inner join cells
    on
        compared.contract_id = cells.contract_id
        and compared.line_id = cells.line_id
        and compared.district_id = cells.district_id
        and compared.cell_key = cells.cell_key
left join untutored_cells
    on
        compared.contract_id = untutored_cells.contract_id
        and compared.line_id = untutored_cells.line_id
        and compared.district_id = untutored_cells.district_id
        and compared.cell_key = untutored_cells.cell_key
