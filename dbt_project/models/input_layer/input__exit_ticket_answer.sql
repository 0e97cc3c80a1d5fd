-- Answers, one per response and scaled item, on 0 to 1. Scales differ by form and by item, so nothing is averaged raw.
with responses as (
    select
        response.*,
        identifier.student_key
    from {{ ref('stg_exit_tickets__response') }} as response
    {{ join_student('response') }}
),

-- Students who answered more than once for a session: few, so only theirs are put in order.
several as (
    select
        provider_id,
        student_id,
        session_id
    from responses
    where student_id is not null
    group by provider_id, student_id, session_id
    having count(*) > 1
),

-- The same student answering again for the same session within ten minutes corrects the first answer.
corrected as (
    select
        provider_id,
        response_id
    from (
        select
            responses.provider_id,
            responses.response_id,
            responses.submitted_at,
            lead(responses.submitted_at) over (
                partition by responses.provider_id, responses.student_id, responses.session_id
                order by responses.submitted_at, responses.file_rank, responses.row_number
            ) as next_submitted_at
        from responses
        inner join several
            on
                responses.provider_id = several.provider_id
                and responses.student_id = several.student_id
                and responses.session_id is not distinct from several.session_id
    ) as in_order
    where {{ minutes_between('submitted_at', 'next_submitted_at') }} <= 10
),

kept as (
    select responses.*
    from responses
    left join corrected
        on
            responses.provider_id = corrected.provider_id
            and responses.response_id = corrected.response_id
    where corrected.response_id is null
),

-- A response without a session belongs to the one its student had that day or the day before, with that tutor where one is named,
-- if exactly one fits.
found_sessions as (
    select
        kept.provider_id,
        kept.response_id,
        min(sessions.session_id) as session_id
    from kept
    inner join {{ ref('input__tutoring_session_attendance') }} as sessions
        on
            kept.provider_id = sessions.provider_id
            and kept.student_key = sessions.student_key
            and sessions.session_on between {{ add_days('cast(kept.submitted_at as date)', -1) }} and cast(kept.submitted_at as date)
            and (kept.tutor_id is null or kept.tutor_id = sessions.tutor_id)
            and sessions.attendance_status in ('PRESENT', 'LATE')
    where kept.session_id is null
    group by kept.provider_id, kept.response_id
    having count(*) = 1
),

items as (
    select distinct
        source,
        form_version,
        item_code,
        construct,
        scale_min,
        scale_max,
        coalesce(is_reverse, false) as is_reverse
    from {{ source('documents', 'exit_ticket_item') }}
    where not coalesce(is_free_text, false)
),

answers as (
    select
        kept.provider_id,
        kept.source,
        kept.response_id,
        kept.student_key,
        coalesce(kept.session_id, found_sessions.session_id) as session_id,
        kept.tutor_id,
        kept.submitted_at,
        items.item_code,
        items.construct,
        items.scale_min,
        items.scale_max,
        items.is_reverse,
        nullif(trim(kept.answers[items.item_code]), '') as raw_answer
    from kept
    inner join items
        on
            kept.source = items.source
            and (kept.form_version is null or items.form_version is null or kept.form_version = items.form_version)
    left join found_sessions
        on
            kept.provider_id = found_sessions.provider_id
            and kept.response_id = found_sessions.response_id
),

valued as (
    select
        answers.*,
        cast(coalesce(labels.value, try_cast(answers.raw_answer as decimal(18, 6))) as decimal(18, 6)) as answer_value
    from answers
    left join {{ source('documents', 'exit_ticket_label') }} as labels
        on
            answers.source = labels.source
            and answers.item_code = labels.item_code
            and lower(answers.raw_answer) = lower(labels.label)
    where answers.raw_answer is not null
)

select
    provider_id,
    source,
    response_id,
    student_key,
    session_id,
    tutor_id,
    cast(submitted_at as timestamp) as submitted_at,
    item_code,
    construct,
    {{ scaled_answer('answer_value', 'scale_min', 'scale_max', 'is_reverse') }} as value_scaled
from valued
where
    answer_value between scale_min and scale_max
    and scale_max > scale_min
