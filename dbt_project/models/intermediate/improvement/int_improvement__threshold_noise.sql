-- How far each measured student is from the line's threshold, in standard errors of the two tests (or the one): a student less than one
-- away could as well be on the other side. Only where the publisher's standard error is on the scale of the score: MAP and state tests.
-- Star's is on another scale, so nothing is said.
with lines as (
    select * from {{ ref('int_improvement__outcome_line') }}
    where pair_key is not null
),

pairs as (
    select
        *,
        cast(end_score - baseline_score as double) as observed_growth,
        sqrt(power(cast(baseline_score_se as double), 2) + power(cast(end_score_se as double), 2)) as growth_se
    from {{ ref('int_improvement__growth_pair') }}
    where end_score is not null
),

-- Points of growth that one step of the index is worth, by grade: near zero both are rounded, so only larger indices say it.
index_points as (
    select
        district_id,
        pair_key,
        school_year_end,
        grade_level,
        median(abs((observed_growth - cast(projected_growth as double)) / cast(cgi as double))) as points
    from pairs
    where
        abs(cgi) >= 0.2
        and projected_growth is not null
    group by district_id, pair_key, school_year_end, grade_level
),

cuts as (
    select
        pairs.district_id,
        pairs.pair_key,
        pairs.school_year_end,
        pairs.grade_level,
        lines.threshold,
        -- The lowest score that reached the level: the district's own students show where the state's cut is.
        cast(min(case when pairs.end_performance_level >= lines.threshold then pairs.end_score end) as double) as cut_score
    from pairs
    inner join (
        select distinct
            pair_key,
            threshold
        from lines
        where metric = 'PROFICIENCY_LEVEL'
    ) as lines
        on pairs.pair_key = lines.pair_key
    group by pairs.district_id, pairs.pair_key, pairs.school_year_end, pairs.grade_level, lines.threshold
),

distances as (
    select
        lines.contract_id,
        lines.line_id,
        students.student_id,
        case
            when lines.metric = 'PROFICIENCY_LEVEL' then abs(cast(pairs.end_score as double) - cuts.cut_score)
            when left(lines.instrument, 8) <> 'NWEA_MAP' or left(lines.baseline_window, 6) = 'PRIOR_' then null
            when lines.metric like 'CGP%'
                then
                    abs(cast(pairs.cgi as double) - {{ normal_quantile('(cast(lines.threshold as double) / 100)') }})
                    * index_points.points
            when lines.metric like 'CGI%'
                then abs(cast(pairs.cgi as double) - cast(lines.threshold as double)) * index_points.points
            when lines.metric like 'OBSERVED_GROWTH%' then abs(pairs.observed_growth - cast(lines.threshold as double))
            when lines.metric like 'MET_PROJECTION%' then abs(pairs.observed_growth - cast(pairs.projected_growth as double))
        end as distance,
        case when lines.metric = 'PROFICIENCY_LEVEL' then cast(pairs.end_score_se as double) else pairs.growth_se end as standard_error
    from lines
    inner join {{ ref('int_improvement__student') }} as students
        on lines.contract_id = students.contract_id
    inner join pairs
        on
            lines.pair_key = pairs.pair_key
            and lines.school_year_end = pairs.school_year_end
            and students.student_key = pairs.student_key
    left join index_points
        on
            pairs.district_id = index_points.district_id
            and pairs.pair_key = index_points.pair_key
            and pairs.school_year_end = index_points.school_year_end
            and pairs.grade_level = index_points.grade_level
    left join cuts
        on
            pairs.district_id = cuts.district_id
            and pairs.pair_key = cuts.pair_key
            and pairs.school_year_end = cuts.school_year_end
            and pairs.grade_level = cuts.grade_level
            and lines.threshold = cuts.threshold
)

select
    contract_id,
    line_id,
    student_id,
    distance / nullif(standard_error, 0) as distance_se,
    distance < standard_error as is_within_noise
from distances
