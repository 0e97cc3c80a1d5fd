-- Exit-ticket responses still wide, the newest of each response. Where the tool gives no response id, student, time and form are it.
with responses as (
    select
        coalesce(feed.provider_id, response._source) as provider_id,
        coalesce(
            nullif(trim(response.response_id), ''),
            {{ surrogate_key(['response._source', 'response.student_id', 'response.submitted_at', 'response.form_version']) }}
        ) as response_id,
        response.student_id,
        nullif(trim(response.session_id), '') as session_id,
        nullif(trim(response.tutor_id), '') as tutor_id,
        response.submitted_at,
        response.form_version,
        response.answers,
        response._source,
        response._file_rank,
        response._row_number,
        response._file_id
    from {{ source('lake', 'exit_tickets__response') }} as response
    left join {{ source('documents', 'data_source') }} as feed
        on response._source = feed.source
    -- Unfinished forms and the author's own previews and tests are no answers.
    where
        coalesce(response.is_finished, true)
        and lower(coalesce(response.response_status, '')) not like '%preview%'
        and lower(coalesce(response.response_status, '')) not like '%test%'
        and lower(coalesce(response.distribution_channel, '')) <> 'preview'
),

replaced as (
    {{ replaced_rows('responses', ['provider_id', 'response_id']) }}
)

select
    responses.provider_id,
    responses.response_id,
    responses.student_id,
    responses.session_id,
    responses.tutor_id,
    responses.submitted_at,
    responses.form_version,
    responses.answers,
    responses._source as source,
    responses._file_rank as file_rank,
    responses._row_number as row_number
from responses
left join replaced
    on
        responses._file_id = replaced._file_id
        and responses._row_number = replaced._row_number
where replaced._file_id is null
