-- Exit tickets per contract, school, week and construct, with the response rate always beside the score: who does not answer differs
-- from who does. A response's score for a construct is the mean of its items when at least two thirds of them are answered.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

attended as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on
    from {{ ref('int_tutoring_session__cause') }}
    where is_attended
),

scores as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        construct,
        sum(score) as score_sum,
        count(*) as response_count,
        count(case when score >= 0.75 then 1 end) as favorable_count,
        count(distinct session_id || '|' || student_id) as answered_sessions,
        count(distinct student_id) as n_students
    from {{ ref('int_improvement__response_score') }}
    group by contract_id, provider_id, school_id, week_start_on, construct
),

weeks as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        count(*) as attended_sessions
    from attended
    group by contract_id, provider_id, school_id, week_start_on
)

select
    scores.contract_id,
    scores.provider_id,
    scores.school_id,
    scores.week_start_on,
    scores.construct,
    cast(scores.score_sum as decimal(18, 6)) as numerator,
    cast(scores.response_count as integer) as denominator,
    {{ safe_divide('scores.score_sum', 'scores.response_count') }} as mean_score_rate,
    cast(scores.favorable_count as integer) as favorable_numerator,
    {{ safe_divide('scores.favorable_count', 'scores.response_count') }} as favorable_rate,
    cast(scores.answered_sessions as integer) as response_numerator,
    cast(weeks.attended_sessions as integer) as response_denominator,
    {{ safe_divide('scores.answered_sessions', 'weeks.attended_sessions') }} as response_rate,
    cast(scores.n_students as integer) as n_students,
    blocked.contract_id is not null as is_source_flagged
from scores
inner join weeks
    on
        scores.contract_id = weeks.contract_id
        and scores.provider_id = weeks.provider_id
        and scores.school_id is not distinct from weeks.school_id
        and scores.week_start_on = weeks.week_start_on
left join blocked
    on scores.contract_id = blocked.contract_id
