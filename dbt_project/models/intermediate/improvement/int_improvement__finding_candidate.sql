-- Everything that could be a finding: of each question the mart's rows with status ok, as an estimate whose zero means nothing to tell, its
-- 95 % interval, and one plain sentence with its numbers. Which of them is told is decided in rpt_finding.
with metric as (
    select
        coalesce(contract_id, '') as contract_id,
        metric_id,
        label
    from {{ ref('dim_metric') }}
),

growth as (
    select
        'growth_vs_expected' as question,
        contract_id,
        'improvement.rpt_growth_vs_expected' as mart,
        'contract_id=' || contract_id || ', line_id=' || line_id || ', population=' || population as row_key,
        cast(excess_rate as double) as estimate,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        n_students,
        contract_id || ', line ' || line_id || ': ' || {{ percent_words('rate') }} || ' of ' || cast(n_students as varchar)
        || ' tutored students met the outcome; of untutored students of earlier years with the same start '
        || {{ percent_words('expected_rate') }}
        || ' did: ' || {{ points_words('excess_rate') }} || ' points ' || case when excess_rate > 0 then 'more' else 'fewer' end
        || {{ interval_words('ci_low', 'ci_high') }} || '.' as sentence,
        'compared with history' as label
    from {{ ref('rpt_growth_vs_expected') }}
    where
        status = 'ok'
        and population = 'all_measured'
),

-- Gaps between groups: which results, and which process metrics answer a question of their own.
gap as (
    select
        case
            when subgroup.measure_kind = 'PAYMENT' then 'outcome_gap'
            when subgroup.metric_id = 'skip_in_school' then 'skipping'
            when subgroup.metric_id = 'same_tutor' then 'same_tutor'
            when subgroup.metric_id = 'provider_loss' then 'provider_loss'
            else 'attendance_gap'
        end as question,
        subgroup.contract_id,
        'improvement.agg_outcome_subgroup' as mart,
        'contract_id=' || subgroup.contract_id || ', measure=' || subgroup.measure || ', dimension=' || subgroup.dimension
        || ', category=' || subgroup.category as row_key,
        cast(subgroup.gap_rate as double) as estimate,
        cast(subgroup.gap_low as double) as ci_low,
        cast(subgroup.gap_high as double) as ci_high,
        subgroup.n_students,
        subgroup.contract_id || ', ' || lower(metric.label) || ': ' || {{ percent_words('subgroup.rate') }} || ' for '
        || replace(subgroup.dimension, '_', ' ') || ' ' || subgroup.category || ' (' || cast(subgroup.n_students as varchar)
        || ' students), '
        || {{ percent_words('subgroup.rate - subgroup.gap_rate') }} || ' for the other ' || cast(subgroup.n_rest as varchar) || ': '
        || {{ points_words('subgroup.gap_rate') }} || ' points ' || case when subgroup.gap_rate > 0 then 'more' else 'less' end
        || {{ interval_words('subgroup.gap_low', 'subgroup.gap_high') }} || '.' as sentence,
        'association' as label
    from {{ ref('agg_outcome_subgroup') }} as subgroup
    inner join metric
        on
            subgroup.metric_id = metric.metric_id
            and metric.contract_id in ('', subgroup.contract_id)
    where
        subgroup.status = 'ok'
        and subgroup.gap_rate is not null
        and subgroup.dimension <> 'all'
        and subgroup.category <> 'unknown'
        -- Bands of attendance and starting points differ in attendance and results by what they are.
        and subgroup.dimension not in ('school_attendance_band', 'baseline_band')
        and (
            subgroup.measure_kind = 'PAYMENT'
            or subgroup.metric_id in ('skip_in_school', 'same_tutor', 'provider_loss', 'tutoring_attendance')
        )
),

driver as (
    select
        *,
        row_number() over (
            partition by contract_id, metric_id, comparison
            order by abs(effect) desc, dimension, category asc
        ) as preference
    from {{ ref('rpt_metric_drivers') }}
    where
        status = 'ok'
        and effect_rank = 1
        and dimension in ('school', 'provider', 'time_slot')
        and category <> 'unknown'
),

