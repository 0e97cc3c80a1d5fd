-- Exit-ticket responses scored by construct, at the contract, school and week of the session: the mean of the construct's items when at
-- least two thirds of them are answered. A response no attended session is known for counts nowhere.
with attended as (
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
)

select
    attended.contract_id,
    attended.provider_id,
    attended.school_id,
    attended.week_start_on,
    attended.session_id,
    attended.student_id,
    attended.student_key,
    scored.response_id,
    scored.construct,
    cast(cast(scored.score_sum as double) / scored.answer_count as decimal(9, 6)) as score
from scored
inner join attended
    on
        scored.provider_id = attended.provider_id
        and scored.session_id = attended.session_id
        and scored.student_key = attended.student_key
where scored.answer_count * 3 >= scored.item_count * 2
