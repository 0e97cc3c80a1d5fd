-- Students whom two contracts of one subject claim at the same time without shares that add up to at most 1 (domain §4.5): both are held.
-- How many claim a student changes only where an assignment starts, so looking at every start finds every moment of conflict.
with ruled_share as (
    select
        contract_id,
        student_key,
        max_by(try_cast(value as decimal(9, 6)), ruled_on) as vendor_share
    from {{ ref('int_payment__ruling') }}
    where
        subject = 'OVERLAP'
        and student_key is not null
        and try_cast(value as decimal(9, 6)) is not null
    group by contract_id, student_key
),

-- Only the days in service: an assignment left open reaches no further than its contract.
claim as (
    select
        contract.contract_id,
        contract.subject,
        contract.school_year_end,
        roster.student_key,
        greatest(roster.start_on, contract.service_start_on) as start_on,
        least(coalesce(roster.end_on, cast('9999-12-31' as date)), {{ add_days('contract.service_end_on', 1) }}) as end_on,
        coalesce(ruled_share.vendor_share, roster.vendor_share) as vendor_share
    from {{ ref('input__roster_assignment') }} as roster
    inner join {{ ref('int_payment__contract') }} as contract
        on roster.contract_id = contract.contract_id
    left join ruled_share
        on
            roster.contract_id = ruled_share.contract_id
            and roster.student_key = ruled_share.student_key
    where roster.student_key is not null
),

served as (
    select * from claim
    where end_on > start_on
),

claimed_twice as (
    select
        subject,
        school_year_end,
        student_key
    from served
    group by subject, school_year_end, student_key
    having count(distinct contract_id) > 1
),

contested as (
    select served.*
    from served
    inner join claimed_twice
        on
            served.subject = claimed_twice.subject
            and served.school_year_end = claimed_twice.school_year_end
            and served.student_key = claimed_twice.student_key
),

moment as (
    select distinct
        subject,
        school_year_end,
        student_key,
        start_on as moment_on
    from contested
),

share_at_moment as (
    select
        moment.subject,
        moment.school_year_end,
        moment.student_key,
        moment.moment_on,
        contested.contract_id,
        max(contested.vendor_share) as vendor_share
    from moment
    inner join contested
        on
            moment.subject = contested.subject
            and moment.school_year_end = contested.school_year_end
            and moment.student_key = contested.student_key
            and moment.moment_on >= contested.start_on
            and moment.moment_on < contested.end_on
    group by moment.subject, moment.school_year_end, moment.student_key, moment.moment_on, contested.contract_id
),

judged as (
    select
        subject,
        school_year_end,
        student_key,
        moment_on,
        count(*) as contract_count,
        count(vendor_share) as stated_count,
        sum(vendor_share) as share_sum
    from share_at_moment
    group by subject, school_year_end, student_key, moment_on
)

select
    share_at_moment.contract_id,
    share_at_moment.student_key,
    min(share_at_moment.moment_on) as overlaps_from,
    cast(max(judged.contract_count) as integer) as contract_count,
    max(case when judged.stated_count < judged.contract_count then 1 else 0 end) = 1 as is_share_not_stated,
    cast(max(judged.share_sum) as decimal(18, 6)) as share_sum
from share_at_moment
inner join judged
    on
        share_at_moment.subject = judged.subject
        and share_at_moment.school_year_end = judged.school_year_end
        and share_at_moment.student_key = judged.student_key
        and share_at_moment.moment_on = judged.moment_on
where
    judged.contract_count > 1
    and (judged.stated_count < judged.contract_count or judged.share_sum > 1)
group by share_at_moment.contract_id, share_at_moment.student_key