change as (
    select
        'change' as question,
        contract_id,
        'improvement.rpt_metric_drivers' as mart,
        'contract_id=' || coalesce(contract_id, 'NULL') || ', metric_id=' || metric_id || ', comparison=' || comparison || ', dimension='
        || dimension || ', category=' || category as row_key,
        cast(whole_rate_effect as double) as estimate,
        cast(whole_rate_effect_low as double) as ci_low,
        cast(whole_rate_effect_high as double) as ci_high,
        n_students,
        coalesce(contract_id, 'All contracts') || ', ' || lower(metric_label) || ': ' || {{ percent_words('whole_previous_rate') }}
        || ' from ' || cast(previous_from_on as varchar) || ' to ' || cast(previous_to_on as varchar) || ', '
        || {{ percent_words('whole_current_rate') }} || ' from ' || cast(current_from_on as varchar) || ' to '
        || cast(current_to_on as varchar) || '; rates, not mix, account for ' || {{ signed_points_words('whole_rate_effect') }}
        || ' points' || {{ interval_words('whole_rate_effect_low', 'whole_rate_effect_high') }} || ', '
        || replace(dimension, '_', ' ') || ' ' || category || ' alone for ' || {{ signed_points_words('effect') }}
        || ' (' || cast(n_students as varchar) || ' students).' as sentence,
        'arithmetic of a change' as label
    from driver
    where preference = 1
),

action as (
    select
        'action' as question,
        contract_id,
        'improvement.fct_ci_action' as mart,
        'action_id=' || action_id as row_key,
        cast(effect as double) as estimate,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        n_students,
        'Action ' || action_id || ' (' || coalesce(action_text, 'no text') || '): ' || lower(metric_label) || ' of the '
        || cast(n_students as varchar)
        || ' students it was for went from ' || {{ percent_words('before_rate') }} || ' to ' || {{ percent_words('after_rate') }}
        || ', ' || {{ signed_points_words('effect') }} || ' points beside ' || cast(n_comparison_students as varchar)
        || ' students it was not for' || {{ interval_words('ci_low', 'ci_high') }} || ': '
        || replace(lower(verdict), '_', ' ') || '.' as sentence,
        'association' as label
    from {{ ref('fct_ci_action') }}
    where status = 'ok'
),

dose as (
    select
        'dose_response' as question,
        contract_id,
        'improvement.rpt_dose_response' as mart,
        'contract_id=' || contract_id || ', line_id=' || line_id || ', measure=' || measure || ', bin_number=0' as row_key,
        cast(adjusted_trend_per_tenth as double) as estimate,
        cast(adjusted_trend_ci_low as double) as ci_low,
        cast(adjusted_trend_ci_high as double) as ci_high,
        n_students,
        contract_id || ', line ' || line_id || ': a tenth more of the dosage asked for goes with ' || case
            when measure = 'share_met'
                then
                    {{ signed_points_words('adjusted_trend_per_tenth') }} || ' points of students who met the outcome'
                    || {{ interval_words('adjusted_trend_ci_low', 'adjusted_trend_ci_high') }}
            else
                {{ number_words('adjusted_trend_per_tenth') }} || ' of growth index (95 % interval '
                || {{ number_words('adjusted_trend_ci_low') }} || ' to ' || {{ number_words('adjusted_trend_ci_high') }} || ')'
        end
        || ' at equal school attendance, ' || cast(n_students as varchar) || ' students; not causal.' as sentence,
        label
    from {{ ref('rpt_dose_response') }}
    where
        status = 'ok'
        and bin_number = 0
        and adjusted_trend_per_tenth is not null
),

