-- Every association that is asked for, computed or not: contract x construct x factor (x lag), its number of pairs and response rate, and
-- the correlation only where both are enough. All looks of a family in a run are corrected together (Benjamini-Hochberg).
with setting as (
    select * from {{ source('documents', 'improvement_setting') }}
),

contract as (
    select
        contract_id,
        provider_id
    from {{ ref('int_payment__contract') }}
),

construct as (
    select distinct
        construct,
        case when construct in {{ experience_constructs() }} then 'EXPERIENCE' else 'SEL' end as family
    from {{ source('documents', 'exit_ticket_item') }}
    where
        construct is not null
        and not coalesce(is_free_text, false)
),

-- A district without scaled items still sees that the question is open.
family_construct as (
    select
        families.family,
        construct.construct
    from (values ('SEL'), ('EXPERIENCE')) as families (family)
    left join construct
        on families.family = construct.family
),

factor as (
    select
        contract_id,
        'OUTCOME' as factor_kind,
        line_id as factor,
        line_id,
        metric,
        0 as lag_weeks,
        null as family
    from {{ ref('int_payment__line') }}
    union all
    select
        contract.contract_id,
        factors.factor_kind,
        lower(factors.factor_kind) as factor,
        null as line_id,
        null as metric,
        0 as lag_weeks,
        'SEL' as family
    from contract
    cross join (values ('DOSAGE'), ('TUTORING_ATTENDANCE'), ('SCHOOL_ATTENDANCE')) as factors (factor_kind)
    union all
    select
        contract.contract_id,
        'TUTORING_ATTENDANCE' as factor_kind,
        'tutoring_attendance' as factor,
        null as line_id,
        null as metric,
        lag.lag_weeks,
        'EXPERIENCE' as family
    from contract
    cross join setting
    inner join (values (1), (2), (3), (4), (5), (6), (7), (8)) as lag (lag_weeks)
        on setting.lag_weeks_max >= lag.lag_weeks
),

attended as (
    select
        contract_id,
        count(*) as attended_sessions
    from {{ ref('int_tutoring_session__cause') }}
    where is_attended
    group by contract_id
),

scored as (
    select
        contract_id,
        construct,
        count(distinct session_id || '|' || student_id) as answered_sessions
    from {{ ref('int_improvement__response_score') }}
    group by contract_id, construct
),

measured as (
    select
        contract_id,
        factor,
        count(*) as measured_students
    from {{ ref('int_improvement__student_measure') }}
    group by contract_id, factor
),

looked as (
    select
        family_construct.family,
        contract.contract_id,
        contract.provider_id,
        coalesce(family_construct.construct, 'none') as construct,
        factor.factor_kind,
        factor.factor,
        factor.line_id,
        factor.metric,
        factor.lag_weeks,
        coalesce(spearman.n_pairs, 0) as n_pairs,
        coalesce(spearman.n_students, 0) as n_students,
        coalesce(scored.answered_sessions, 0) as response_numerator,
        coalesce(attended.attended_sessions, 0) as response_denominator,
        spearman.rho,
        spearman.z_se,
        case
            when family_construct.construct is null then 'No exit-ticket form asks about this.'
            when coalesce(attended.attended_sessions, 0) = 0 then 'No attended sessions are known.'
            when coalesce(scored.answered_sessions, 0) = 0 then 'No exit tickets answer this.'
            when coalesce(measured.measured_students, 0) = 0 and factor.factor_kind = 'TUTORING_ATTENDANCE'
                then 'The provider''s log has attended sessions only: nobody knows who missed.'
            when coalesce(measured.measured_students, 0) = 0 then 'Nobody is measured on this yet.'
            when coalesce(spearman.n_students, 0) < setting.association_min_pairs
                then
                    'Pairs of ' || cast(coalesce(spearman.n_students, 0) as varchar) || ' students; at least '
                    || cast(setting.association_min_pairs as varchar) || ' are needed.'
            when scored.answered_sessions < attended.attended_sessions * setting.response_rate_min
                then
                    'Answered after ' || cast(scored.answered_sessions as varchar) || ' of ' || cast(attended.attended_sessions as varchar)
                    || ' attended sessions, fewer than the ' || cast(cast(round(setting.response_rate_min * 100) as integer) as varchar)
                    || ' % that would speak for all.'
            when spearman.rho is null then 'All students have the same value: there is nothing to compare.'
        end as what_is_missing
    from contract
    cross join family_construct
    cross join setting
    inner join factor
        on
            contract.contract_id = factor.contract_id
            and family_construct.family = coalesce(factor.family, family_construct.family)
    left join attended
        on contract.contract_id = attended.contract_id
    left join scored
        on
            contract.contract_id = scored.contract_id
            and family_construct.construct = scored.construct
    left join measured
        on
            contract.contract_id = measured.contract_id
            and factor.factor = measured.factor
    left join {{ ref('int_improvement__spearman') }} as spearman
        on
            contract.contract_id = spearman.contract_id
            and family_construct.family = spearman.family
            and family_construct.construct = spearman.construct
            and factor.factor = spearman.factor
            and factor.lag_weeks = spearman.lag_weeks
),

shown as (
    select
        *,
        case when what_is_missing is null then rho end as shown_rho,
        case when what_is_missing is null then {{ fisher_z('rho') }} end as z
    from looked
),

tested as (
    select
        *,
        {{ two_sided_p('z / z_se') }} as p_value
    from shown
),

scaled as (
    select
        *,
        {{ bh_scaled('p_value', 'family') }} as scaled_p
    from tested
)

select
    family,
    contract_id,
    provider_id,
    construct,
    factor_kind,
    factor,
    line_id,
    metric,
    lag_weeks,
    n_pairs,
    n_students,
    response_numerator,
    response_denominator,
    shown_rho as rho,
    {{ from_fisher_z('z - 1.9599640e0 * z_se') }} as ci_low,
    {{ from_fisher_z('z + 1.9599640e0 * z_se') }} as ci_high,
    p_value,
    case when p_value is not null then {{ bh_adjusted('p_value', 'scaled_p', 'family') }} end as adjusted_p_value,
    count(p_value) over (partition by family) as looks,
    what_is_missing
from scaled
