-- Stints in programs, as the side file states them.
select
    max(identifier.student_key) as student_key,
    coalesce(identifier.student_id, stints.student_id) as student_id,
    upper(trim(stints.program)) as program,
    stints.begin_on,
    case when count(*) = count(stints.end_on) then max(stints.end_on) end as end_on
from (
    select
        student_id,
        program,
        begin_on,
        end_on,
        _source as source
    from {{ source('lake', 'program_flags__student_program') }}
) as stints
{{ join_student('stints') }}
group by
    coalesce(identifier.student_id, stints.student_id),
    upper(trim(stints.program)),
    stints.begin_on
