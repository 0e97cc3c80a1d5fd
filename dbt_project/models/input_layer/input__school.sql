-- One row per school. Two orgs with one identifier are one school.
select
    {{ school_key('school_id') }} as school_key,
    school_id,
    min(school_name) as school_name,
    '{{ var("district_id") }}' as district_id
from {{ ref('stg_oneroster__school') }}
group by school_id
