-- Exit tickets per contract, school, week and construct, with the response rate always beside the score: who does not answer differs
-- from who does. A response's score for a construct is the mean of its items when at least two thirds of them are answered.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

-- Each response at the contract, school and week of its session; of an unmatched one nothing is known, and it counts nowhere.
attended as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        session_id,
        student_id,
        student_key
    from {{ ref('int_tutoring_session__cause') }}
    where is_attended
),

item_counts as (
    select
        source,
        construct,
        count(distinct item_code) as item_count
    from {{ source('documents', 'exit_ticket_item') }}
    where not coalesce(is_free_text, false)
    group by source, construct
),

scored as (
    select
        answers.provider_id,
        answers.response_id,
        answers.session_id,
        answers.student_key,
        answers.construct,
        sum(answers.value_scaled) as score_sum,
        count(*) as answer_count,
        max(item_counts.item_count) as item_count
    from {{ ref('input__exit_ticket_answer') }} as answers
    inner join item_counts
        on
            answers.source = item_counts.source
            and answers.construct = item_counts.construct
    where
        answers.session_id is not null
        and answers.student_key is not null
    group by answers.provider_id, answers.response_id, answers.session_id, answers.student_key, answers.construct
),

responses as (
    select
        attended.contract_id,
        attended.provider_id,
        attended.school_id,
        attended.week_start_on,
        attended.session_id,
        attended.student_id,
        scored.construct,
        cast(cast(scored.score_sum as double) / scored.answer_count as decimal(9, 6)) as score
    from scored
    inner join attended
        on
            scored.provider_id = attended.provider_id
            and scored.session_id = attended.session_id
            and scored.student_key = attended.student_key
    where scored.answer_count * 3 >= scored.item_count * 2
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
    from responses
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
