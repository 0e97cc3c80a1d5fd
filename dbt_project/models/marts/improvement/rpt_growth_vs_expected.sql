-- What the tutored students achieved, what the district's own untutored students of the years before achieved from the same start, and the
-- difference (domain §5.4). Two populations: everybody measured (tutoring as it was offered), and those who had their dose.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

settings as (
    select
        history_years,
        least_group_n,
        normal_group_n
    from {{ source('documents', 'improvement_setting') }}
),

lines as (
    select
        line.contract_id,
        line.line_id,
        line.provider_id,
        line.subject,
        line.school_year_end,
        line.outcome_name,
        line.metric,
        line.baseline_window,
        line.end_window,
        line.comparator,
        line.threshold,
        line.pair_key,
        population.population,
        terms.expected_rate_no_tutoring as stated_rate
    from {{ ref('int_improvement__outcome_line') }} as line
    inner join {{ ref('int_payment__line') }} as terms
        on
            line.contract_id = terms.contract_id
            and line.line_id = terms.line_id
    cross join (
        select 'all_measured' as population
        union all
        select 'at_dosage' as population
    ) as population
    where line.pair_key is not null
),

assigned as (
    select
        contract_id,
        max(district_id) as district_id,
        count(*) as n_assigned
    from {{ ref('int_improvement__student') }}
    group by contract_id
),

measured as (
    select
        lines.contract_id,
        lines.line_id,
        lines.population,
        expectation.student_key,
        expectation.metric_value,
        expectation.expected_rate,
        expectation.cell_key,
        expectation.history_students,
        pairs.cgi,
        case when expectation.is_met then 1 else 0 end as is_met
    from lines
    inner join {{ ref('int_improvement__expectation') }} as expectation
        on
            lines.contract_id = expectation.contract_id
            and lines.line_id = expectation.line_id
    left join {{ ref('int_payment__dosage') }} as dosage
        on
            lines.contract_id = dosage.contract_id
            and lines.line_id = dosage.line_id
            and expectation.student_key = dosage.student_ref
    left join {{ ref('int_improvement__growth_pair') }} as pairs
        on
            lines.pair_key = pairs.pair_key
            and lines.school_year_end = pairs.school_year_end
            and expectation.student_key = pairs.student_key
    where lines.population = 'all_measured' or dosage.is_attendance_met
),

cells as (
    select
        contract_id,
        line_id,
        population,
        cell_key,
        count(*) as n_students,
        max(history_students) as history_students
    from measured
    where cell_key is not null
    group by contract_id, line_id, population, cell_key
),

history as (
    select
        contract_id,
        line_id,
        population,
        sum(history_students) as history_students,
        {{ effective_students('sum(cast(n_students as double) * n_students / history_students)', 'sum(n_students)') }} as effective_n
    from cells
    group by contract_id, line_id, population
),

-- Places of the metric's values, for the median and its interval.
placed as (
    select
        measured.*,
        row_number() over (
            partition by contract_id, line_id, population, (expected_rate is null)
            order by metric_value
        ) as place,
        count(*) over (partition by contract_id, line_id, population, (expected_rate is null)) as n_in_place
    from measured
),

summed as (
    select
        contract_id,
        line_id,
        population,
        count(*) as n_measured,
        count(expected_rate) as n_students,
        sum(case when expected_rate is not null then is_met end) as numerator,
        sum(expected_rate) as expected_numerator,
        median(case when expected_rate is not null then metric_value end) as median_value,
        min(case when expected_rate is not null and place = {{ median_rank('n_in_place', '-') }} then metric_value end) as median_low,
        min(case when expected_rate is not null and place = {{ median_rank('n_in_place', '+') }} then metric_value end) as median_high,
        count(case when expected_rate is not null then cgi end) as n_with_cgi,
        avg(case when expected_rate is not null then cast(cgi as double) end) as mean_cgi,
        stddev_samp(case when expected_rate is not null then cast(cgi as double) end) as sd_cgi
    from placed
    group by contract_id, line_id, population
),

counted as (
    select
        lines.*,
        assigned.district_id,
        history.history_students,
        {{ independent_students('(summed.expected_numerator / summed.n_students)', 'history.effective_n', 'variance.year_variance') }}
            as effective_n,
        summed.numerator,
        summed.expected_numerator,
        summed.median_value,
        summed.median_low,
        summed.median_high,
        summed.n_with_cgi,
        summed.mean_cgi,
        summed.sd_cgi,
        settings.history_years,
        settings.least_group_n,
        coalesce(assigned.n_assigned, 0) as n_assigned,
        coalesce(summed.n_measured, 0) as n_measured,
        coalesce(summed.n_students, 0) as n_students,
        {{ group_status('summed.n_students', 'settings.least_group_n', 'settings.normal_group_n') }} as status
    from lines
    cross join settings
    left join assigned
        on lines.contract_id = assigned.contract_id
    left join summed
        on
            lines.contract_id = summed.contract_id
            and lines.line_id = summed.line_id
            and lines.population = summed.population
    left join history
        on
            lines.contract_id = history.contract_id
            and lines.line_id = history.line_id
            and lines.population = history.population
    left join {{ ref('int_improvement__history_variance') }} as variance
        on
            lines.contract_id = variance.contract_id
            and lines.line_id = variance.line_id
),