sel as (
    select
        'sel' as question,
        contract_id,
        'improvement.rpt_sel_association' as mart,
        'contract_id=' || contract_id || ', construct=' || construct || ', factor=' || factor as row_key,
        cast(spearman_rho as double) as estimate,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        n_students,
        contract_id || ': what students say of their ' || construct || ' goes with ' || replace(factor, '_', ' ') || ', rank correlation '
        || {{ number_words('spearman_rho') }} || ' (95 % interval ' || {{ number_words('ci_low') }} || ' to '
        || {{ number_words('ci_high') }} || ', ' || cast(n_students as varchar) || ' students, '
        || {{ percent_words('response_rate') }} || ' of sessions answered); an association.'
            as sentence,
        label
    from {{ ref('rpt_sel_association') }}
    where status = 'ok'
),

engagement as (
    select
        'engagement' as question,
        contract_id,
        'improvement.rpt_engagement_outcome' as mart,
        'contract_id=' || contract_id || ', construct=' || construct || ', factor=' || factor
        || ', lag_weeks=' || coalesce(cast(lag_weeks as varchar), 'NULL') as row_key,
        cast(spearman_rho as double) as estimate,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        n_students,
        contract_id || ': ' || construct || ' goes with ' || replace(factor, '_', ' ')
        || case
            when lag_weeks is null then ''
            when lag_weeks = 1 then ' of the next week'
            else ' of the next ' || cast(lag_weeks as varchar) || ' weeks'
        end || ', rank correlation '
        || {{ number_words('spearman_rho') }} || ' (95 % interval ' || {{ number_words('ci_low') }} || ' to '
        || {{ number_words('ci_high') }} || ', ' || cast(n_students as varchar) || ' students, '
        || {{ percent_words('response_rate') }} || ' of sessions answered); an association.'
            as sentence,
        label
    from {{ ref('rpt_engagement_outcome') }}
    where status = 'ok'
),

external_factor as (
    select
        'external_factor' as question,
        contract_id,
        'improvement.rpt_external_factor' as mart,
        'contract_id=' || contract_id || ', metric_id=' || metric_id || ', factor_id=' || factor_id || ', lag_weeks='
        || cast(lag_weeks as varchar)
            as row_key,
        cast(correlation as double) as estimate,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        n_students,
        contract_id || ', ' || lower(metric_label) || ' goes with ' || lower(factor)
        || case
            when lag_weeks = 0 then ' of the same week'
            when lag_weeks = 1 then ' of the week before'
            else ' of ' || cast(lag_weeks as varchar) || ' weeks before'
        end
        || ', correlation ' || {{ number_words('correlation') }} || ' (95 % interval ' || {{ number_words('ci_low') }} || ' to '
        || {{ number_words('ci_high') }} || ', ' || cast(n_weeks as varchar) || ' weeks); an association.' as sentence,
        label
    from {{ ref('rpt_external_factor') }}
    where status = 'ok'
),

vendor as (
    select
        'vendors' as question,
        contract_a as contract_id,
        'improvement.rpt_vendor_comparison' as mart,
        'contract_a=' || contract_a || ', line_a=' || line_a || ', contract_b=' || contract_b || ', line_b=' || line_b
        || ', measure=' || measure as row_key,
        cast(difference as double) as estimate,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        n_students_a + n_students_b as n_students,
        provider_name_a || ' and ' || provider_name_b || ', ' || lower(outcome_name) || ': ' || case
            when measure = 'excess_rate'
                then
                    {{ signed_points_words('value_a') }}
                    || ' and '
                    || {{ signed_points_words('value_b') }}
                    || ' points over history, a difference of '
                    || {{ signed_points_words('difference') }} || {{ interval_words('ci_low', 'ci_high') }}
            else
                'matched effects of ' || {{ number_words('value_a') }} || ' and ' || {{ number_words('value_b') }}
                || ' standard deviations, a difference of ' || {{ number_words('difference') }} || ' (95 % interval '
                || {{ number_words('ci_low') }} || ' to ' || {{ number_words('ci_high') }} || ')'
        end || '.' as sentence,
        'compared on what is left after their students are allowed for' as label
    from {{ ref('rpt_vendor_comparison') }}
    where status = 'ok'
),

