-- Did following up help? Attendance of persistently absent students before and after, those who were followed up against those who were
-- not. Nobody drew lots who would be followed up: an association.
with setting as (
    select
        least_group_n,
        normal_group_n
    from {{ source('documents', 'improvement_setting') }}
),

students as (
    select *
    from {{ ref('int_improvement__follow_up_student') }}
),

reported as (
    select count(*) > 0 as is_reported
    from {{ ref('input__ci_follow_up') }}
),

-- All follow-ups together, and each kind of the first of them.
kinds as (
    select 'ALL' as kind

    union

    select distinct kind
    from students
    where kind is not null
),

grouped as (
    select
        contracts.contract_id,
        kinds.kind as follow_up_kind,
        students.student_id,
        students.is_followed_up,
        students.before_numerator,
        students.before_denominator,
        students.after_numerator,
        students.after_denominator,
        students.change
    from {{ ref('int_payment__contract') }} as contracts
    cross join kinds
    left join students
        on
            contracts.contract_id = students.contract_id
            and (kinds.kind = 'ALL' or not students.is_followed_up or students.kind = kinds.kind)
),

compared as (
    select
        contract_id,
        follow_up_kind,
        count(case when is_followed_up then student_id end) as n_followed,
        count(case when not is_followed_up then student_id end) as n_others,
        {%- for group, condition in {'followed': 'is_followed_up', 'others': 'not is_followed_up'}.items() %}
        {%- for sum in ['before_numerator', 'before_denominator', 'after_numerator', 'after_denominator'] %}
        sum(case when {{ condition }} then {{ sum }} end) as {{ group }}_{{ sum }},
        {%- endfor %}
        avg(case when {{ condition }} then change end) as {{ group }}_change,
        coalesce(var_samp(case when {{ condition }} then change end), 0) as {{ group }}_variance
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from grouped
    group by contract_id, follow_up_kind
),

judged as (
    select
        compared.*,
        case
            when not reported.is_reported then 'No follow-up was sent: what was done is not known.'
            when compared.n_followed < setting.least_group_n
                then
                    'Fewer than ' || cast(setting.least_group_n as varchar)
                    || ' students were followed up and have sessions long enough before and after.'
            when compared.n_others < setting.least_group_n
                then
                    'Fewer than ' || cast(setting.least_group_n as varchar)
                    || ' students were not followed up and have sessions long enough before and after.'
        end as what_is_missing,
        {{ group_status('least(compared.n_followed, compared.n_others)', 'setting.least_group_n', 'setting.normal_group_n') }}
            as size_status
    from compared
    cross join setting
    cross join reported
),

estimated as (
    select
        judged.*,
        case when what_is_missing is null then followed_change - others_change end as effect,
        case
            when what_is_missing is null then {{ welch_reach('followed_variance', 'n_followed', 'others_variance', 'n_others') }}
        end as reach
    from judged
)

select
    contract_id,
    follow_up_kind,
    cast(n_followed as integer) as n_students,
    cast(n_others as integer) as n_comparison_students,
    cast(case when effect is not null then followed_before_numerator end as integer) as before_numerator,
    cast(case when effect is not null then followed_before_denominator end as integer) as before_denominator,
    {{ safe_divide('case when effect is not null then followed_before_numerator end', 'followed_before_denominator') }} as before_rate,
    cast(case when effect is not null then followed_after_numerator end as integer) as after_numerator,
    cast(case when effect is not null then followed_after_denominator end as integer) as after_denominator,
    {{ safe_divide('case when effect is not null then followed_after_numerator end', 'followed_after_denominator') }} as after_rate,
    {{ safe_divide('case when effect is not null then others_before_numerator end', 'others_before_denominator') }}
        as comparison_before_rate,
    {{ safe_divide('case when effect is not null then others_after_numerator end', 'others_after_denominator') }}
        as comparison_after_rate,
    cast(case when effect is not null then followed_change end as decimal(12, 6)) as mean_change,
    cast(case when effect is not null then others_change end as decimal(12, 6)) as comparison_mean_change,
    cast(effect as decimal(12, 6)) as effect,
    cast(effect - reach as decimal(12, 6)) as ci_low,
    cast(effect + reach as decimal(12, 6)) as ci_high,
    case
        when effect is null then 'NOT_ENOUGH_DATA'
        when effect - reach > 0 then 'IMPROVED'
        when effect + reach < 0 then 'WORSE'
        else 'NO_CHANGE'
    end as verdict,
    'association' as label,
    case when effect is null then 'not_enough_data' else size_status end as status,
    what_is_missing
from estimated