estimated as (
    select
        counted.*,
        cast(numerator as double) / n_students as rate,
        {{ wilson_bound('numerator', 'n_students', '-') }} as rate_low,
        {{ wilson_bound('numerator', 'n_students', '+') }} as rate_high,
        expected_numerator / n_students as expected_rate,
        {{ wilson_bound('(expected_numerator / n_students * effective_n)', 'effective_n', '-') }} as expected_low,
        {{ wilson_bound('(expected_numerator / n_students * effective_n)', 'effective_n', '+') }} as expected_high,
        {{ newcombe_bound('numerator', 'n_students', '(expected_numerator / n_students * effective_n)', 'effective_n', '-') }} as ci_low,
        {{ newcombe_bound('numerator', 'n_students', '(expected_numerator / n_students * effective_n)', 'effective_n', '+') }} as ci_high,
        case
            when n_with_cgi > 1 then {{ t_quantile('(n_with_cgi - 1)') }} * sd_cgi / sqrt(n_with_cgi)
        end as cgi_reach
    from counted
    where status <> 'not_enough_data'
)

select
    {{ surrogate_key(['counted.contract_id', 'counted.line_id', 'counted.population']) }} as growth_vs_expected_key,
    counted.contract_id,
    counted.line_id,
    counted.population,
    counted.provider_id,
    counted.district_id,
    counted.subject,
    cast(counted.school_year_end as integer) as school_year_end,
    counted.outcome_name,
    counted.metric,
    counted.baseline_window,
    counted.end_window,
    counted.comparator,
    counted.threshold,
    cast(counted.n_assigned as integer) as n_assigned,
    cast(counted.n_measured as integer) as n_measured,
    cast(counted.n_students as integer) as n_students,
    cast(case when estimated.contract_id is not null then counted.numerator end as integer) as numerator,
    cast(case when estimated.contract_id is not null then counted.n_students end as integer) as denominator,
    cast(estimated.rate as decimal(9, 6)) as rate,
    cast(estimated.rate_low as decimal(9, 6)) as rate_low,
    cast(estimated.rate_high as decimal(9, 6)) as rate_high,
    cast(case when estimated.contract_id is not null then counted.expected_numerator end as decimal(18, 6)) as expected_numerator,
    cast(estimated.expected_rate as decimal(9, 6)) as expected_rate,
    cast(estimated.expected_low as decimal(9, 6)) as expected_low,
    cast(estimated.expected_high as decimal(9, 6)) as expected_high,
    cast(counted.history_students as integer) as history_students,
    cast(counted.effective_n as decimal(18, 6)) as history_effective_n,
    cast(counted.school_year_end - counted.history_years as integer) as history_from_year_end,
    cast(counted.school_year_end - 1 as integer) as history_to_year_end,
    cast(estimated.rate - estimated.expected_rate as decimal(9, 6)) as excess_rate,
    cast(estimated.ci_low as decimal(9, 6)) as ci_low,
    cast(estimated.ci_high as decimal(9, 6)) as ci_high,
    cast(counted.n_students * (estimated.rate - estimated.expected_rate) as decimal(18, 6)) as excess_outcomes,
    cast(counted.n_students * estimated.ci_low as decimal(18, 6)) as excess_outcomes_low,
    cast(counted.n_students * estimated.ci_high as decimal(18, 6)) as excess_outcomes_high,
    counted.stated_rate,
    cast(estimated.median_value as decimal(18, 6)) as median_value,
    cast(estimated.median_low as decimal(18, 6)) as median_low,
    cast(estimated.median_high as decimal(18, 6)) as median_high,
    cast(estimated.n_with_cgi as integer) as n_with_cgi,
    cast(estimated.mean_cgi as decimal(18, 6)) as mean_cgi,
    cast(estimated.mean_cgi - estimated.cgi_reach as decimal(18, 6)) as mean_cgi_low,
    cast(estimated.mean_cgi + estimated.cgi_reach as decimal(18, 6)) as mean_cgi_high,
    counted.status,
    case
        when estimated.ci_low > 0 then 'more_than_expected'
        when estimated.ci_high < 0 then 'fewer_than_expected'
        when estimated.ci_low is not null then 'no_measurable_difference'
    end as verdict,
    case
        when counted.status <> 'not_enough_data' then null
        when counted.n_measured < counted.least_group_n
            then
                cast(counted.n_measured as varchar) || ' students of this population have the tests the line is measured by; '
                || cast(counted.least_group_n as varchar) || ' are needed.'
        else
            cast(counted.n_students as varchar) || ' of ' || cast(counted.n_measured as varchar)
            || ' measured students began where at least '
            || cast(counted.least_group_n as varchar) || ' untutored students of the ' || cast(counted.history_years as varchar)
            || ' school years before began and were tested at both ends; tests of those years are missing.'
    end as what_is_missing,
    blocked.contract_id is not null as is_source_flagged
from counted
left join estimated
    on
        counted.contract_id = estimated.contract_id
        and counted.line_id = estimated.line_id
        and counted.population = estimated.population
left join blocked
    on counted.contract_id = blocked.contract_id
