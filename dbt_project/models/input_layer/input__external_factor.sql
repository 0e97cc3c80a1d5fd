-- What happened around the program. A blank school stands for all; an unknown one keeps its id as sent, so that it concerns none.
with sent as (
    select
        factor_id,
        trim(factor) as factor,
        upper(trim(kind)) as kind,
        nullif(trim(school_id), '') as sent_school_id,
        starts_on,
        coalesce(ends_on, starts_on) as ends_on,
        value,
        nullif(trim(unit), '') as unit,
        _file_id,
        _row_number,
        _file_rank
    from {{ source('lake', 'external_factors__factor') }}
),

-- A school may be written as its id or its name.
spans as (
    select
        sent.*,
        coalesce(school.school_id, sent.sent_school_id) as school_id
    from sent
    left join {{ ref('stg_oneroster__school_alias') }} as school
        on {{ school_alias('sent.sent_school_id') }} = school.alias
),

ranked as (
    select
        *,
        {{ recency_of_key(['factor_id', 'school_id', 'starts_on']) }} as recency
    from spans
)

select
    factor_id,
    factor,
    kind,
    school_id,
    starts_on,
    ends_on,
    case when kind = 'RATE' then value end as value,
    unit,
    _file_id as file_id,
    _row_number as row_number
from ranked
where recency = 1
