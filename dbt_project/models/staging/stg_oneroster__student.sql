-- Students of the roster with their demographics, one row per sourcedId. A student may have had several sourcedIds.
with student_roles as (
    select distinct user_sourced_id
    from {{ source('lake', 'oneroster__roles') }}
    where
        lower(role) = 'student'
        and lower(coalesce(status, 'active')) <> 'tobedeleted'
),

students as (
    select
        users.sourced_id,
        coalesce(nullif(trim(users.identifier), ''), users.sourced_id) as student_id,
        -- userIds is a list of {type:id}; the state's id is there in many systems, under a type that says so.
        nullif(
            regexp_extract(coalesce(users.user_ids, ''), '(?i)\{(?:state|sasid|ssid)[a-z_ ]*:([^}]+)\}', 1), ''
        ) as state_student_id,
        split_part(users.grades, ',', 1) as grade_code,
        users.org_sourced_ids,
        users.primary_org_sourced_id,
        users._file_rank,
        users._row_number
    from {{ source('lake', 'oneroster__users') }} as users
    left join student_roles
        on users.sourced_id = student_roles.user_sourced_id
    where
        (lower(users.role) = 'student' or student_roles.user_sourced_id is not null)
        and lower(coalesce(users.status, 'active')) <> 'tobedeleted'
)

select
    students.sourced_id,
    students.student_id,
    {{ student_key('students.student_id') }} as student_key,
    trim(students.state_student_id) as state_student_id,
    {{ grade_level('students.grade_code') }} as grade_level,
    coalesce(nullif(lower(trim(demographics.sex)), ''), 'unknown') as gender,
    {{ race_ethnicity(
        'demographics.hispanic_or_latino_ethnicity',
        'demographics.demographic_race_two_or_more_races',
        {
            'american_indian': 'demographics.american_indian_or_alaska_native',
            'asian': 'demographics.asian',
            'black': 'demographics.black_or_african_american',
            'pacific_islander': 'demographics.native_hawaiian_or_other_pacific_islander',
            'white': 'demographics.white',
        }
    ) }} as race_ethnicity,
    students.org_sourced_ids,
    students.primary_org_sourced_id,
    students._file_rank as file_rank,
    students._row_number as row_number
from students
left join {{ source('lake', 'oneroster__demographics') }} as demographics
    on students.sourced_id = demographics.sourced_id
