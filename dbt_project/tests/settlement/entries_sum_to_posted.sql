-- The ledger's entries, the marts' copy of them and the balances settlement compares with are one and the same sum, per contract.
with head as (
    select
        contract_id,
        entry_count,
        posted_amount
    from {{ source('ledger', 'head') }}
),

copied as (
    select
        contract_id,
        count(*) as entry_count,
        sum(amount) as posted_amount
    from {{ ref('fct_payable_ledger_line') }}
    group by contract_id
),

balanced as (
    select
        contract_id,
        sum(entry_count) as entry_count,
        sum(posted_amount) as posted_amount
    from {{ ref('int_settlement__posted') }}
    group by contract_id
)

select coalesce(head.contract_id, copied.contract_id, balanced.contract_id) as contract_id
from head
full outer join copied
    on head.contract_id = copied.contract_id
full outer join balanced
    on coalesce(head.contract_id, copied.contract_id) = balanced.contract_id
where
    coalesce(head.entry_count, 0) <> coalesce(copied.entry_count, 0)
    or coalesce(head.posted_amount, 0) <> coalesce(copied.posted_amount, 0)
    or coalesce(head.entry_count, 0) <> coalesce(balanced.entry_count, 0)
    or coalesce(head.posted_amount, 0) <> coalesce(balanced.posted_amount, 0)
