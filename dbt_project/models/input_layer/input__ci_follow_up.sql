-- Follow-ups of students who stayed away, with our keys. A student whom the roster does not know stays, with student_key NULL.
with sent as (
    select
        contract_id,
        student_id,
        followed_up_on,
        upper(regexp_replace(trim(kind), '\s+', '_')) as kind,
        nullif(trim(by_role), '') as by_role,
        _source as source,
        _file_id,
        _row_number,
        _file_rank
    from {{ source('lake', 'ci_follow_up__follow_up') }}
    where followed_up_on <= {{ as_of_date() }}
),

-- Two ids of one student, as two feeds may carry them, are one follow-up.
follow_ups as (
    select
        sent.contract_id,
        identifier.student_key,
        coalesce(identifier.student_id, sent.student_id) as student_id,
        sent.followed_up_on,
        sent.kind,
        sent.by_role,
        sent._file_id,
        sent._row_number,
        row_number() over (
            partition by sent.contract_id, coalesce(identifier.student_id, sent.student_id), sent.followed_up_on, sent.kind
            order by sent._file_rank desc, sent._row_number desc, sent._file_id desc
        ) as recency
    from sent
    {{ join_student('sent') }}
)

select
    contract_id,
    student_key,
    student_id,
    followed_up_on,
    kind,
    by_role,
    _file_id as file_id,
    _row_number as row_number
from follow_ups
where recency = 1
