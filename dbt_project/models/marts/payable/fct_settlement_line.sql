-- Everything that can be paid, line by line: what was earned, and what of it is payable under the contract's caps.
select
    earned.line_key,
    earned.contract_id,
    earned.contract_version,
    earned.line_id,
    earned.line_kind,
    earned.student_id,
    earned.student_key,
    earned.school_id,
    earned.period,
    earned.tier,
    earned.decision,
    earned.earned_amount,
    {{ dollars('capped.payable_cents') }} as payable_amount,
    capped.cap_applied,
    earned.reason_code,
    earned.reason,
    {{ as_of_date() }} as as_of_date
from {{ ref('int_settlement__earned') }} as earned
inner join {{ ref('int_settlement__capped') }} as capped
    on earned.line_key = capped.line_key
