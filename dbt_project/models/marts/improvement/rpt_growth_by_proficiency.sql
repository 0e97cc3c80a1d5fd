-- Is proficiency carried by growth? Each growth line of a contract beside its state-test line: the four ways of meeting or missing both,
-- the students who became proficient since last spring, and how many stand so near a threshold that one test cannot tell.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

settings as (
    select
        least_group_n,
        normal_group_n
    from {{ source('documents', 'improvement_setting') }}
),

lines as (
    select * from {{ ref('int_improvement__outcome_line') }}
    where pair_key is not null
),

proficiency_lines as (
    select
        contract_id,
        min(line_id) as line_id
    from lines
    where metric = 'PROFICIENCY_LEVEL'
    group by contract_id
),

questions as (
    select
        growth.contract_id,
        growth.line_id,
        growth.provider_id,
        growth.subject,
        growth.school_year_end,
        growth.metric,
        growth.threshold,
        proficiency.line_id as proficiency_line_id,
        proficiency.pair_key as proficiency_pair_key,
        proficiency.threshold as proficiency_level
    from lines as growth
    left join proficiency_lines
        on growth.contract_id = proficiency_lines.contract_id
    left join lines as proficiency
        on
            proficiency_lines.contract_id = proficiency.contract_id
            and proficiency_lines.line_id = proficiency.line_id
    where growth.metric <> 'PROFICIENCY_LEVEL'
),

students as (
    select
        questions.contract_id,
        questions.line_id,
        student.student_id,
        growth.numerator as growth_met,
        proficiency.numerator as proficient,
        growth_noise.is_within_noise as is_growth_near,
        proficiency_noise.is_within_noise as is_proficiency_near,
        case
            when proficiency.numerator is not null then pairs.baseline_performance_level < questions.proficiency_level
        end as was_below
    from questions
    inner join {{ ref('int_improvement__student') }} as student
        on questions.contract_id = student.contract_id
    left join {{ ref('int_improvement__measured_student') }} as growth
        on
            questions.contract_id = growth.contract_id
            and questions.line_id = growth.line_id
            and student.student_id = growth.student_id
    left join {{ ref('int_improvement__measured_student') }} as proficiency
        on
            questions.contract_id = proficiency.contract_id
            and questions.proficiency_line_id = proficiency.line_id
            and student.student_id = proficiency.student_id
    left join {{ ref('int_improvement__growth_pair') }} as pairs
        on
            questions.proficiency_pair_key = pairs.pair_key
            and questions.school_year_end = pairs.school_year_end
            and student.student_key = pairs.student_key
    left join {{ ref('int_improvement__threshold_noise') }} as growth_noise
        on
            questions.contract_id = growth_noise.contract_id
            and questions.line_id = growth_noise.line_id
            and student.student_id = growth_noise.student_id
            and growth.numerator is not null
    left join {{ ref('int_improvement__threshold_noise') }} as proficiency_noise
        on
            questions.contract_id = proficiency_noise.contract_id
            and questions.proficiency_line_id = proficiency_noise.line_id
            and student.student_id = proficiency_noise.student_id
            and proficiency.numerator is not null
),

counted as (
    select
        contract_id,
        line_id,
        count(*) as n_assigned,
        count(growth_met) as n_growth,
        count(proficient) as n_proficiency,
        count(growth_met + proficient) as n_students,
        count(case when growth_met = 1 and proficient = 1 then 1 end) as met_and_proficient,
        count(case when growth_met = 1 and proficient = 0 then 1 end) as met_not_proficient,
        count(case when growth_met = 0 and proficient = 1 then 1 end) as not_met_and_proficient,
        count(case when growth_met = 0 and proficient = 0 then 1 end) as not_met_not_proficient,
        count(case when was_below then 1 end) as was_below,
        count(case when was_below and proficient = 1 then 1 end) as converted,
        count(case when was_below and growth_met = 1 then 1 end) as was_below_met,
        count(case when was_below and growth_met = 1 and proficient = 1 then 1 end) as converted_met,
        count(case when was_below and growth_met = 0 then 1 end) as was_below_not_met,
        count(case when was_below and growth_met = 0 and proficient = 1 then 1 end) as converted_not_met,
        count(is_growth_near) as growth_noise_known,
        count(case when is_growth_near then 1 end) as growth_near,
        count(is_proficiency_near) as proficiency_noise_known,
        count(case when is_proficiency_near then 1 end) as proficiency_near
    from students
    group by contract_id, line_id
),

