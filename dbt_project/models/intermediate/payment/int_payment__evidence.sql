-- One row per contract, rate-card line and student of the contract: everything the payment decision looks at, side by side, decided by
-- nothing.
-- A dispute is open on the student or the whole contract, for one line or all.
with dispute as (
    select distinct
        assignment.contract_id,
        assignment.line_id,
        assignment.student_ref
    from {{ ref('int_payment__assignment') }} as assignment
    inner join {{ ref('int_payment__ruling') }} as ruling
        on
            ruling.subject = 'DISPUTE'
            and ruling.value = 'OPEN'
            and assignment.contract_id = ruling.contract_id
            and (ruling.student_key is null or assignment.student_key = ruling.student_key)
            and (ruling.key is null or assignment.line_id = ruling.key)
)

select
    assignment.contract_id,
    assignment.contract_version,
    assignment.line_id,
    line.period,
    assignment.student_ref,
    assignment.student_key,
    assignment.student_id,
    assignment.school_id,
    line.provider_id,
    line.outcome_class,
    line.price_unit,
    line.requires_line,
    line.excludes_line,
    line.metric,
    line.end_window,
    line.end_closes_on,
    line.data_due_on,
    line.both_default_rule,
    line.district_default_share,
    assignment.is_on_roster,
    assignment.assignment_days,
    assignment.first_start_on,
    assignment.end_on,
    assignment.end_reason,
    assignment.has_left_before_window
    or (assignment.has_left_before_close and coalesce(outcome.end_status, 'MISSING') <> 'COUNTED') as is_excluded,
    assignment.vendor_share,
    assignment.roster_file_id,
    assignment.roster_row_number,
    dispute.contract_id is not null as is_disputed,
    overlap.contract_id is not null as is_overlapping,
    overlap.overlaps_from,
    overlap.is_share_not_stated,
    overlap.share_sum,
    dosage.dosage_unit,
    dosage.dosage_basis,
    dosage.dosage_attended,
    dosage.dosage_credited,
    dosage.dosage_numerator,
    dosage.dosage_required,
    dosage.dosage_min_rate_numerator,
    dosage.dosage_min_rate_denominator,
    dosage.dosage_status,
    dosage.scheduled_sessions,
    dosage.attended_sessions,
    dosage.creditable_sessions,
    dosage.unknown_cause_sessions,
    dosage.conflict_sessions,
    dosage.late_sessions,
    dosage.is_attendance_met,
    attribution.is_provider_fail,
    attribution.is_test_missed_by_provider,
    attribution.is_provider_in_cure,
    attribution.cure_ends_on,
    attribution.provider_breach,
    attribution.is_district_fail,
    attribution.district_breach,
    attribution.is_provider_met,
    outcome.measure_status,
    outcome.measure_reason,
    outcome.baseline_assessment_result_key,
    outcome.baseline_tested_on,
    outcome.end_assessment_result_key,
    outcome.end_tested_on,
    outcome.metric_value,
    outcome.metric_numerator,
    outcome.metric_denominator,
    outcome.uplift_multiplier,
    outcome.threshold_value,
    outcome.tier,
    outcome.is_outcome_met,
    outcome.is_penalty,
    outcome.outcome_amount,
    outcome.penalty_amount,
    outcome.maximum_amount,
    outcome.default_amount,
    outcome.split_default_amount
from {{ ref('int_payment__assignment') }} as assignment
inner join {{ ref('int_payment__line') }} as line
    on
        assignment.contract_id = line.contract_id
        and assignment.line_id = line.line_id
left join dispute
    on
        assignment.contract_id = dispute.contract_id
        and assignment.line_id = dispute.line_id
        and assignment.student_ref = dispute.student_ref
left join {{ ref('int_payment__overlap') }} as overlap
    on
        assignment.contract_id = overlap.contract_id
        and assignment.student_key = overlap.student_key
left join {{ ref('int_payment__dosage') }} as dosage
    on
        assignment.contract_id = dosage.contract_id
        and assignment.line_id = dosage.line_id
        and assignment.student_ref = dosage.student_ref
left join {{ ref('int_payment__attribution') }} as attribution
    on
        assignment.contract_id = attribution.contract_id
        and assignment.line_id = attribution.line_id
        and assignment.student_ref = attribution.student_ref
left join {{ ref('int_payment__outcome') }} as outcome
    on
        assignment.contract_id = outcome.contract_id
        and assignment.line_id = outcome.line_id
        and assignment.student_ref = outcome.student_ref
