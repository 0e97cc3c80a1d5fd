-- Rulings that stand as of the date: the newest per subject, contract, student and key.
-- A ruling whose student id is unknown concerns nobody (it must not become a ruling on everybody).
with known as (
    select
        ruling_id,
        ruled_on,
        ruled_by,
        subject,
        contract_id,
        student_key,
        key,
        value,
        file_id,
        row_number
    from {{ ref('input__ruling') }}
    where
        ruled_on <= {{ as_of_date() }}
        and (student_key is not null or student_id is null)
),

ranked as (
    select
        *,
        row_number() over (
            partition by subject, contract_id, student_key, key
            order by ruled_on desc, ruling_id desc
        ) as recency
    from known
)

select
    ruling_id,
    ruled_on,
    ruled_by,
    subject,
    contract_id,
    student_key,
    key,
    value,
    file_id,
    row_number
from ranked
where recency = 1
