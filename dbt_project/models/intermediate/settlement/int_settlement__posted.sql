-- One row per line key that was ever posted: its balance, and the last entry, which speaks for what the line is.
with entry as (
    select
        *,
        row_number() over (partition by contract_id, line_key order by entry_seq desc) as recency,
        sum(amount) over (partition by contract_id, line_key) as balance_amount,
        count(*) over (partition by contract_id, line_key) as entry_count,
        max(as_of_date) over (partition by contract_id) as contract_posted_as_of
    from {{ source('ledger', 'entry') }}
)

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
    cast(balance_amount as decimal(18, 2)) as posted_amount,
    cast(entry_count as bigint) as entry_count,
    entry_hash as last_entry_hash,
    statement_number as last_statement_number,
    contract_posted_as_of
from entry
where recency = 1
