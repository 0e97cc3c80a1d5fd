-- One row per contract and rate-card line: how many outcomes and how many cents may be paid at most, as the governing version has it.
select
    line.contract_id,
    line.contract_version,
    line.line_id,
    cast(terms.max_paid_outcomes as bigint) as max_paid_outcomes,
    {{ cents('terms.line_cap_amount') }} as line_cap_cents
from {{ ref('int_payment__line') }} as line
inner join {{ source('documents', 'rate_card_line') }} as terms
    on
        line.contract_id = terms.contract_id
        and line.contract_version = terms.version
        and line.line_id = terms.line_id
