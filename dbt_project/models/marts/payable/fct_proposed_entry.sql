-- What would have to be posted so that the ledger says what is payable now. Proposed, not owed: people approve, the ledger posts.
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
where not is_past_deadline
