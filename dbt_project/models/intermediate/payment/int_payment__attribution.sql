-- One row per contract, rate-card line and rostered student: did the provider fail, did the district fail (domain §4.2 step 7)?
-- NOTICE_ONLY duties are seen elsewhere and change no amount.
with missing_test as (
    select
        contract_id,
        line_id,
        student_ref,
        max(case when cause = 'PROVIDER' then 1 else 0 end) as is_missed_by_provider,
        max(case when cause = 'DISTRICT' then 1 else 0 end) as is_missed_by_district
    from {{ ref('int_payment__missing_test') }}
    group by contract_id, line_id, student_ref
),

-- Only these duties change an amount.
binding as (
    select
        *,
        obligation_id || ' ' || metric || ' ' || cast(numerator as varchar) || ' of ' || cast(denominator as varchar) as words
    from {{ ref('int_payment__obligation') }}
    where
        (party = 'PROVIDER' and consequence in ('VOID_OUTCOME', 'VOID_ALL'))
        or (party = 'DISTRICT' and consequence = 'DEFAULT_PAY')
),

duty as (
    select
        contract_id,
        line_id,
        student_ref,
        max(case when party = 'PROVIDER' and obligation_status = 'BREACHED' then 1 else 0 end) as is_provider_breached,
        max(case when consequence = 'VOID_ALL' and obligation_status = 'BREACHED' then 1 else 0 end) as is_all_void,
        max(case when party = 'PROVIDER' and obligation_status = 'IN_CURE' then 1 else 0 end) as is_provider_in_cure,
        max(
            case when party = 'PROVIDER' and obligation_status in ('UNKNOWN', 'BEHIND', 'IN_CURE') then 1 else 0 end
        ) as is_provider_unjudged,
        max(case when party = 'PROVIDER' and obligation_status = 'IN_CURE' then cure_ends_on end) as cure_ends_on,
        max(case when party = 'PROVIDER' and obligation_status in ('BREACHED', 'IN_CURE') then words end) as provider_breach,
        max(
            case when party = 'DISTRICT' and metric <> 'ASSESSMENT_ADMINISTERED' and obligation_status = 'BREACHED' then 1 else 0 end
        ) as is_district_breached,
        max(
            case when party = 'DISTRICT' and metric = 'ASSESSMENT_ADMINISTERED' and obligation_status = 'BREACHED' then 1 else 0 end
        ) as is_testing_breached,
        max(case when party = 'DISTRICT' and obligation_status = 'BREACHED' then words end) as district_breach
    from binding
    group by contract_id, line_id, student_ref
),

own as (
    select
        assignment.contract_id,
        assignment.contract_version,
        assignment.line_id,
        assignment.student_ref,
        assignment.school_id,
        line.district_default_scope,
        coalesce(missing_test.is_missed_by_provider, 0) as is_missed_by_provider,
        coalesce(duty.is_provider_breached, 0) as is_provider_breached,
        coalesce(duty.is_all_void, 0) as is_all_void,
        coalesce(duty.is_provider_in_cure, 0) as is_provider_in_cure,
        coalesce(duty.is_provider_unjudged, 0) as is_provider_unjudged,
        duty.provider_breach,
        duty.cure_ends_on,
        duty.district_breach,
        -- A contract that states no default share pays no default.
        case
            when line.district_default_share is null then 0
            when duty.is_district_breached = 1 then 1
            -- What a missing test means is for the line to say: a line that calls it not payable pays no default for it either.
            when coalesce(line.missing_test_rule, 'NOT_PAYABLE') <> 'DISTRICT_DEFAULT_IF_DISTRICT_CAUSE' then 0
            when duty.is_testing_breached = 1 or missing_test.is_missed_by_district = 1 then 1
            else 0
        end as is_own_district_fail
    from {{ ref('int_payment__assignment') }} as assignment
    inner join {{ ref('int_payment__line') }} as line
        on
            assignment.contract_id = line.contract_id
            and assignment.line_id = line.line_id
    left join missing_test
        on
            assignment.contract_id = missing_test.contract_id
            and assignment.line_id = missing_test.line_id
            and assignment.student_ref = missing_test.student_ref
    left join duty
        on
            assignment.contract_id = duty.contract_id
            and assignment.line_id = duty.line_id
            and assignment.student_ref = duty.student_ref
    where assignment.is_on_roster
),

-- The contract says how far a district's default reaches: the student, everyone at the school, everyone in the contract.
spread as (
    select
        *,
        max(is_own_district_fail) over (
            partition by contract_id, line_id, coalesce(school_id, '~none~')
        ) as is_school_district_fail,
        max(is_own_district_fail) over (
            partition by contract_id, line_id
        ) as is_contract_district_fail
    from own
)

select
    contract_id,
    contract_version,
    line_id,
    student_ref,
    is_provider_breached = 1 or is_missed_by_provider = 1 as is_provider_fail,
    is_missed_by_provider = 1 as is_test_missed_by_provider,
    is_all_void = 1 as is_all_void,
    is_provider_in_cure = 1 as is_provider_in_cure,
    cure_ends_on,
    case district_default_scope
        when 'CONTRACT' then is_contract_district_fail
        when 'SCHOOL' then is_school_district_fail
        else is_own_district_fail
    end = 1 as is_district_fail,
    provider_breach,
    district_breach,
    case
        when is_provider_breached = 1 or is_missed_by_provider = 1 then false
        when is_provider_unjudged = 1 then null
        else true
    end as is_provider_met
from spread
