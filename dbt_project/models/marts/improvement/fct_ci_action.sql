-- Did what the last meetings agreed improve performance? One row per action: why, how, who, and the metric of the students it was for,
-- before and after it started, less what happened meanwhile to students of the same contract whom it did not touch.
with setting as (
    select
        least_group_n,
        normal_group_n
    from {{ source('documents', 'improvement_setting') }}
),

actions as (
    select *
    from {{ ref('int_improvement__action_window') }}
),

metrics as (
    select
        metric_id,
        min(label) as label
    from {{ ref('dim_metric') }}
    where measure_kind = 'PROCESS'
    group by metric_id
),

compared as (
    select
        action_id,
        count(case when is_touched then 1 end) as n_touched,
        count(case when not is_touched then 1 end) as n_untouched,
        {%- for group, condition in {'touched': 'is_touched', 'untouched': 'not is_touched'}.items() %}
        {%- for sum in ['before_numerator', 'before_denominator', 'after_numerator', 'after_denominator'] %}
        sum(case when {{ condition }} then {{ sum }} end) as {{ group }}_{{ sum }},
        {%- endfor %}
        avg(case when {{ condition }} then change end) as {{ group }}_change,
        coalesce(var_samp(case when {{ condition }} then change end), 0) as {{ group }}_variance
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('int_improvement__action_student') }}
    group by action_id
),

-- Other actions on the same metric in the same weeks: whose work the change is, nobody can say.
rivals as (
    select
        actions.action_id,
        count(*) as n_overlapping
    from actions
    inner join actions as others
        on
            actions.action_id <> others.action_id
            and actions.metric_id = others.metric_id
            and coalesce(actions.contract_id, others.contract_id, '') = coalesce(others.contract_id, actions.contract_id, '')
            and others.started_on between actions.before_from_on and actions.after_to_on
    group by actions.action_id
),

judged as (
    select
        actions.*,
        metrics.label as metric_label,
        coalesce(rivals.n_overlapping, 0) as n_overlapping,
        coalesce(compared.n_touched, 0) as n_touched,
        coalesce(compared.n_untouched, 0) as n_untouched,
        compared.n_touched >= setting.least_group_n as is_before_after_shown,
        compared.touched_before_numerator,
        compared.touched_before_denominator,
        compared.touched_after_numerator,
        compared.touched_after_denominator,
        compared.untouched_before_numerator,
        compared.untouched_before_denominator,
        compared.untouched_after_numerator,
        compared.untouched_after_denominator,
        compared.touched_change,
        compared.untouched_change,
        compared.touched_variance,
        compared.untouched_variance,
        setting.normal_group_n,
        case
            when actions.not_judged_because is not null then actions.not_judged_because
            when coalesce(compared.n_touched, 0) < setting.least_group_n
                then
                    'Fewer than ' || cast(setting.least_group_n as varchar)
                    || ' of the students it was for have the metric before and after.'
            when coalesce(compared.n_untouched, 0) < setting.least_group_n
                then 'Fewer than ' || cast(setting.least_group_n as varchar) || ' students it was not for to compare with.'
        end as what_is_missing
    from actions
    cross join setting
    left join metrics
        on actions.metric_id = metrics.metric_id
    left join compared
        on actions.action_id = compared.action_id
    left join rivals
        on actions.action_id = rivals.action_id
),

estimated as (
    select
        judged.*,
        case when what_is_missing is null then touched_change - untouched_change end as effect,
        case
            when what_is_missing is null
                then {{ welch_reach('touched_variance', 'n_touched', 'untouched_variance', 'n_untouched') }}
        end as reach
    from judged
),

decided as (
    select
        estimated.*,
        effect - reach as effect_low,
        effect + reach as effect_high,
        case when judged_direction = 'DOWN' then -1 else 1 end as wanted_sign
    from estimated
)

select
    action_id,
    raised_on,
    meeting_id,
    workgroup_id,
    contract_id,
    school_id,
    trend_text,
    why_1,
    why_2,
    why_3,
    why_4,
    why_5,
    hmw_text,
    action_text,
    owner_party,
    owner_role,
    due_on,
    started_on,
    status as action_status,
    coalesce(due_on < {{ as_of_date() }} and status in ('PLANNED', 'STARTED'), false) as is_overdue,
    check_on,
    metric_id,
    metric_label,
    population_dimension,
    population_category,
    judged_direction as wanted_direction,
    before_from_on,
    before_to_on,
    case when started_on is not null then after_from_on end as after_from_on,
    after_to_on,
    cast(n_touched as integer) as n_students,
    cast(n_untouched as integer) as n_comparison_students,
    cast(n_overlapping as integer) as n_overlapping_actions,
    cast(case when is_before_after_shown then touched_before_numerator end as decimal(18, 6)) as before_numerator,
    cast(case when is_before_after_shown then touched_before_denominator end as decimal(18, 6)) as before_denominator,
    {{ safe_divide('case when is_before_after_shown then touched_before_numerator end', 'touched_before_denominator') }} as before_rate,
    cast(case when is_before_after_shown then touched_after_numerator end as decimal(18, 6)) as after_numerator,
    cast(case when is_before_after_shown then touched_after_denominator end as decimal(18, 6)) as after_denominator,
    {{ safe_divide('case when is_before_after_shown then touched_after_numerator end', 'touched_after_denominator') }} as after_rate,
    {{ safe_divide('case when effect is not null then untouched_before_numerator end', 'untouched_before_denominator') }}
        as comparison_before_rate,
    {{ safe_divide('case when effect is not null then untouched_after_numerator end', 'untouched_after_denominator') }}
        as comparison_after_rate,
    cast(case when effect is not null then touched_change end as decimal(12, 6)) as mean_change,
    cast(case when effect is not null then untouched_change end as decimal(12, 6)) as comparison_mean_change,
    cast(effect as decimal(12, 6)) as effect,
    cast(effect_low as decimal(12, 6)) as ci_low,
    cast(effect_high as decimal(12, 6)) as ci_high,
    case
        when effect is null then coalesce(verdict_without_numbers, 'NOT_ENOUGH_DATA')
        when least(wanted_sign * effect_low, wanted_sign * effect_high) > 0 then 'IMPROVED'
        when greatest(wanted_sign * effect_low, wanted_sign * effect_high) < 0 then 'WORSE'
        else 'NO_CHANGE'
    end as verdict,
    case
        when effect is null then 'not_enough_data'
        when least(n_touched, n_untouched) < normal_group_n then 'small_group'
        else 'ok'
    end as status,
    what_is_missing
from decided
