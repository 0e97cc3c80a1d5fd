-- The statements of a contract add up to its ledger: in money, in entries, and the last one ends on the head's hash. The open one
-- starts there and is made of the proposed entries; what is payable on it is the sum of the settlement's rows.
-- Each posted one leaves posted what the settlement kept with it says is payable.
with statement as (
    select
        contract_id,
        sum(case when is_posted then statement_amount else 0 end) as posted_amount,
        sum(case when is_posted then entry_count else 0 end) as entry_count,
        max(case when is_posted then chain_entry_count end) as last_chain_entry_count,
        max_by(case when is_posted then head_hash end, case when is_posted then statement_number end) as last_head_hash,
        max(case when not is_posted then opening_balance_amount end) as open_balance_amount,
        max(case when not is_posted then statement_amount end) as open_amount,
        max(case when not is_posted then payable_amount end) as payable_amount,
        count(*) filter (where not is_posted) as open_count,
        count(*) filter (where is_posted and payable_amount is distinct from closing_balance_amount) as misstated_count
    from {{ ref('rpt_settlement_statement') }}
    group by contract_id
),

head as (
    select * from {{ source('ledger', 'head') }}
),

settled as (
    select
        contract_id,
        sum(payable_amount) as payable_amount
    from {{ ref('fct_settlement_line') }}
    group by contract_id
),

proposed as (
    select
        contract_id,
        sum(amount) as proposed_amount
    from {{ ref('fct_proposed_entry') }}
    group by contract_id
)

select coalesce(statement.contract_id, head.contract_id, settled.contract_id) as contract_id
from statement
full outer join head
    on statement.contract_id = head.contract_id
full outer join settled
    on coalesce(statement.contract_id, head.contract_id) = settled.contract_id
left join proposed
    on statement.contract_id = proposed.contract_id
where
    statement.contract_id is null
    or statement.open_count <> 1
    or statement.misstated_count > 0
    or statement.posted_amount <> coalesce(head.posted_amount, 0)
    or statement.entry_count <> coalesce(head.entry_count, 0)
    or coalesce(statement.last_chain_entry_count, 0) <> coalesce(head.entry_count, 0)
    or (coalesce(head.entry_count, 0) > 0 and statement.last_head_hash is distinct from head.head_hash)
    or statement.open_balance_amount <> coalesce(head.posted_amount, 0)
    or statement.open_amount <> coalesce(proposed.proposed_amount, 0)
    or statement.payable_amount <> coalesce(settled.payable_amount, 0)
