-- One row per contract and statement: what each posting came to, and last an open one that says what the next would be. The statement of a
-- posting is nothing but the ledger's entries added up; what was earned and what the caps cut is of the settlement kept with it.
with entry as (
    select * from {{ source('ledger', 'entry') }}
),

posted as (
    select
        contract_id,
        statement_number,
        max(period) as period,
        max(as_of_date) as as_of_date,
        max(evidence_cutoff_at) as evidence_cutoff_at,
        max(posted_at) as posted_at,
        max(approved_by) as approved_by,
        max_by(entry_hash, entry_seq) as head_hash,
        max(entry_seq) as chain_entry_count,
        count(*) as entry_count,
        count(*) filter (where entry_kind = 'NEW') as new_count,
        count(*) filter (where entry_kind = 'ACCRUAL') as accrual_count,
        count(*) filter (where entry_kind = 'ADJUSTMENT') as adjustment_count,
        count(*) filter (where entry_kind = 'REVERSAL') as reversal_count,
        sum(amount) as statement_amount,
        sum(case when line_kind = 'BASE' then amount else 0 end) as base_amount,
        sum(case when line_kind = 'INSTALMENT' then amount else 0 end) as instalment_amount,
        sum(case when line_kind = 'OUTCOME' then amount else 0 end) as outcome_amount,
        sum(case when line_kind = 'COHORT' then amount else 0 end) as cohort_amount,
        sum(case when line_kind = 'PENALTY' then amount else 0 end) as penalty_amount,
        sum(case when entry_kind = 'NEW' then amount else 0 end) as new_amount,
        sum(case when entry_kind = 'ACCRUAL' then amount else 0 end) as accrual_amount,
        sum(case when entry_kind = 'ADJUSTMENT' then amount else 0 end) as adjustment_amount,
        sum(case when entry_kind = 'REVERSAL' then amount else 0 end) as reversal_amount
    from entry
    group by contract_id, statement_number
),

proposed as (
    select
        contract_id,
        count(*) as entry_count,
        count(*) filter (where entry_kind = 'NEW') as new_count,
        count(*) filter (where entry_kind = 'ACCRUAL') as accrual_count,
        count(*) filter (where entry_kind = 'ADJUSTMENT') as adjustment_count,
        count(*) filter (where entry_kind = 'REVERSAL') as reversal_count,
        sum(amount) as statement_amount,
        sum(case when line_kind = 'BASE' then amount else 0 end) as base_amount,
        sum(case when line_kind = 'INSTALMENT' then amount else 0 end) as instalment_amount,
        sum(case when line_kind = 'OUTCOME' then amount else 0 end) as outcome_amount,
        sum(case when line_kind = 'COHORT' then amount else 0 end) as cohort_amount,
        sum(case when line_kind = 'PENALTY' then amount else 0 end) as penalty_amount,
        sum(case when entry_kind = 'NEW' then amount else 0 end) as new_amount,
        sum(case when entry_kind = 'ACCRUAL' then amount else 0 end) as accrual_amount,
        sum(case when entry_kind = 'ADJUSTMENT' then amount else 0 end) as adjustment_amount,
        sum(case when entry_kind = 'REVERSAL' then amount else 0 end) as reversal_amount
    from {{ ref('fct_proposed_entry') }}
    group by contract_id
),

late as (
    select
        contract_id,
        count(*) as late_change_count,
        sum(amount) as late_change_amount
    from {{ ref('late_change_register') }}
    group by contract_id
),

settled as (
    select
        earned.contract_id,
        max(earned.period) as period,
        sum(case when earned.is_base then earned.earned_amount else 0 end) as base_earned_amount,
        sum(case when earned.earned_amount > 0 and not earned.is_base then earned.earned_amount else 0 end) as contingent_earned_amount,
        sum(case when earned.earned_amount < 0 then earned.earned_amount else 0 end) as penalty_earned_amount,
        sum(earned.earned_amount) as earned_amount,
        sum(capped.earned_cents - capped.after_per_student_cents) as per_student_cut_cents,
        sum(capped.after_per_student_cents - capped.after_max_paid_cents) as max_paid_cut_cents,
        sum(capped.after_max_paid_cents - capped.after_line_cents) as line_cut_cents,
        sum(capped.after_line_cents - capped.after_pool_cents) as pool_cut_cents,
        sum(capped.after_pool_cents - capped.payable_cents) as nte_cut_cents,
        sum(capped.payable_cents) as payable_cents
    from {{ ref('int_settlement__earned') }} as earned
    inner join {{ ref('int_settlement__capped') }} as capped
        on earned.line_key = capped.line_key
    group by earned.contract_id
),

