-- What has changed after the restatement deadline of a contract: listed for people to talk about, never posted.
select
    line_key,
    contract_id,
    contract_version,
    line_id,
    line_kind,
    student_id,
    student_key,
    school_id,
    period,
    expected_amount,
    posted_amount,
    amount,
    entry_kind,
    adjusts_entry_hash,
    adjusts_statement_number,
    reason_code,
    cap_applied,
    reason,
    {{ as_of_date() }} as as_of_date
from {{ ref('int_settlement__difference') }}
where is_past_deadline
