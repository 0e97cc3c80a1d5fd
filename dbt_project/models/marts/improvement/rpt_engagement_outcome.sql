-- Does how students found their sessions (engagement, satisfaction, understanding) go with what follows? Two comparisons: within
-- students, a week above the student's own mean beside the attendance of the next weeks; between students, the mean beside each outcome.
select
    contract_id,
    provider_id,
    construct,
    factor_kind,
    factor,
    line_id,
    metric,
    case when factor_kind = 'OUTCOME' then 'BETWEEN_STUDENTS' else 'WITHIN_STUDENTS' end as comparison,
    cast(case when factor_kind <> 'OUTCOME' then lag_weeks end as integer) as lag_weeks,
    cast(n_students as integer) as n_students,
    cast(n_pairs as integer) as n_pairs,
    cast(response_numerator as integer) as response_numerator,
    cast(response_denominator as integer) as response_denominator,
    {{ safe_divide('response_numerator', 'response_denominator') }} as response_rate,
    cast(rho as decimal(9, 6)) as spearman_rho,
    cast(ci_low as decimal(9, 6)) as ci_low,
    cast(ci_high as decimal(9, 6)) as ci_high,
    cast(p_value as decimal(9, 6)) as p_value,
    cast(adjusted_p_value as decimal(9, 6)) as adjusted_p_value,
    cast(looks as integer) as look_count,
    adjusted_p_value <= 0.05 as holds_after_correction,
    {{ strength_word('rho') }} as strength,
    'association' as label,
    case when what_is_missing is null then 'ok' else 'not_enough_data' end as status,
    what_is_missing,
    {{ as_of_date() }} as as_of_date
from {{ ref('int_improvement__association') }}
where family = 'EXPERIENCE'