proficiency as (
    select
        'growth_by_proficiency' as question,
        contract_id,
        'improvement.rpt_growth_by_proficiency' as mart,
        'contract_id=' || contract_id || ', line_id=' || line_id as row_key,
        cast(gap_rate as double) as estimate,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        n_students,
        contract_id || ', line ' || line_id || ': of students who met growth ' || {{ percent_words('proficient_rate_growth_met') }}
        || ' are proficient, of those who did not ' || {{ percent_words('proficient_rate_growth_not_met') }} || ': '
        || {{ signed_points_words('gap_rate') }} || ' points' || {{ interval_words('ci_low', 'ci_high') }} || '.' as sentence,
        'association' as label
    from {{ ref('rpt_growth_by_proficiency') }}
    where
        status = 'ok'
        and gap_rate is not null
),

follow_up as (
    select
        'follow_up' as question,
        contract_id,
        'improvement.rpt_follow_up_effect' as mart,
        'contract_id=' || contract_id || ', follow_up_kind=' || follow_up_kind as row_key,
        cast(effect as double) as estimate,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        n_students,
        contract_id || ': ' || cast(n_students as varchar) || ' persistently absent students who were followed up went from '
        || {{ percent_words('before_rate') }} || ' to ' || {{ percent_words('after_rate') }} || ' of their sessions, '
        || {{ signed_points_words('effect') }} || ' points beside those who were not' || {{ interval_words('ci_low', 'ci_high') }}
        || '; an association.' as sentence,
        label
    from {{ ref('rpt_follow_up_effect') }}
    where status = 'ok'
),

school_attendance as (
    select
        'school_attendance' as question,
        contract_id,
        'improvement.rpt_school_attendance' as mart,
        'contract_id=' || contract_id || ', school_id=' || coalesce(school_id, 'NULL') as row_key,
        cast(attendance_gap_rate as double) as estimate,
        cast(attendance_gap_low as double) as ci_low,
        cast(attendance_gap_high as double) as ci_high,
        n_students,
        contract_id || coalesce(', school ' || school_id, '') || ': of the same sessions ' || cast(n_students as varchar)
        || ' students were in school for ' || {{ percent_words('school_attendance_rate') }} || ' and came to '
        || {{ percent_words('tutoring_attendance_rate') }} || ': a gap of ' || {{ signed_points_words('attendance_gap_rate') }} || ' points'
        || {{ interval_words('attendance_gap_low', 'attendance_gap_high') }} || '.' as sentence,
        label
    from {{ ref('rpt_school_attendance') }}
    where status = 'ok'
),

-- A verdict is a rule's, not an estimate's: it has no interval of its own. Of several contracts the one that most needs a decision.
advice as (
    select
        *,
        row_number() over (
            order by case verdict when 'STOP_REVIEW' then 1 when 'CHANGE' then 2 else 3 end, contract_id
        ) as preference
    from {{ ref('agg_roi') }}
    where
        status = 'ok'
        and measure = 'index_against_plan'
        and verdict in ('SCALE', 'CHANGE', 'STOP_REVIEW')
),

verdict as (
    select
        'roi' as question,
        contract_id,
        'roi.agg_roi' as mart,
        'roi_type=ROIci, contract_id=' || contract_id || ', measure=index_against_plan' as row_key,
        cast(null as double) as estimate,
        cast(null as double) as ci_low,
        cast(null as double) as ci_high,
        n_students,
        contract_id || ', ROIci: ' || replace(lower(verdict), '_', ' ') || '. ' || note
        || ' A leading indicator, not evidence of impact.' as sentence,
        label
    from advice
    where preference = 1
)

{% for candidate in [
    'growth', 'gap', 'change', 'action', 'dose', 'sel', 'engagement', 'external_factor', 'vendor', 'proficiency', 'follow_up',
    'school_attendance', 'verdict'
] %}
select
    question,
    contract_id,
    mart,
    row_key,
    estimate,
    ci_low,
    ci_high,
    {{ candidate in ['sel', 'engagement', 'external_factor'] }} as is_correlation,
    n_students,
    sentence,
    label
from {{ candidate }}
{% if not loop.last %}union all{% endif %}
{%- endfor %}
