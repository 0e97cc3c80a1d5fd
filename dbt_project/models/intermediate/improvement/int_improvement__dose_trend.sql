-- The straight line through the students of a line and measure: outcome on dosage alone, and on dosage and school attendance together
-- (ordinary least squares, closed form). Slopes are per whole unit of dosage; standard errors assume equal scatter along the line.
with totals as (
    select
        contract_id,
        line_id,
        measure,
        count(*) as n,
        count(*) * var_pop(dosage_rate) as dd,
        count(*) * var_pop(observed_value) as yy,
        count(*) * covar_pop(dosage_rate, observed_value) as dy
    from {{ ref('int_improvement__dose_observation') }}
    group by contract_id, line_id, measure
),

-- With school attendance, only of those whose attendance is known.
adjusting as (
    select
        contract_id,
        line_id,
        measure,
        count(*) as n,
        count(*) * var_pop(dosage_rate) as dd,
        count(*) * var_pop(observed_value) as yy,
        count(*) * var_pop(school_attendance_rate) as aa,
        count(*) * covar_pop(dosage_rate, observed_value) as dy,
        count(*) * covar_pop(school_attendance_rate, observed_value) as ay,
        count(*) * covar_pop(dosage_rate, school_attendance_rate) as da
    from {{ ref('int_improvement__dose_observation') }}
    where school_attendance_rate is not null
    group by contract_id, line_id, measure
),

-- No line where nothing varies, or where dosage and school attendance are the same thing.
solved as (
    select
        *,
        case when dd > 1e-12 and aa > 1e-12 and dd * aa - da * da > 1e-9 * dd * aa then dd * aa - da * da end as determinant
    from adjusting
),

adjusted as (
    select
        *,
        (dy * aa - ay * da) / determinant as slope,
        (ay * dd - dy * da) / determinant as attendance_slope
    from solved
)

select
    totals.contract_id,
    totals.line_id,
    totals.measure,
    totals.n,
    -- Rounded, so that the order of the sums does not show.
    round(totals.dy / nullif(totals.dd, 0), 9) as slope,
    sqrt(
        greatest(totals.yy - totals.dy * totals.dy / nullif(totals.dd, 0), 0)
        / nullif(greatest(totals.n - 2, 0), 0) / nullif(totals.dd, 0)
    ) as slope_se,
    adjusted.n as adjusted_n,
    round(adjusted.slope, 9) as adjusted_slope,
    sqrt(
        greatest(adjusted.yy - adjusted.slope * adjusted.dy - adjusted.attendance_slope * adjusted.ay, 0)
        / nullif(greatest(adjusted.n - 3, 0), 0) * adjusted.aa / adjusted.determinant
    ) as adjusted_slope_se
from totals
left join adjusted
    on
        totals.contract_id = adjusted.contract_id
        and totals.line_id = adjusted.line_id
        and totals.measure = adjusted.measure
