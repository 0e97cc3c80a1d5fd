-- What each priced outcome of each student is worth so far, and why. The rule itself is int_payment__decision; here it is put into words.
with decision as (
    select * from {{ ref('int_payment__decision') }}
    where coalesce(price_unit, 'PER_STUDENT_OUTCOME') <> 'COHORT_THRESHOLD'
),

blocked as (
    select
        contract_id,
        min(reason) as block_reason
    from {{ source('intake', 'contract_block') }}
    group by contract_id
),

worded as (
    select
        decision.*,
        blocked.contract_id is not null as is_blocked,
        {{ plain_number('dosage_numerator') }} || ' of ' || {{ plain_number('dosage_required') }} || ' required '
        || case when dosage_unit = 'MINUTES' then 'minutes' else 'sessions' end
        || ' (' || {{ plain_number('dosage_attended') }} || ' attended, ' || {{ plain_number('dosage_credited') }} || ' credited; '
        || cast(dosage_min_rate_numerator as varchar) || '/' || cast(dosage_min_rate_denominator as varchar) || ' needed)' as dosage_words,
        metric || ' ' || {{ plain_number('metric_value') }} as metric_words
    from decision
    left join blocked
        on decision.contract_id = blocked.contract_id
),

student_row as (
    select
        {{ surrogate_key(['contract_id', 'line_id', 'student_ref', 'period']) }} as payment_decision_key,
        contract_id,
        contract_version,
        line_id,
        period,
        student_key,
        student_id,
        school_id,
        provider_id,
        outcome_class,
        decision,
        reason_code,
        case reason_code
            when 'NOT_ON_ROSTER' then 'Not on the roster for this line.'
            when 'NOT_ASSIGNED_IN_PERIOD'
                then
                    'Assigned from ' || cast(first_start_on as varchar) || coalesce(' to ' || cast(end_on as varchar), '')
                    || ': no day of the line''s service period.'
            when 'LEFT_ROSTER'
                then
                    'Left the roster on ' || cast(end_on as varchar) || ' (' || end_reason || '), before the ' || end_window
                    || ' test; the contract excludes this reason.'
            when 'UNKNOWN_STUDENT' then 'The roster''s student id is not known to the district''s student list.'
            when 'OPEN_DISPUTE' then 'A dispute is open.'
            when 'OVERLAP_WITHOUT_SHARES'
                then
                    'Another contract of the same subject claims this student from ' || cast(overlaps_from as varchar)
                    || case
                        when is_share_not_stated then '; the vendors'' shares are not stated.'
                        else '; the vendors'' shares add up to ' || {{ plain_number('share_sum') }} || '.'
                    end
            when 'TWO_GROWTH_EVENTS' then 'Two tests of one window are marked as the growth event, or one test has two scores.'
            when 'WINDOW_OPEN' then 'The ' || end_window || ' window closes on ' || cast(end_closes_on as varchar) || '.'
            when 'NO_SESSION_DATA' then 'No session log of this contract has come, so the dose is not known.'
            when 'UNKNOWN_ABSENCE_CAUSE'
                then
                    cast(unknown_cause_sessions as varchar) || ' missed sessions have no known cause; data are due on '
                    || cast(data_due_on as varchar) || '.'
            when
                'AWAITING_RESULTS'
                then 'No valid result yet (' || measure_reason || '); data are due on ' || cast(data_due_on as varchar) || '.'
            when 'PROVIDER_IN_CURE'
                then
                    'Provider obligation not met ('
                    || coalesce(provider_breach, '')
                    || '); it may be mended until '
                    || cast(cure_ends_on as varchar)
                    || '.'
            when 'BOTH_DEFAULT'
                then
                    'Both parties failed: provider ' || coalesce(provider_breach, 'did not give the test') || ', district '
                    || coalesce(district_breach, 'did not give the test') || '. The contract leaves it to people.'
            when 'BOTH_DEFAULT_PROVIDER_LOSES'
                then
                    'Both parties failed: provider ' || coalesce(provider_breach, 'did not give the test') || ', district '
                    || coalesce(district_breach, 'did not give the test') || '. The contract then pays nothing.'
            when 'BOTH_DEFAULT_SPLIT'
                then
                    'Both parties failed: provider ' || coalesce(provider_breach, 'did not give the test') || ', district '
                    || coalesce(district_breach, 'did not give the test') || '. The contract then pays half of the district''s default.'
            when 'TEST_MISSED_BY_PROVIDER' then 'A ruling says the provider did not give the test (' || measure_reason || ').'
            when 'PROVIDER_OBLIGATION_BREACHED'
                then
                    'Provider obligation breached: ' || coalesce(provider_breach, '') || coalesce('. Outcome: ' || metric_words, '') || '.'
            when 'EARNED_ABOVE_DEFAULT'
                then
                    metric_words || ' reached ' || {{ plain_number('threshold_value') }} || ' (tier ' || cast(tier as varchar)
                    || '), which is more than the district''s default of ' || cast(default_amount as varchar) || '.'
            when 'DISTRICT_OBLIGATION_BREACHED'
                then
                    'District obligation breached: '
                    || coalesce(district_breach, 'a ruling says the district did not give the test')
                    || '. '
                    || {{ plain_number('district_default_share') }} || ' of the top price is paid.'
            when 'DOSAGE_UNKNOWN' then 'The dose cannot be judged (' || lower(replace(dosage_status, '_', ' ')) || ').'
            when 'DOSAGE_BELOW_MINIMUM'
                then
                    'Dose below the minimum: ' || dosage_words
                    || case
                        when
                            conflict_sessions > 0
                            then '; ' || cast(conflict_sessions as varchar) || ' sessions conflict with school attendance'
                        else ''
                    end
                    || case when late_sessions > 0 then '; ' || cast(late_sessions as varchar) || ' came after the due date' else '' end
                    || case
                        when
                            unknown_cause_sessions > 0
                            then '; ' || cast(unknown_cause_sessions as varchar) || ' missed for an unknown cause'
                        else ''
                    end
                    || '.'
            when 'TEST_INVALID' then 'A test of the pair cannot be used (' || measure_reason || ').'
            when 'TEST_MISSING' then 'No valid result (' || coalesce(measure_reason, 'NO_TEST') || ') and no ruling that a party caused it.'
            when 'TIER_REACHED'
                then
                    metric_words || ' reached ' || {{ plain_number('threshold_value') }} || ' (tier ' || cast(tier as varchar) || ')'
                    || coalesce('; dose ' || dosage_words, '') || '.'
            when 'BELOW_PENALTY_THRESHOLD'
                then
                    metric_words || ' is below ' || {{ plain_number('threshold_value') }} || ': the penalty applies'
                    || coalesce('; dose ' || dosage_words, '') || '.'
            when 'BELOW_THRESHOLD'
                then
                    metric_words
                    || ' did not reach '
                    || {{ plain_number('threshold_value') }}
                    || coalesce('; dose ' || dosage_words, '')
                    || '.'
            when 'REQUIRED_LINE_DOES_NOT_PAY'
                then
                    coalesce(metric_words || ' would pay, but t', 'T')
                    || 'he line '
                    || requires_line
                    || ', which this line requires, does not pay.'
            when 'EXCLUDED_BY_OTHER_LINE'
                then
                    coalesce(metric_words || ' would pay, but t', 'T')
                    || 'he line '
                    || excludes_line
                    || ', which excludes this line, pays already.'
            when 'OTHER_LINE_OPEN' then
                'The line '
                || coalesce(requires_line, excludes_line)
                || coalesce(' or ' || case when requires_line is not null then excludes_line end, '')
                || ', on which this line depends, is not decided yet.'
        end as reason,
        case reason_code
            when 'UNKNOWN_STUDENT' then 'Corrected roster or student list (OneRoster) with this student id.'
            when 'OPEN_DISPUTE' then 'Ruling DISPUTE with key ' || line_id || ' (or blank, as the open one has it) and value RESOLVED.'
            when
                'OVERLAP_WITHOUT_SHARES'
                then
                    'Roster with vendor shares that add up to at most 1, or ruling OVERLAP without key and with this contract''s '
                    || 'share as value.'
            when 'TWO_GROWTH_EVENTS' then 'Corrected test export, or ruling DISPUTE with key COUNTED_TEST and the test id as value.'
            when 'WINDOW_OPEN' then 'Close of the ' || end_window || ' window on ' || cast(end_closes_on as varchar) || '.'
            when 'NO_SESSION_DATA' then 'Session log of the provider.'
            when
                'UNKNOWN_ABSENCE_CAUSE'
                then
                    'Ruling ABSENCE_CAUSE with the session id as key, for each, or the data-due date '
                    || cast(data_due_on as varchar)
                    || '.'
            when
                'AWAITING_RESULTS'
                then
                    'Test results, or ruling MISSING_TEST_CAUSE with key '
                    || end_window
                    || ', or the data-due date '
                    || cast(data_due_on as varchar)
                    || '.'
            when 'PROVIDER_IN_CURE'
                then
                    'End of the cure period on '
                    || cast(cure_ends_on as varchar)
                    || ', or ruling OBLIGATION_EVIDENCE with key '
                    || coalesce(split_part(provider_breach, ' ', 1), 'of the obligation')
                    || ' and value MET.'
            when 'BOTH_DEFAULT'
                then
                    'Ruling OBLIGATION_EVIDENCE with key '
                    || coalesce(split_part(provider_breach, ' ', 1), split_part(district_breach, ' ', 1), 'of the obligation')
                    || ', or MISSING_TEST_CAUSE with key ' || end_window || ', on one of the two parties.'
            when 'OTHER_LINE_OPEN'
                then
                    'What resolves the line ' || coalesce(requires_line, excludes_line)
                    || coalesce(' or ' || case when requires_line is not null then excludes_line end, '') || ' for this student.'
            when 'DOSAGE_UNKNOWN' then 'Session log or contract terms that say what dose is required.'
            when 'DOSAGE_BELOW_MINIMUM'
                then
                    case
                        when conflict_sessions > 0 then 'Ruling ATTENDANCE_CONFLICT with the session id as key, for each.'
                        when late_sessions > 0 then 'Ruling LATE_CHANGE with the session id as key (or blank for all) and value ACCEPTED.'
                        when unknown_cause_sessions > 0 then 'Ruling ABSENCE_CAUSE with the session id as key, for each.'
                    end
            when
                'TEST_MISSING'
                then 'Ruling MISSING_TEST_CAUSE with key ' || end_window || ' and value DISTRICT, PROVIDER, STUDENT or NONE.'
        end as resolves_by,
        is_attendance_met,
        is_provider_met,
        is_outcome_met,
        metric,
        metric_value,
        threshold_value,
        tier,
        vendor_share,
        maximum_amount,
        earned_amount,
        -- What is still to be won or lost while a decision waits for somebody.
        case
            when left(decision, 5) = 'HELD_' or left(decision, 8) = 'PENDING_' then maximum_amount
            else cast(0 as decimal(18, 2))
        end as at_stake_amount,
        dosage_unit,
        dosage_basis,
        dosage_required,
        dosage_attended,
        dosage_credited,
        dosage_min_rate_numerator,
        dosage_min_rate_denominator,
        scheduled_sessions,
        attended_sessions,
        creditable_sessions,
        baseline_assessment_result_key,
        baseline_tested_on,
        end_assessment_result_key,
        end_tested_on,
        end_window,
        end_closes_on,
        data_due_on,
        roster_file_id,
        roster_row_number,
        is_blocked,
        {{ as_of_date() }} as as_of_date,
        coalesce(price_unit, 'PER_STUDENT_OUTCOME') as price_unit,
        metric_numerator,
        metric_denominator,
        uplift_multiplier
    from worded
),

