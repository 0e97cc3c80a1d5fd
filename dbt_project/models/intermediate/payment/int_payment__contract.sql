-- One row per contract: the version that governs what is not tied to one test window (base rate per session date is chosen elsewhere).
-- It is the version in force on the as-of date or on the last day of service, whichever is earlier.
with versions as (
    select
        contract.*,
        least({{ as_of_date() }}, contract.service_end_on) as judged_on
    from {{ source('documents', 'contract') }} as contract
),

ranked as (
    select
        *,
        row_number() over (
            partition by contract_id
            order by
                case
                    when
                        coalesce(effective_from <= judged_on, true)
                        and coalesce(judged_on < effective_to, true)
                        then 0
                    else 1
                end,
                -- None in force (the contract has not begun, or its versions leave a gap): the newest begun, else the first to come.
                case when coalesce(effective_from <= judged_on, true) then version end desc nulls last,
                version
        ) as choice
    from versions
)

select
    contract_id,
    cast(version as integer) as contract_version,
    provider_id,
    provider_name,
    subject,
    cast(school_year_end as integer) as school_year_end,
    cast(school_year_end - 1 as varchar) || '-' || cast(school_year_end as varchar) as period,
    service_start_on,
    service_end_on,
    base_model,
    base_proration,
    cast(base_rate_amount as decimal(18, 2)) as base_rate_amount,
    cast(base_earning_min_sessions as integer) as base_earning_min_sessions,
    cast(required_sessions as integer) as required_sessions,
    cast(required_minutes as integer) as required_minutes,
    cast(nte_ceiling_amount as decimal(18, 2)) as nte_ceiling_amount,
    cast(contingent_pool_cap_amount as decimal(18, 2)) as contingent_pool_cap_amount,
    contingent_share_declared
from ranked
where choice = 1
