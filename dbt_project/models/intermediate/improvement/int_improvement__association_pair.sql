-- Pairs of an exit-ticket score and what it may go with. Between students: the student's mean score beside growth, dosage, attendance, one
-- pair per student. Within students, by week: how far the score of a week lies from the student's own mean beside how far the attendance of
-- the following weeks does, so that no student is compared with another (domain §5.5).
with setting as (
    select * from {{ source('documents', 'improvement_setting') }}
),

score as (
    select
        *,
        case when construct in {{ experience_constructs() }} then 'EXPERIENCE' else 'SEL' end as family
    from {{ ref('int_improvement__response_score') }}
),

student_score as (
    select
        family,
        contract_id,
        construct,
        student_key,
        cast(sum(score) as double) / count(*) as mean_score
    from score
    group by family, contract_id, construct, student_key
),

between_students as (
    select
        student_score.family,
        student_score.contract_id,
        student_score.construct,
        measure.factor,
        0 as lag_weeks,
        student_score.student_key,
        student_score.mean_score as x,
        measure.factor_value as y
    from student_score
    inner join {{ ref('int_improvement__student_measure') }} as measure
        on
            student_score.contract_id = measure.contract_id
            and student_score.student_key = measure.student_key
    -- How the session was goes with results here, and with attendance week by week below.
    where student_score.family = 'SEL' or measure.factor_kind = 'OUTCOME'
),

weekly_score as (
    select
        contract_id,
        construct,
        student_key,
        week_start_on,
        cast(sum(score) as double) / count(*) as week_score
    from score
    where family = 'EXPERIENCE'
    group by contract_id, construct, student_key, week_start_on
),

weekly_attendance as (
    select
        contract_id,
        student_key,
        week_start_on,
        count(case when is_attended then 1 end) as attended,
        count(*) as chargeable
    from {{ ref('int_tutoring_session__cause') }}
    where
        is_scheduled
        and {{ is_chargeable('absence_cause') }}
        and student_key is not null
    group by contract_id, student_key, week_start_on
),

lag as (
    select lags.lag_weeks
    from (values (1), (2), (3), (4), (5), (6), (7), (8)) as lags (lag_weeks)
    cross join setting
    where lags.lag_weeks <= setting.lag_weeks_max
),

-- Attendance of the weeks w+1 to w+lag; the last of them has to be over.
followed as (
    select
        weekly_score.contract_id,
        weekly_score.construct,
        weekly_score.student_key,
        weekly_score.week_start_on,
        lag.lag_weeks,
        max(weekly_score.week_score) as week_score,
        cast(sum(weekly_attendance.attended) as double) / sum(weekly_attendance.chargeable) as following_rate
    from weekly_score
    cross join lag
    inner join weekly_attendance
        on
            weekly_score.contract_id = weekly_attendance.contract_id
            and weekly_score.student_key = weekly_attendance.student_key
            and weekly_attendance.week_start_on > weekly_score.week_start_on
            and weekly_attendance.week_start_on <= {{ add_days('weekly_score.week_start_on', '7 * lag.lag_weeks') }}
    where {{ add_days('weekly_score.week_start_on', '7 * lag.lag_weeks + 6') }} <= {{ as_of_date() }}
    group by
        weekly_score.contract_id, weekly_score.construct, weekly_score.student_key, weekly_score.week_start_on, lag.lag_weeks
),

-- Rounded, so that two equal distances are a tie on every machine. A student with one week has no distance from the own mean.
within_students as (
    select
        contract_id,
        construct,
        lag_weeks,
        student_key,
        round(week_score - avg(week_score) over (partition by contract_id, construct, lag_weeks, student_key), 9) as x,
        round(following_rate - avg(following_rate) over (partition by contract_id, construct, lag_weeks, student_key), 9) as y,
        count(*) over (partition by contract_id, construct, lag_weeks, student_key) as week_count
    from followed
)

select
    family,
    contract_id,
    construct,
    factor,
    lag_weeks,
    student_key,
    x,
    y
from between_students
union all
select
    'EXPERIENCE' as family,
    contract_id,
    construct,
    'tutoring_attendance' as factor,
    lag_weeks,
    student_key,
    x,
    y
from within_students
where week_count >= 2