-- What is owed for a cohort has no student: one row per contract, line and period.
cohort as (
    select
        cohort.*,
        blocked.contract_id is not null as is_blocked,
        cast(numerator as varchar) || ' of ' || cast(denominator as varchar) || ' students' as cohort_words
    from {{ ref('int_payment__cohort') }} as cohort
    left join blocked
        on cohort.contract_id = blocked.contract_id
),

cohort_row as (
    select
        {{ surrogate_key(['contract_id', 'line_id', "'~cohort~'", 'period']) }} as payment_decision_key,
        contract_id,
        contract_version,
        line_id,
        period,
        cast(null as varchar) as student_key,
        cast(null as varchar) as student_id,
        cast(null as varchar) as school_id,
        provider_id,
        outcome_class,
        decision,
        reason_code,
        case reason_code
            when 'NO_STUDENT_IN_SCOPE' then 'No student is on the roster for this line.'
            when 'COHORT_STUDENT_DISPUTED'
                then
                    cast(disputed_count as varchar) || ' of ' || cast(student_count as varchar) || ' students are held in dispute.'
            when 'COHORT_WINDOW_OPEN' then 'The ' || end_window || ' window closes on ' || cast(end_closes_on as varchar) || '.'
            when 'COHORT_STUDENT_OPEN'
                then
                    cast(pending_count as varchar) || ' of ' || cast(student_count as varchar) || ' students are not decided yet.'
            when 'COHORT_BOTH_DEFAULT'
                then
                    'For '
                    || cast(both_default_count as varchar)
                    || ' of '
                    || cast(student_count as varchar)
                    || ' students both parties failed.'
            when
                'COHORT_PROVIDER_FAILED'
                then 'The provider breached an obligation for all ' || cast(student_count as varchar) || ' students.'
            when 'COHORT_DISTRICT_DEFAULT'
                then
                    'A district obligation is breached for the contract: '
                    || {{ plain_number('district_default_share') }}
                    || ' of the top price is paid; '
                    || cohort_words || ' met the outcome.'
            when 'COHORT_NOT_MEASURED' then 'No student of the line was measured.'
            when 'COHORT_TIER_REACHED'
                then
                    cohort_words
                    || ' met the outcome, which reached '
                    || {{ plain_number('threshold_value') }}
                    || ' (tier '
                    || cast(tier as varchar)
                    || ').'
            when 'COHORT_BELOW_PENALTY_THRESHOLD'
                then
                    cohort_words || ' met the outcome, which is below ' || {{ plain_number('threshold_value') }} || ': the penalty applies.'
            when 'COHORT_BELOW_THRESHOLD' then
                cohort_words || ' met the outcome, which did not reach ' || {{ plain_number('threshold_value') }} || '.'
        end as reason,
        case reason_code
            when 'COHORT_STUDENT_DISPUTED'
                then
                    'Ruling DISPUTE with key '
                    || line_id
                    || ' and value RESOLVED, or ruling OVERLAP with this contract''s share as value, per student held.'
            when 'COHORT_WINDOW_OPEN' then 'Close of the ' || end_window || ' window on ' || cast(end_closes_on as varchar) || '.'
            when 'COHORT_STUDENT_OPEN'
                then
                    'Results and session logs of the open students, ruling ABSENCE_CAUSE per session, ruling MISSING_TEST_CAUSE with key '
                    || end_window
                    || ' per student, or the data-due date ' || cast(data_due_on as varchar) || '.'
            when 'COHORT_BOTH_DEFAULT'
                then
                    'Ruling OBLIGATION_EVIDENCE with the obligation''s id as key, or MISSING_TEST_CAUSE with key '
                    || end_window
                    || ', on one of the two parties.'
            when
                'COHORT_NOT_MEASURED'
                then 'Ruling MISSING_TEST_CAUSE with key ' || end_window || ' and value DISTRICT, PROVIDER, STUDENT or NONE.'
        end as resolves_by,
        cast(null as boolean) as is_attendance_met,
        case when reason_code = 'COHORT_PROVIDER_FAILED' then false end as is_provider_met,
        case when denominator > 0 and decision in ('EARNED', 'NOT_EARNED_OUTCOME', 'PENALTY') then tier is not null end as is_outcome_met,
        metric,
        case when decision in ('EARNED', 'NOT_EARNED_OUTCOME', 'PENALTY') then cast(met_share as decimal(18, 6)) end as metric_value,
        cast(threshold_value as decimal(18, 6)) as threshold_value,
        case when decision = 'EARNED' then tier end as tier,
        cast(null as decimal(9, 6)) as vendor_share,
        cast(maximum_price_amount as decimal(18, 2)) as maximum_amount,
        earned_amount,
        cast(case when left(decision, 5) = 'HELD_' or left(decision, 8) = 'PENDING_' then maximum_price_amount else 0 end as decimal(18, 2))
            as at_stake_amount,
        cast(null as varchar) as dosage_unit,
        cast(null as varchar) as dosage_basis,
        cast(null as decimal(18, 2)) as dosage_required,
        cast(null as decimal(18, 2)) as dosage_attended,
        cast(null as decimal(18, 2)) as dosage_credited,
        cast(null as bigint) as dosage_min_rate_numerator,
        cast(null as bigint) as dosage_min_rate_denominator,
        cast(null as bigint) as scheduled_sessions,
        cast(null as bigint) as attended_sessions,
        cast(null as bigint) as creditable_sessions,
        cast(null as varchar) as baseline_assessment_result_key,
        cast(null as date) as baseline_tested_on,
        cast(null as varchar) as end_assessment_result_key,
        cast(null as date) as end_tested_on,
        end_window,
        end_closes_on,
        data_due_on,
        cast(null as varchar) as roster_file_id,
        cast(null as bigint) as roster_row_number,
        is_blocked,
        {{ as_of_date() }} as as_of_date,
        price_unit,
        cast(numerator as decimal(18, 6)) as metric_numerator,
        cast(denominator as decimal(18, 0)) as metric_denominator,
        cast(1 as decimal(6, 4)) as uplift_multiplier
    from cohort
)

select * from student_row
union all
select * from cohort_row
