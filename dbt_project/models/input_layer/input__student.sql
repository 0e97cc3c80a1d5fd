-- One row per student: what the roster says now. Of several sourcedIds of one student the newest row speaks.
with ranked as (
    select
        students.*,
        row_number() over (partition by student_key order by file_rank desc, row_number desc) as preference
    from {{ ref('stg_oneroster__student') }} as students
),

current_school as (
    select
        student_key,
        school_id,
        row_number() over (
            partition by student_key
            order by case when enrolled_on <= {{ as_of_date() }} then 0 else 1 end, enrolled_on desc
        ) as preference
    from {{ ref('input__school_enrollment') }}
),

state_ids as (
    select
        student_key,
        min(id_value) as state_student_id
    from {{ ref('input__student_identifier') }}
    where id_type = 'STATE'
    group by student_key
)

select
    ranked.student_key,
    ranked.student_id,
    state_ids.state_student_id,
    ranked.sourced_id,
    ranked.grade_level,
    ranked.gender,
    ranked.race_ethnicity,
    current_school.school_id
from ranked
left join state_ids
    on ranked.student_key = state_ids.student_key
left join current_school
    on
        ranked.student_key = current_school.student_key
        and current_school.preference = 1
where ranked.preference = 1
