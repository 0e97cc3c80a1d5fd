-- Do students who say more of themselves (identity, efficacy, relationship) grow more, come more, get more tutoring? One row per contract,
-- construct and factor, computed or not. What students say of themselves goes with many things: an association, no cause, never for pay.
select
    contract_id,
    provider_id,
    construct,
    factor_kind,
    factor,
    line_id,
    metric,
    cast(n_students as integer) as n_students,
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
where family = 'SEL'
