-- Spearman's rho of every set of pairs: the correlation of average ranks. The standard error of its Fisher z is that of independent pairs,
-- and, where a student gives several weeks, at least the one that lets weeks of a student hang together (sums of influence by student).
with ranked as (
    select
        family,
        contract_id,
        construct,
        factor,
        lag_weeks,
        student_key,
        {{ average_rank('x', 'family, contract_id, construct, factor, lag_weeks') }} as rank_x,
        {{ average_rank('y', 'family, contract_id, construct, factor, lag_weeks') }} as rank_y,
        count(*) over (partition by family, contract_id, construct, factor, lag_weeks) as n_pairs
    from {{ ref('int_improvement__association_pair') }}
),

-- The mean rank is (n + 1) / 2, whatever the ties.
centred as (
    select
        *,
        rank_x - (n_pairs + 1) / 2.0e0 as from_mean_x,
        rank_y - (n_pairs + 1) / 2.0e0 as from_mean_y
    from ranked
),

correlated as (
    select
        family,
        contract_id,
        construct,
        factor,
        lag_weeks,
        max(n_pairs) as n_pairs,
        count(distinct student_key) as n_students,
        sum(power(from_mean_x, 2)) as spread_x,
        sum(power(from_mean_y, 2)) as spread_y,
        sum(from_mean_x * from_mean_y) / nullif(sqrt(sum(power(from_mean_x, 2)) * sum(power(from_mean_y, 2))), 0) as rho
    from centred
    group by family, contract_id, construct, factor, lag_weeks
),

student_influence as (
    select
        centred.family,
        centred.contract_id,
        centred.construct,
        centred.factor,
        centred.lag_weeks,
        centred.student_key,
        sum(
            centred.from_mean_x * centred.from_mean_y / sqrt(correlated.spread_x * correlated.spread_y)
            - correlated.rho / 2 * (
                power(centred.from_mean_x, 2) / correlated.spread_x + power(centred.from_mean_y, 2) / correlated.spread_y
            )
        ) as influence
    from centred
    inner join correlated
        on
            centred.family = correlated.family
            and centred.contract_id = correlated.contract_id
            and centred.construct = correlated.construct
            and centred.factor = correlated.factor
            and centred.lag_weeks = correlated.lag_weeks
    where
        correlated.rho is not null
        and correlated.n_students < correlated.n_pairs
    group by
        centred.family, centred.contract_id, centred.construct, centred.factor, centred.lag_weeks, centred.student_key
),

clustered as (
    select
        family,
        contract_id,
        construct,
        factor,
        lag_weeks,
        sqrt(sum(power(influence, 2)) * count(*) / nullif(count(*) - 1, 0)) as rho_se
    from student_influence
    group by family, contract_id, construct, factor, lag_weeks
)

select
    correlated.family,
    correlated.contract_id,
    correlated.construct,
    correlated.factor,
    correlated.lag_weeks,
    correlated.n_pairs,
    correlated.n_students,
    correlated.rho,
    greatest(
        {{ spearman_z_se('correlated.rho', 'correlated.n_pairs') }},
        coalesce(clustered.rho_se / nullif(1 - power(correlated.rho, 2), 0), 0)
    ) as z_se
from correlated
left join clustered
    on
        correlated.family = clustered.family
        and correlated.contract_id = clustered.contract_id
        and correlated.construct = clustered.construct
        and correlated.factor = clustered.factor
        and correlated.lag_weeks = clustered.lag_weeks
