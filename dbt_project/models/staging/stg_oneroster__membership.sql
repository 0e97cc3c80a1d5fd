-- When a student belonged to a school. OneRoster has no school enrolment, so it is read from the class enrolments; for a user without
-- any from the roles (1.2); for a user without those either, from the schools listed at the user.
with students as (
    select
        sourced_id,
        student_key,
        coalesce(nullif(trim(org_sourced_ids), ''), primary_org_sourced_id) as org_sourced_ids
    from {{ ref('stg_oneroster__student') }}
),

-- Start of this district's school year, for spans that state no beginning.
year_start as (
    select
        coalesce(
            (
                select max(start_date)
                from {{ source('lake', 'oneroster__academic_sessions') }}
                where lower(type) = 'schoolyear' and start_date <= {{ as_of_date() }}
            ),
            (
                select min(cast(cast(school_year_end - 1 as varchar) || '-07-01' as date))
                from {{ source('documents', 'district') }}
            )
        ) as starts_on
),

by_class as (
    select
        user_sourced_id,
        school_sourced_id as org_sourced_id,
        min(begin_date) as begin_on,
        case when count(*) = count(end_date) then max(end_date) end as end_on
    from {{ source('lake', 'oneroster__enrollments') }}
    where
        lower(role) = 'student'
        and lower(coalesce(status, 'active')) <> 'tobedeleted'
    group by user_sourced_id, school_sourced_id
),

by_role as (
    select
        user_sourced_id,
        org_sourced_id,
        min(begin_date) as begin_on,
        case when count(*) = count(end_date) then max(end_date) end as end_on
    from {{ source('lake', 'oneroster__roles') }}
    where
        lower(role) = 'student'
        and lower(coalesce(status, 'active')) <> 'tobedeleted'
        and user_sourced_id not in (select user_sourced_id from by_class)
    group by user_sourced_id, org_sourced_id
),

neither as (
    select *
    from students
    where
        sourced_id not in (select user_sourced_id from by_class)
        and sourced_id not in (select user_sourced_id from by_role)
),

by_listing as (
    select
        neither.sourced_id as user_sourced_id,
        schools.sourced_id as org_sourced_id,
        cast(null as date) as begin_on,
        cast(null as date) as end_on
    from neither
    inner join {{ ref('stg_oneroster__school') }} as schools
        on ',' || replace(neither.org_sourced_ids, ' ', '') || ',' like '%,' || schools.sourced_id || ',%'
),

stated as (
    select * from by_class
    union all
    select * from by_role
    union all
    select * from by_listing
)

-- Two sourcedIds of one student at one school are one membership.
select
    students.student_key,
    schools.school_id,
    min(coalesce(stated.begin_on, year_start.starts_on)) as enrolled_on,
    case when count(*) = count(stated.end_on) then max(stated.end_on) end as exited_on
from stated
inner join students
    on stated.user_sourced_id = students.sourced_id
inner join {{ ref('stg_oneroster__school') }} as schools
    on stated.org_sourced_id = schools.sourced_id
cross join year_start
group by students.student_key, schools.school_id
