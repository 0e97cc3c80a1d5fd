-- What people said, coded. The words themselves stay in lake/restricted. A note of a day after the as-of date is not yet known.
with notes as (
    select
        note_id,
        noted_on,
        upper(regexp_replace(trim(note_kind), '\s+', '_')) as note_kind,
        nullif(trim(contract_id), '') as contract_id,
        nullif(trim(school_id), '') as sent_school_id,
        nullif(lower(trim(respondent_role)), '') as respondent_role,
        nullif(regexp_replace(trim(respondent_group), '\s*=\s*', '='), '') as respondent_group,
        trim(theme) as theme,
        cast(sentiment as integer) as sentiment,
        cast(respondent_count as integer) as respondent_count,
        _file_id as file_id,
        _row_number as row_number,
        {{ recency_of_key(['note_id']) }} as recency
    from {{ source('lake', 'ci_note__note') }}
)

select
    notes.note_id,
    notes.noted_on,
    notes.note_kind,
    notes.contract_id,
    coalesce(school.school_id, notes.sent_school_id) as school_id,
    notes.respondent_role,
    notes.respondent_group,
    notes.theme,
    notes.sentiment,
    notes.respondent_count,
    notes.file_id,
    notes.row_number
from notes
left join {{ ref('stg_oneroster__school_alias') }} as school
    on {{ school_alias('notes.sent_school_id') }} = school.alias
where
    notes.recency = 1
    and notes.noted_on <= {{ as_of_date() }}
