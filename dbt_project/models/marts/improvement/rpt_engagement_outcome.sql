-- Does how students found their sessions (engagement, satisfaction, understanding) go with what follows? Two comparisons: within
-- students, a week above the student's own mean beside the attendance of the next weeks; between students, the mean beside each outcome.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
)

select
    association.contract_id,
    association.provider_id,
    association.construct,
    association.factor_kind,
    association.factor,
    association.line_id,
    association.metric,
    case when association.factor_kind = 'OUTCOME' then 'BETWEEN_STUDENTS' else 'WITHIN_STUDENTS' end as comparison,
    cast(case when association.factor_kind <> 'OUTCOME' then association.lag_weeks end as integer) as lag_weeks,
    cast(association.n_students as integer) as n_students,
    cast(association.n_pairs as integer) as n_pairs,
    cast(association.response_numerator as integer) as response_numerator,
    cast(association.response_denominator as integer) as response_denominator,
    {{ safe_divide('association.response_numerator', 'association.response_denominator') }} as response_rate,
    cast(association.rho as decimal(9, 6)) as spearman_rho,
    cast(association.ci_low as decimal(9, 6)) as ci_low,
    cast(association.ci_high as decimal(9, 6)) as ci_high,
    cast(association.p_value as decimal(9, 6)) as p_value,
    cast(association.adjusted_p_value as decimal(9, 6)) as adjusted_p_value,
    cast(association.looks as integer) as look_count,
    association.adjusted_p_value <= 0.05 as holds_after_correction,
    {{ strength_word('association.rho') }} as strength,
    'association' as label,
    case when association.what_is_missing is null then 'ok' else 'not_enough_data' end as status,
    association.what_is_missing,
    blocked.contract_id is not null as is_source_flagged,
    {{ as_of_date() }} as as_of_date
from {{ ref('int_improvement__association') }} as association
left join blocked
    on association.contract_id = blocked.contract_id
where association.family = 'EXPERIENCE'
