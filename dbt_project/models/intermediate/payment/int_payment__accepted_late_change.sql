-- Session rows that a LATE_CHANGE ruling lets count although they came after the data-due date.
-- The ruling's key is the session id; blank stands for every session it could concern (all of a student, of a contract).
select distinct
    session.contract_id,
    session.student_key,
    session.session_id
from {{ ref('int_tutoring_session__cause') }} as session
inner join {{ ref('int_payment__ruling') }} as ruling
    on
        ruling.subject = 'LATE_CHANGE'
        and ruling.value = 'ACCEPTED'
        and (ruling.contract_id is null or session.contract_id = ruling.contract_id)
        and (ruling.student_key is null or session.student_key = ruling.student_key)
        and (ruling.key is null or session.session_id = ruling.key)
