-- One row per contract: may it pay, and if not, why not.
with contracts as (
    select
        contract_id,
        max_by(provider_id, version) as provider_id
    from {{ source('documents', 'contract') }}
    group by contract_id
),

blocks as (
    select
        contract_id,
        count(*) as blocking_checks,
        {{ joined_text("check_id || ': ' || reason", "'; '") }} as reasons
    from {{ source('intake', 'contract_block') }}
    group by contract_id
)

select
    contracts.contract_id,
    contracts.provider_id,
    coalesce(blocks.blocking_checks, 0) > 0 as is_blocked,
    cast(coalesce(blocks.blocking_checks, 0) as bigint) as blocking_checks,
    blocks.reasons,
    {{ as_of_date() }} as as_of_date
from contracts
left join blocks on contracts.contract_id = blocks.contract_id
