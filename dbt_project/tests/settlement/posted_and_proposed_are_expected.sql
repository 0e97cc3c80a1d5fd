-- Line by line: what is posted, plus what is proposed (or, after the restatement deadline, registered), is what is payable at this cutoff.
-- A line that is no longer settled is expected to come to nothing.
with amounts as (
    select
        line_key,
        payable_amount as expected_amount,
        0 as recorded_amount
    from {{ ref('fct_settlement_line') }}
    union all
    select
        line_key,
        0 as expected_amount,
        amount as recorded_amount
    from {{ ref('fct_payable_ledger_line') }}
    union all
    select
        line_key,
        0 as expected_amount,
        amount as recorded_amount
    from {{ ref('fct_proposed_entry') }}
    union all
    select
        line_key,
        0 as expected_amount,
        amount as recorded_amount
    from {{ ref('late_change_register') }}
)

select line_key
from amounts
group by line_key
having sum(expected_amount) <> sum(recorded_amount)
