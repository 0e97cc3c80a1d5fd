-- Which identifier names which student. One that two students claim names nobody.
with students as (
    select
        student_key,
        student_id,
        sourced_id,
        state_student_id
    from {{ ref('stg_oneroster__student') }}
),

-- Test files carry local and state id side by side; they fill in what the roster does not say.
seen_in_tests as (
    select distinct
        student_id,
        state_student_id
    from (
        select
            student_id,
            student_state_id as state_student_id
        from {{ ref('stg_nwea_map__assessment_result') }}
        union all
        select
            student_identifier as student_id,
            student_state_id as state_student_id
        from {{ source('lake', 'renaissance_star__star_test') }}
    ) as both_tests
    where nullif(trim(state_student_id), '') is not null
),

claims as (
    select
        'LOCAL' as id_type,
        student_id as id_value,
        student_key,
        student_id
    from students
    union
    select
        'SOURCED' as id_type,
        sourced_id as id_value,
        student_key,
        student_id
    from students
    union
    select
        'STATE' as id_type,
        state_student_id as id_value,
        student_key,
        student_id
    from students
    where state_student_id is not null
    union
    select
        'STATE' as id_type,
        seen_in_tests.state_student_id as id_value,
        students.student_key,
        students.student_id
    from seen_in_tests
    inner join students
        on seen_in_tests.student_id = students.student_id
    where students.state_student_id is null
)

select
    id_type,
    id_value,
    min(student_key) as student_key,
    min(student_id) as student_id
from claims
group by id_type, id_value
having count(distinct student_key) = 1
