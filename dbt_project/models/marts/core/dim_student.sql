-- One row per student, attributes as of the as-of date. For disaggregation as of the roster date see the roster, not this table.
with programs as (
    select
        student_key,
        max(case when program in ('EL', 'ELL', 'MLL') then 1 else 0 end) as is_english_learner,
        max(case when program in ('IEP', 'SWD') then 1 else 0 end) as is_iep,
        max(case when program in ('ECONOMIC_DISADVANTAGE', 'FRL', 'LOW_INCOME') then 1 else 0 end) as is_economically_disadvantaged
    from {{ ref('input__program_status') }}
    where
        (begin_on is null or begin_on <= {{ as_of_date() }})
        and (end_on is null or end_on > {{ as_of_date() }})
    group by student_key
),

-- Without a side file nobody is known to be in a program or not.
has_programs as (
    select count(*) > 0 as is_known
    from {{ ref('input__program_status') }}
),

contracted as (
    select distinct student_key
    from {{ ref('int_student_assignment__span') }}
    where student_key is not null
)

select
    students.student_key,
    students.student_id,
    students.state_student_id,
    students.grade_level,
    students.gender,
    students.race_ethnicity,
    case when has_programs.is_known then coalesce(programs.is_english_learner, 0) = 1 end as is_english_learner,
    case when has_programs.is_known then coalesce(programs.is_iep, 0) = 1 end as is_iep,
    case when has_programs.is_known then coalesce(programs.is_economically_disadvantaged, 0) = 1 end as is_economically_disadvantaged,
    students.school_id,
    schools.school_key,
    contracted.student_key is not null as is_contracted
from {{ ref('input__student') }} as students
cross join has_programs
left join programs
    on students.student_key = programs.student_key
left join {{ ref('input__school') }} as schools
    on students.school_id = schools.school_id
left join contracted
    on students.student_key = contracted.student_key
