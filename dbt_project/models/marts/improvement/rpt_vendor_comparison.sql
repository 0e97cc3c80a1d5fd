-- Providers of one subject side by side, on what is left after each one's students are allowed for: excess over history, and the matched
-- effect. Raw rates are not compared: they show which students a provider was given. Only contracts of one district, subject and year, and
-- only on the same outcome of the same tests. A provider alone keeps a row that says so.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

contracts as (
    select
        contract.contract_id,
        contract.provider_id,
        contract.provider_name,
        contract.school_year_end,
        lower(contract.subject) as subject,
        coalesce(max(student.district_id), '{{ var("district_id") }}') as district_id
    from {{ ref('int_payment__contract') }} as contract
    left join {{ ref('int_improvement__student') }} as student
        on contract.contract_id = student.contract_id
    group by
        contract.contract_id, contract.provider_id, contract.provider_name, contract.school_year_end, lower(contract.subject)
),

-- Each two once, and never a provider against itself.
pairs as (
    select
        one.contract_id as contract_a,
        one.provider_id as provider_a,
        one.provider_name as provider_name_a,
        other.contract_id as contract_b,
        other.provider_id as provider_b,
        other.provider_name as provider_name_b,
        one.subject,
        one.school_year_end,
        one.district_id
    from contracts as one
    inner join contracts as other
        on
            one.district_id = other.district_id
            and one.subject = other.subject
            and one.school_year_end = other.school_year_end
            and one.provider_id <> other.provider_id
            and one.contract_id < other.contract_id
),

lines as (
    select * from {{ ref('int_improvement__outcome_line') }}
    where pair_key is not null
),

common as (
    select
        pairs.contract_a,
        pairs.contract_b,
        line_a.line_id as line_a,
        line_b.line_id as line_b,
        line_a.outcome_name
    from pairs
    inner join lines as line_a
        on pairs.contract_a = line_a.contract_id
    inner join lines as line_b
        on
            pairs.contract_b = line_b.contract_id
            and line_a.pair_key = line_b.pair_key
            and line_a.comparator = line_b.comparator
            and line_a.threshold = line_b.threshold
),

measures as (
    select
        contract_id,
        line_id,
        'excess_rate' as measure,
        n_students,
        cast(excess_rate as double) as value,
        cast(ci_low as double) as value_low,
        cast(ci_high as double) as value_high,
        status,
        what_is_missing
    from {{ ref('rpt_growth_vs_expected') }}
    where population = 'all_measured'
    union all
    select
        contract_id,
        line_id,
        'matched_effect' as measure,
        n_students,
        cast(effect_size as double) as value,
        cast(ci_low as double) as value_low,
        cast(ci_high as double) as value_high,
        status,
        what_is_missing
    from {{ ref('rpt_matched_comparison') }}
),

measure_names as (
    select 'excess_rate' as measure
    union all
    select 'matched_effect' as measure
),

-- Contracts that stand alone, and pairs without a common outcome, keep one row per measure.
wanted as (
    select
        pairs.*,
        common.line_a,
        common.line_b,
        common.outcome_name,
        measure_names.measure
    from pairs
    cross join measure_names
    left join common
        on
            pairs.contract_a = common.contract_a
            and pairs.contract_b = common.contract_b
    union all
    select
        contracts.contract_id as contract_a,
        contracts.provider_id as provider_a,
        contracts.provider_name as provider_name_a,
        null as contract_b,
        null as provider_b,
        null as provider_name_b,
        contracts.subject,
        contracts.school_year_end,
        contracts.district_id,
        null as line_a,
        null as line_b,
        null as outcome_name,
        measure_names.measure
    from contracts
    cross join measure_names
    where
        contracts.contract_id not in (
            select contract_a from pairs
            union all
            select contract_b from pairs
        )
),

joined as (
    select
        wanted.*,
        a.n_students as n_students_a,
        a.value as value_a,
        a.value_low as low_a,
        a.value_high as high_a,
        b.n_students as n_students_b,
        b.value as value_b,
        b.value_low as low_b,
        b.value_high as high_b,
        a.what_is_missing as missing_a,
        b.what_is_missing as missing_b,
        case
            when a.value is null or b.value is null then 'not_enough_data'
            when a.status = 'small_group' or b.status = 'small_group' then 'small_group'
            else 'ok'
        end as status
    from wanted
    left join measures as a
        on
            wanted.contract_a = a.contract_id
            and wanted.line_a = a.line_id
            and wanted.measure = a.measure
    left join measures as b
        on
            wanted.contract_b = b.contract_id
            and wanted.line_b = b.line_id
            and wanted.measure = b.measure
),

-- The interval of the difference squares and adds the two intervals' arms, so it holds for lopsided ones too.
estimated as (
    select
        joined.*,
        value_a - value_b as difference,
        value_a - value_b - sqrt(power(value_a - low_a, 2) + power(high_b - value_b, 2)) as difference_low,
        value_a - value_b + sqrt(power(high_a - value_a, 2) + power(value_b - low_b, 2)) as difference_high
    from joined
)

select
    {{ surrogate_key(['contract_a', 'line_a', 'contract_b', 'line_b', 'measure']) }} as vendor_comparison_key,
    district_id,
    subject,
    cast(school_year_end as integer) as school_year_end,
    measure,
    outcome_name,
    contract_a,
    line_a,
    provider_a,
    provider_name_a,
    contract_b,
    line_b,
    provider_b,
    provider_name_b,
    cast(n_students_a as integer) as n_students_a,
    cast(n_students_b as integer) as n_students_b,
    cast(value_a as decimal(18, 6)) as value_a,
    cast(low_a as decimal(18, 6)) as low_a,
    cast(high_a as decimal(18, 6)) as high_a,
    cast(value_b as decimal(18, 6)) as value_b,
    cast(low_b as decimal(18, 6)) as low_b,
    cast(high_b as decimal(18, 6)) as high_b,
    cast(difference as decimal(18, 6)) as difference,
    cast(difference_low as decimal(18, 6)) as ci_low,
    cast(difference_high as decimal(18, 6)) as ci_high,
    case when difference is not null then low_a <= high_b and low_b <= high_a end as is_overlapping,
    case
        when difference_low > 0 then 'a_higher'
        when difference_high < 0 then 'b_higher'
        when difference is not null then 'cannot_be_told_apart'
    end as verdict,
    status,
    case
        when status <> 'not_enough_data' then null
        when contract_b is null then 'Only one provider serves this subject this year; there is nobody to compare it with.'
        when line_a is null then 'The two contracts share no outcome of the same tests and threshold.'
        when value_a is null then provider_name_a || ': ' || missing_a
        else provider_name_b || ': ' || missing_b
    end as what_is_missing,
    coalesce(blocked_a.contract_id, blocked_b.contract_id) is not null as is_source_flagged
from estimated
left join blocked as blocked_a
    on estimated.contract_a = blocked_a.contract_id
left join blocked as blocked_b
    on estimated.contract_b = blocked_b.contract_id
