-- One row per line key whose posted amount is not what it should be now: what would have to be posted, and why.
with expected as (
    select * from {{ ref('fct_settlement_line') }}
    -- With --empty every ref is without rows: nothing expected would then mean that everything posted is taken back.
    {% if flags.EMPTY %}where false{% endif %}
),

posted as (
    select * from {{ ref('int_settlement__posted') }}
    {% if flags.EMPTY %}where false{% endif %}
),

compared as (
    select
        coalesce(expected.line_key, posted.line_key) as line_key,
        coalesce(expected.contract_id, posted.contract_id) as contract_id,
        coalesce(expected.contract_version, posted.contract_version) as contract_version,
        coalesce(expected.line_id, posted.line_id) as line_id,
        coalesce(expected.line_kind, posted.line_kind) as line_kind,
        case when expected.line_key is not null then expected.student_id else posted.student_id end as student_id,
        case when expected.line_key is not null then expected.student_key else posted.student_key end as student_key,
        case when expected.line_key is not null then expected.school_id else posted.school_id end as school_id,
        coalesce(expected.period, posted.period) as period,
        coalesce(expected.payable_amount, cast(0 as decimal(18, 2))) as expected_amount,
        coalesce(posted.posted_amount, cast(0 as decimal(18, 2))) as posted_amount,
        posted.line_key is not null as is_posted_before,
        posted.last_entry_hash as adjusts_entry_hash,
        posted.last_statement_number as adjusts_statement_number,
        posted.contract_posted_as_of,
        coalesce(expected.reason_code, 'NO_LONGER_EXPECTED') as reason_code,
        expected.cap_applied,
        coalesce(expected.reason, 'The student, the line or the contract is no longer among those that are settled.') as reason
    from expected
    full outer join posted
        on expected.line_key = posted.line_key
)

select
    compared.line_key,
    compared.contract_id,
    cast(compared.contract_version as integer) as contract_version,
    compared.line_id,
    compared.line_kind,
    compared.student_id,
    compared.student_key,
    compared.school_id,
    compared.period,
    cast(compared.expected_amount as decimal(18, 2)) as expected_amount,
    cast(compared.posted_amount as decimal(18, 2)) as posted_amount,
    cast(compared.expected_amount - compared.posted_amount as decimal(18, 2)) as amount,
    case
        when not compared.is_posted_before then 'NEW'
        when compared.expected_amount = 0 then 'REVERSAL'
        -- Base pay of a student who is still being served grows from statement to statement: that is service delivered since, not a
        -- correction. It ends with the statement that saw the end of service; who had lost the base altogether is corrected.
        when
            compared.line_kind = 'BASE'
            and terms.is_base_accruing
            and compared.posted_amount > 0
            and compared.expected_amount > compared.posted_amount
            and compared.contract_posted_as_of <= terms.service_end_on
            then 'ACCRUAL'
        else 'ADJUSTMENT'
    end as entry_kind,
    compared.adjusts_entry_hash,
    cast(compared.adjusts_statement_number as integer) as adjusts_statement_number,
    compared.reason_code,
    compared.cap_applied,
    compared.reason
    || case when compared.cap_applied is not null then ' Cut by a cap (' || compared.cap_applied || ').' else '' end
    || case
        when compared.is_posted_before
            then
                ' Statement ' || cast(compared.adjusts_statement_number as varchar) || ' left '
                || cast(compared.posted_amount as varchar) || ' posted.'
        else ''
    end as reason,
    coalesce(terms.is_past_deadline, false) as is_past_deadline
from compared
left join {{ ref('int_settlement__terms') }} as terms
    on compared.contract_id = terms.contract_id
where compared.expected_amount <> compared.posted_amount
