-- Spans of a student at a school.
select
    enrollments.student_key,
    enrollments.school_id,
    schools.school_key,
    enrollments.enrolled_on,
    enrollments.exited_on,
    enrollments.enrolled_on <= {{ as_of_date() }}
    and (enrollments.exited_on is null or enrollments.exited_on > {{ as_of_date() }}) as is_current
from {{ ref('input__school_enrollment') }} as enrollments
inner join {{ ref('input__school') }} as schools
    on enrollments.school_id = schools.school_id
