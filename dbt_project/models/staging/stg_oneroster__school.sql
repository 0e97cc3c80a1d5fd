-- Schools of the roster. The school's id is the one the district's other feeds use: identifier, else sourcedId.
select
    sourced_id,
    coalesce(nullif(trim(identifier), ''), sourced_id) as school_id,
    name as school_name
from {{ source('lake', 'oneroster__orgs') }}
where
    lower(type) = 'school'
    and lower(coalesce(status, 'active')) <> 'tobedeleted'