-- The same of each posting, as it was then.
settled_then as (
    select
        contract_id,
        statement_number,
        sum(case when line_kind in ('BASE', 'INSTALMENT') then earned_amount else 0 end) as base_earned_amount,
        sum(case when earned_amount > 0 and line_kind not in ('BASE', 'INSTALMENT') then earned_amount else 0 end)
            as contingent_earned_amount,
        sum(case when earned_amount < 0 then earned_amount else 0 end) as penalty_earned_amount,
        sum(earned_amount) as earned_amount,
        sum({{ cents('earned_amount') }} - {{ cents('after_per_student_amount') }}) as per_student_cut_cents,
        sum({{ cents('after_per_student_amount') }} - {{ cents('after_max_paid_amount') }}) as max_paid_cut_cents,
        sum({{ cents('after_max_paid_amount') }} - {{ cents('after_line_amount') }}) as line_cut_cents,
        sum({{ cents('after_line_amount') }} - {{ cents('after_pool_amount') }}) as pool_cut_cents,
        sum({{ cents('after_pool_amount') }} - {{ cents('payable_amount') }}) as nte_cut_cents,
        sum({{ cents('payable_amount') }}) as payable_cents
    from {{ source('ledger', 'settled_line') }}
    group by contract_id, statement_number
),

head as (
    select
        contract_id,
        entry_count as chain_entry_count,
        statement_count,
        head_hash,
        posted_amount
    from {{ source('ledger', 'head') }}
),

-- Contracts that are settled or were once.
contract as (
    select contract_id from settled
    union
    select contract_id from head
),

last_period as (
    select
        contract_id,
        max_by(period, statement_number) as period
    from posted
    group by contract_id
),

statement as (
    select
        posted.contract_id,
        posted.statement_number,
        true as is_posted,
        posted.period,
        posted.as_of_date,
        posted.evidence_cutoff_at,
        posted.posted_at,
        posted.approved_by,
        settled_then.base_earned_amount,
        settled_then.contingent_earned_amount,
        settled_then.penalty_earned_amount,
        settled_then.earned_amount,
        settled_then.per_student_cut_cents,
        settled_then.max_paid_cut_cents,
        settled_then.line_cut_cents,
        settled_then.pool_cut_cents,
        settled_then.nte_cut_cents,
        settled_then.payable_cents,
        sum(posted.statement_amount) over (partition by posted.contract_id order by posted.statement_number)
        - posted.statement_amount as opening_balance_amount,
        posted.entry_count,
        posted.new_count,
        posted.accrual_count,
        posted.adjustment_count,
        posted.reversal_count,
        posted.statement_amount,
        posted.base_amount,
        posted.instalment_amount,
        posted.outcome_amount,
        posted.cohort_amount,
        posted.penalty_amount,
        posted.new_amount,
        posted.accrual_amount,
        posted.adjustment_amount,
        posted.reversal_amount,
        cast(null as bigint) as late_change_count,
        cast(null as decimal(18, 2)) as late_change_amount,
        posted.head_hash,
        posted.chain_entry_count
    from posted
    left join settled_then
        on
            posted.contract_id = settled_then.contract_id
            and posted.statement_number = settled_then.statement_number
    union all
    select
        contract.contract_id,
        coalesce(head.statement_count, 0) + 1 as statement_number,
        false as is_posted,
        coalesce(settled.period, last_period.period) as period,
        {{ as_of_date() }} as as_of_date,
        {{ evidence_cutoff_at() }} as evidence_cutoff_at,
        cast(null as timestamp) as posted_at,
        cast(null as varchar) as approved_by,
        coalesce(settled.base_earned_amount, 0) as base_earned_amount,
        coalesce(settled.contingent_earned_amount, 0) as contingent_earned_amount,
        coalesce(settled.penalty_earned_amount, 0) as penalty_earned_amount,
        coalesce(settled.earned_amount, 0) as earned_amount,
        coalesce(settled.per_student_cut_cents, 0) as per_student_cut_cents,
        coalesce(settled.max_paid_cut_cents, 0) as max_paid_cut_cents,
        coalesce(settled.line_cut_cents, 0) as line_cut_cents,
        coalesce(settled.pool_cut_cents, 0) as pool_cut_cents,
        coalesce(settled.nte_cut_cents, 0) as nte_cut_cents,
        coalesce(settled.payable_cents, 0) as payable_cents,
        coalesce(head.posted_amount, 0) as opening_balance_amount,
        coalesce(proposed.entry_count, 0) as entry_count,
        coalesce(proposed.new_count, 0) as new_count,
        coalesce(proposed.accrual_count, 0) as accrual_count,
        coalesce(proposed.adjustment_count, 0) as adjustment_count,
        coalesce(proposed.reversal_count, 0) as reversal_count,
        coalesce(proposed.statement_amount, 0) as statement_amount,
        coalesce(proposed.base_amount, 0) as base_amount,
        coalesce(proposed.instalment_amount, 0) as instalment_amount,
        coalesce(proposed.outcome_amount, 0) as outcome_amount,
        coalesce(proposed.cohort_amount, 0) as cohort_amount,
        coalesce(proposed.penalty_amount, 0) as penalty_amount,
        coalesce(proposed.new_amount, 0) as new_amount,
        coalesce(proposed.accrual_amount, 0) as accrual_amount,
        coalesce(proposed.adjustment_amount, 0) as adjustment_amount,
        coalesce(proposed.reversal_amount, 0) as reversal_amount,
        coalesce(late.late_change_count, 0) as late_change_count,
        coalesce(late.late_change_amount, 0) as late_change_amount,
        head.head_hash,
        coalesce(head.chain_entry_count, 0) as chain_entry_count
    from contract
    left join settled
        on contract.contract_id = settled.contract_id
    left join proposed
        on contract.contract_id = proposed.contract_id
    left join late
        on contract.contract_id = late.contract_id
    left join head
        on contract.contract_id = head.contract_id
    left join last_period
        on contract.contract_id = last_period.contract_id
),

blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
)

select
    md5(statement.contract_id || '|' || cast(statement.statement_number as varchar)) as statement_key,
    statement.contract_id,
    cast(statement.statement_number as integer) as statement_number,
    statement.is_posted,
    statement.period,
    statement.as_of_date,
    cast(statement.evidence_cutoff_at as timestamp) as evidence_cutoff_at,
    cast(statement.posted_at as timestamp) as posted_at,
    statement.approved_by,
    cast(statement.base_earned_amount as decimal(18, 2)) as base_earned_amount,
    cast(statement.contingent_earned_amount as decimal(18, 2)) as contingent_earned_amount,
    cast(statement.penalty_earned_amount as decimal(18, 2)) as penalty_earned_amount,
    cast(statement.earned_amount as decimal(18, 2)) as earned_amount,
    {{ dollars('statement.per_student_cut_cents') }} as per_student_cut_amount,
    {{ dollars('statement.max_paid_cut_cents') }} as max_paid_outcomes_cut_amount,
    {{ dollars('statement.line_cut_cents') }} as line_cut_amount,
    {{ dollars('statement.pool_cut_cents') }} as pool_cut_amount,
    {{ dollars('statement.nte_cut_cents') }} as not_to_exceed_cut_amount,
    {{ dollars('statement.payable_cents') }} as payable_amount,
    cast(statement.opening_balance_amount as decimal(18, 2)) as opening_balance_amount,
    cast(statement.statement_amount as decimal(18, 2)) as statement_amount,
    cast(statement.opening_balance_amount + statement.statement_amount as decimal(18, 2)) as closing_balance_amount,
    cast(statement.base_amount as decimal(18, 2)) as base_amount,
    cast(statement.instalment_amount as decimal(18, 2)) as instalment_amount,
    cast(statement.outcome_amount as decimal(18, 2)) as outcome_amount,
    cast(statement.cohort_amount as decimal(18, 2)) as cohort_amount,
    cast(statement.penalty_amount as decimal(18, 2)) as penalty_amount,
    cast(statement.new_amount as decimal(18, 2)) as new_amount,
    cast(statement.accrual_amount as decimal(18, 2)) as accrual_amount,
    cast(statement.adjustment_amount as decimal(18, 2)) as adjustment_amount,
    cast(statement.reversal_amount as decimal(18, 2)) as reversal_amount,
    cast(statement.entry_count as bigint) as entry_count,
    cast(statement.new_count as bigint) as new_count,
    cast(statement.accrual_count as bigint) as accrual_count,
    cast(statement.adjustment_count as bigint) as adjustment_count,
    cast(statement.reversal_count as bigint) as reversal_count,
    cast(statement.late_change_count as bigint) as late_change_count,
    cast(statement.late_change_amount as decimal(18, 2)) as late_change_amount,
    statement.head_hash,
    cast(statement.chain_entry_count as bigint) as chain_entry_count,
    blocked.contract_id is not null as is_blocked
from statement
left join blocked
    on statement.contract_id = blocked.contract_id
