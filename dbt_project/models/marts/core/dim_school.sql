-- One row per school.
select
    school_key,
    school_id,
    school_name,
    district_id
from {{ ref('input__school') }}
