-- What people decided. Of several rows of one ruling the newest speaks; a ruling dated after the as-of date is not yet known.
with rulings as (
    select
        ruling_id,
        ruled_on,
        ruled_by,
        upper(trim(subject)) as subject,
        nullif(trim(contract_id), '') as contract_id,
        nullif(trim(student_id), '') as student_id,
        nullif(trim(key), '') as key,
        upper(trim(value)) as value,
        _source as source,
        _file_id as file_id,
        _row_number as row_number,
        {{ recency_of_key(['ruling_id']) }} as recency
    from {{ source('lake', 'ruling__ruling') }}
)

select
    rulings.ruling_id,
    rulings.ruled_on,
    rulings.ruled_by,
    rulings.subject,
    rulings.contract_id,
    identifier.student_key,
    coalesce(identifier.student_id, rulings.student_id) as student_id,
    rulings.key,
    rulings.value,
    rulings.file_id,
    rulings.row_number
from rulings
{{ join_student('rulings') }}
where
    rulings.recency = 1
    and rulings.ruled_on <= {{ as_of_date() }}
