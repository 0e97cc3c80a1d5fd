-- The tutor each student met most, per contract; of equals the one whose id comes first, so that two runs agree.
with met as (
    select
        contract_id,
        student_id,
        tutor_id,
        count(*) as session_count
    from {{ ref('int_tutoring_session__cause') }}
    where is_attended and tutor_id is not null
    group by contract_id, student_id, tutor_id
),

ranked as (
    select
        met.*,
        row_number() over (
            partition by contract_id, student_id
            order by session_count desc, tutor_id asc
        ) as preference,
        sum(session_count) over (partition by contract_id, student_id) as session_total,
        count(*) over (partition by contract_id, student_id) as tutor_count
    from met
)

select
    contract_id,
    student_id,
    tutor_id as modal_tutor_id,
    cast(session_count as integer) as modal_tutor_sessions,
    cast(session_total as integer) as sessions_with_tutor,
    cast(tutor_count as integer) as tutor_count
from ranked
where preference = 1
