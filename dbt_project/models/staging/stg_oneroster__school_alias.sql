-- Every way a feed may name a school: id, sourcedId or name. An alias that fits two schools is left out.
with aliases as (
    select
        lower(school_id) as alias,
        school_id
    from {{ ref('stg_oneroster__school') }}
    union
    select
        lower(sourced_id) as alias,
        school_id
    from {{ ref('stg_oneroster__school') }}
    union
    select
        {{ school_alias('school_name') }} as alias,
        school_id
    from {{ ref('stg_oneroster__school') }}
)

select
    alias,
    min(school_id) as school_id
from aliases
where alias is not null
group by alias
having count(distinct school_id) = 1