judged as (
    select
        questions.*,
        counted.n_assigned,
        counted.n_growth,
        counted.n_proficiency,
        counted.n_students,
        counted.met_and_proficient,
        counted.met_not_proficient,
        counted.not_met_and_proficient,
        counted.not_met_not_proficient,
        counted.was_below,
        counted.converted,
        counted.was_below_met,
        counted.converted_met,
        counted.was_below_not_met,
        counted.converted_not_met,
        counted.growth_noise_known,
        counted.growth_near,
        counted.proficiency_noise_known,
        counted.proficiency_near,
        settings.least_group_n,
        {{ group_status('counted.n_students', 'settings.least_group_n', 'settings.normal_group_n') }} as status,
        coalesce(
            least(
                counted.met_and_proficient + counted.met_not_proficient,
                counted.not_met_and_proficient + counted.not_met_not_proficient
            ) >= settings.least_group_n,
            false
        ) as is_gap_shown,
        coalesce(counted.was_below >= settings.least_group_n, false) as is_converted_shown
    from questions
    cross join settings
    left join counted
        on
            questions.contract_id = counted.contract_id
            and questions.line_id = counted.line_id
)

select
    {{ surrogate_key(['judged.contract_id', 'line_id']) }} as growth_by_proficiency_key,
    judged.contract_id,
    line_id,
    proficiency_line_id,
    provider_id,
    subject,
    cast(school_year_end as integer) as school_year_end,
    metric,
    threshold,
    proficiency_level,
    cast(coalesce(n_assigned, 0) as integer) as n_assigned,
    cast(coalesce(n_growth, 0) as integer) as n_growth,
    cast(coalesce(n_proficiency, 0) as integer) as n_proficiency,
    cast(coalesce(n_students, 0) as integer) as n_students,
    {%- for column in ['met_and_proficient', 'met_not_proficient', 'not_met_and_proficient', 'not_met_not_proficient'] %}
    cast(case when status <> 'not_enough_data' then {{ column }} end as integer) as {{ column }},
    {%- endfor %}
    {%- set met = 'met_and_proficient + met_not_proficient' %}
    {%- set not_met = 'not_met_and_proficient + not_met_not_proficient' %}
    case when is_gap_shown then {{ safe_divide('met_and_proficient', '(' ~ met ~ ')') }} end as proficient_rate_growth_met,
    case when is_gap_shown then {{ safe_divide('not_met_and_proficient', '(' ~ not_met ~ ')') }} end as proficient_rate_growth_not_met,
    cast(
        case
            when is_gap_shown
                then
                    cast(met_and_proficient as double) / nullif({{ met }}, 0)
                    - cast(not_met_and_proficient as double) / nullif({{ not_met }}, 0)
        end as decimal(9, 6)
    ) as gap_rate,
    {%- for sign, bound in [('-', 'low'), ('+', 'high')] %}
    cast(
        case
            when is_gap_shown
                then
                    {{ newcombe_bound('met_and_proficient', '(' ~ met ~ ')', 'not_met_and_proficient', '(' ~ not_met ~ ')', sign) }}
        end as decimal(9, 6)
    ) as ci_{{ bound }},
    {%- endfor %}
    cast(case when is_converted_shown then converted end as integer) as converted_numerator,
    cast(case when is_converted_shown then was_below end as integer) as converted_denominator,
    case when is_converted_shown then {{ safe_divide('converted', 'was_below') }} end as converted_rate,
    cast(case when is_converted_shown then {{ wilson_bound('converted', 'was_below', '-') }} end as decimal(9, 6)) as converted_low,
    cast(case when is_converted_shown then {{ wilson_bound('converted', 'was_below', '+') }} end as decimal(9, 6)) as converted_high,
    cast(case when is_converted_shown then converted_met end as integer) as converted_growth_met_numerator,
    cast(case when is_converted_shown then was_below_met end as integer) as converted_growth_met_denominator,
    cast(case when is_converted_shown then converted_not_met end as integer) as converted_growth_not_met_numerator,
    cast(case when is_converted_shown then was_below_not_met end as integer) as converted_growth_not_met_denominator,
    cast(case when growth_noise_known >= least_group_n then growth_near end as integer) as growth_within_noise,
    cast(coalesce(growth_noise_known, 0) as integer) as growth_noise_known,
    cast(case when proficiency_noise_known >= least_group_n then proficiency_near end as integer) as proficiency_within_noise,
    cast(coalesce(proficiency_noise_known, 0) as integer) as proficiency_noise_known,
    status,
    case
        when status <> 'not_enough_data' then null
        when proficiency_line_id is null
            then 'The contract has no line on a state test, so nothing says which level counts as proficient.'
        when coalesce(n_growth, 0) < least_group_n
            then
                'Only ' || cast(coalesce(n_growth, 0) as varchar) || ' students have both growth tests; '
                || cast(least_group_n as varchar) || ' are needed.'
        else
            'Only ' || cast(n_students as varchar) || ' students have both growth and a state test result; '
            || cast(least_group_n as varchar) || ' are needed.'
    end as what_is_missing,
    blocked.contract_id is not null as is_source_flagged
from judged
left join blocked
    on judged.contract_id = blocked.contract_id
