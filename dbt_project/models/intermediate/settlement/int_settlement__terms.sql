-- One row per contract: the caps and the deadline settlement goes by, of the version that governs the contract. Cents; NULL is no cap.
select
    contract.contract_id,
    contract.contract_version,
    contract.provider_id,
    contract.period,
    {{ cents('terms.per_student_cap_amount') }} as per_student_cap_cents,
    {{ cents('contract.contingent_pool_cap_amount') }} as pool_cap_cents,
    {{ cents('contract.nte_ceiling_amount') }} as nte_ceiling_cents,
    contract.service_end_on,
    -- Whether more service brings more base pay. Where it does not, a base amount that grows is a correction.
    contract.base_model in ('PER_SESSION', 'PER_HOUR')
    or (contract.base_model = 'PER_STUDENT_SERVED' and coalesce(contract.base_proration, 'NONE') <> 'NONE') as is_base_accruing,
    terms.restatement_deadline_on,
    -- The deadline's own day still counts, wherever its midnight is (UTC-12). Evidence that arrived after it is after it, also in a run
    -- dated back before it.
    coalesce(
        terms.restatement_deadline_on < {{ as_of_date() }}
        or terms.restatement_deadline_on < cast({{ add_minutes(evidence_cutoff_at(), -720) }} as date),
        false
    ) as is_past_deadline
from {{ ref('int_payment__contract') }} as contract
inner join {{ source('documents', 'contract') }} as terms
    on
        contract.contract_id = terms.contract_id
        and contract.contract_version = terms.version
