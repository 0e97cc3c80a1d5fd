-- How alike the matched groups were before anything happened: for each trait the mean of the tutored, of the matched untutored, and the
-- difference in standard deviations (domain §6: up to 0.05 fine, up to 0.25 to be adjusted for, above it no effect is shown). The spread is
-- the one within group and grade, so that two grades on one scale are no difference.
{%- set traits = [
    ('baseline_score', 'baseline_score'),
    ('prior_attendance', 'prior_attendance_rate'),
    ('english_learner', 'case when is_english_learner then 1.0e0 when not is_english_learner then 0.0e0 end'),
    ('iep', 'case when is_iep then 1.0e0 when not is_iep then 0.0e0 end'),
] %}
with settings as (
    select
        least_group_n,
        normal_group_n,
        balance_limit_sd,
        balance_fine_sd
    from {{ source('documents', 'improvement_setting') }}
),

matched as (
    select * from {{ ref('int_improvement__matched_student') }}
    where cell_is_matched
),

student_traits as (
    {%- for trait, value in traits %}
    select
        contract_id,
        line_id,
        '{{ trait }}' as trait,
        grade_level,
        is_tutored,
        weight,
        cast({{ value }} as double) as trait_value
    from matched
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

known as (
    select * from student_traits
    where trait_value is not null
),

grade_spreads as (
    select
        contract_id,
        line_id,
        trait,
        grade_level,
        is_tutored,
        count(*) as n_students,
        var_samp(trait_value) as variance
    from known
    group by contract_id, line_id, trait, grade_level, is_tutored
),

spreads as (
    select
        contract_id,
        line_id,
        trait,
        sqrt(sum((n_students - 1) * coalesce(variance, 0)) / nullif(sum(n_students - 1), 0)) as sd_pooled
    from grade_spreads
    group by contract_id, line_id, trait
),

means as (
    select
        contract_id,
        line_id,
        trait,
        count(case when is_tutored then 1 end) as n_tutored,
        count(case when not is_tutored then 1 end) as n_comparison,
        sum(case when is_tutored then trait_value * weight end) / nullif(sum(case when is_tutored then weight end), 0) as mean_tutored,
        sum(case when not is_tutored then trait_value * weight end) / nullif(sum(case when not is_tutored then weight end), 0)
            as mean_comparison
    from known
    group by contract_id, line_id, trait
),

rows_wanted as (
    select
        line.contract_id,
        line.line_id,
        traits.trait
    from {{ ref('int_improvement__outcome_line') }} as line
    cross join (
        {%- for trait, value in traits %}
        select '{{ trait }}' as trait
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as traits
    where line.pair_key is not null
),

compared as (
    select
        rows_wanted.contract_id,
        rows_wanted.line_id,
        rows_wanted.trait,
        means.mean_tutored,
        means.mean_comparison,
        spreads.sd_pooled,
        settings.balance_limit_sd,
        settings.balance_fine_sd,
        coalesce(means.n_tutored, 0) as n_tutored,
        coalesce(means.n_comparison, 0) as n_comparison,
        {{ group_status(
            'least(means.n_tutored, means.n_comparison)', 'settings.least_group_n', 'settings.normal_group_n'
        ) }} as status,
        -- Equal means are no difference, whatever the spread.
        case
            when abs(means.mean_tutored - means.mean_comparison) < 1e-9 then 0
            else
                {{ hedges_correction('(means.n_tutored + means.n_comparison)') }}
                * (means.mean_tutored - means.mean_comparison) / nullif(spreads.sd_pooled, 0)
        end as difference_sd
    from rows_wanted
    cross join settings
    left join means
        on
            rows_wanted.contract_id = means.contract_id
            and rows_wanted.line_id = means.line_id
            and rows_wanted.trait = means.trait
    left join spreads
        on
            rows_wanted.contract_id = spreads.contract_id
            and rows_wanted.line_id = spreads.line_id
            and rows_wanted.trait = spreads.trait
)

select
    contract_id,
    line_id,
    trait,
    cast(n_tutored as integer) as n_tutored,
    cast(n_comparison as integer) as n_comparison,
    cast(case when status <> 'not_enough_data' then mean_tutored end as decimal(18, 6)) as mean_tutored,
    cast(case when status <> 'not_enough_data' then mean_comparison end as decimal(18, 6)) as mean_comparison,
    cast(case when status <> 'not_enough_data' then sd_pooled end as decimal(18, 6)) as sd_pooled,
    cast(case when status <> 'not_enough_data' then difference_sd end as decimal(18, 6)) as difference_sd,
    case
        when status = 'not_enough_data' or difference_sd is null then null
        when abs(difference_sd) <= balance_fine_sd then 'fine'
        when abs(difference_sd) <= balance_limit_sd then 'adjusted_for'
        else 'too_far_apart'
    end as balance,
    status,
    case
        when status = 'not_enough_data'
            then
                'Known for ' || cast(n_tutored as varchar) || ' matched tutored and ' || cast(n_comparison as varchar)
                || ' untutored students; that is too few.'
    end as what_is_missing
from compared
