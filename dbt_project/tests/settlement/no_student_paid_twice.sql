-- No student is paid twice for one line and period: neither by the run, nor by the balances of the ledger, whatever the lines' keys are.
with settled as (
    select
        contract_id,
        line_id,
        period,
        student_key,
        payable_amount as amount
    from {{ ref('fct_settlement_line') }}
    where student_key is not null
),

posted as (
    select
        contract_id,
        line_id,
        period,
        student_key,
        posted_amount as amount
    from {{ ref('int_settlement__posted') }}
    where student_key is not null
)

select
    contract_id,
    line_id,
    period,
    student_key
from settled
where amount <> 0
group by contract_id, line_id, period, student_key
having count(*) > 1
union all
select
    contract_id,
    line_id,
    period,
    student_key
from posted
where amount <> 0
group by contract_id, line_id, period, student_key
having count(*) > 1
