-- Every test a rostered student took that could be the baseline or end test of a rate-card line, and why it was or was not chosen.
-- The rules are the publishers' own (domain §5.3): MAP Growth counts its flagged growth event; Star counts by place in the window;
-- a state test counts when scored. A contract may ask for the first or last valid test instead (retest_rule).
with needed as (
    select
        assignment.contract_id,
        assignment.contract_version,
        assignment.line_id,
        assignment.student_ref,
        assignment.student_key,
        'END' as test_role,
        line.instrument,
        line.school_year_end,
        line.end_window as window_id,
        line.end_opens_on as window_opens_on,
        line.end_closes_on as window_closes_on,
        line.retest_rule,
        line.norms_reference,
        line.rapid_guessing_max_share
    from {{ ref('int_payment__assignment') }} as assignment
    inner join {{ ref('int_payment__line') }} as line
        on
            assignment.contract_id = line.contract_id
            and assignment.line_id = line.line_id
    where
        assignment.is_on_roster
        and assignment.student_key is not null
        and coalesce(line.outcome_class, 'GROWTH') <> 'ATTENDANCE'
    union all
    select
        assignment.contract_id,
        assignment.contract_version,
        assignment.line_id,
        assignment.student_ref,
        assignment.student_key,
        'BASELINE' as test_role,
        line.instrument,
        line.school_year_end,
        line.baseline_window as window_id,
        line.baseline_opens_on as window_opens_on,
        -- Who came after the baseline window has until the contract's late-baseline date.
        case
            when assignment.first_start_on > line.baseline_closes_on
                then coalesce(line.late_baseline_until, line.baseline_closes_on)
            else line.baseline_closes_on
        end as window_closes_on,
        line.retest_rule,
        line.norms_reference,
        line.rapid_guessing_max_share
    from {{ ref('int_payment__assignment') }} as assignment
    inner join {{ ref('int_payment__line') }} as line
        on
            assignment.contract_id = line.contract_id
            and assignment.line_id = line.line_id
    where
        assignment.is_on_roster
        and assignment.student_key is not null
        and line.baseline_window is not null
),

attempts as (
    select
        needed.*,
        result.assessment_result_key,
        result.test_id,
        result.tested_on,
        result.started_at,
        result.score,
        result.score_se,
        result.is_growth_event,
        result.rapid_guessing_share,
        result.norms_reference as test_norms_reference,
        result.exported_at,
        result.file_id,
        result.row_number,
        coalesce(result.test_type = 'PROGRESS_MONITORING', false) as is_progress_monitoring,
        -- The file states this test twice, with other scores.
        conflict.file_id is not null as is_conflicting,
        case
            when left(needed.instrument, 8) = 'NWEA_MAP' then 'NWEA'
            when left(needed.instrument, 16) = 'RENAISSANCE_STAR' then 'STAR'
            else 'STATE'
        end as publisher,
        case
            when not coalesce(result.is_valid, false) then upper(coalesce(result.invalid_reason, 'NOT_VALID'))
            when needed.norms_reference is not null and result.norms_reference is null then 'NORMS_NOT_STATED'
            when needed.norms_reference is not null and result.norms_reference <> needed.norms_reference then 'OTHER_NORMS'
        end as invalid_because
    from needed
    inner join {{ ref('input__assessment_result') }} as result
        on
            needed.student_key = result.student_key
            and needed.instrument = result.instrument
            and needed.school_year_end = result.school_year_end
            and needed.window_id = result.window_id
    left join {{ ref('input__assessment_conflict') }} as conflict
        on
            result.file_id = conflict.file_id
            and result.row_number = conflict.row_number
    where result.tested_on is null or result.tested_on <= {{ as_of_date() }}
),

-- What makes a test unusable whichever rule chooses. The state's own calendar stands for the state's window.
judged as (
    select
        *,
        case
            when invalid_because is not null then invalid_because
            when publisher <> 'STATE' and tested_on is null then 'TEST_DATE_NOT_STATED'
            when publisher <> 'STATE' and (tested_on < window_opens_on or tested_on > window_closes_on) then 'OUTSIDE_WINDOW'
            when rapid_guessing_share >= rapid_guessing_max_share then 'RAPID_GUESSING'
        end as unusable_because
    from attempts
),

-- MAP: where the publisher marked a growth event among the valid tests, no other test can take its place.
marked as (
    select
        *,
        max(case when is_growth_event and invalid_because is null then 1 else 0 end) over (
            partition by contract_id, line_id, student_ref, test_role
        ) = 1 as has_growth_event
    from judged
),

eligible as (
    select
        *,
        case
            when unusable_because is not null then unusable_because
            when retest_rule = 'INSTRUMENT_OFFICIAL' and publisher = 'NWEA' and has_growth_event and not coalesce(is_growth_event, false)
                then 'NOT_THE_GROWTH_EVENT'
            when retest_rule = 'INSTRUMENT_OFFICIAL' and publisher = 'NWEA' and not has_growth_event and is_growth_event is not null
                then 'NOT_A_GROWTH_EVENT'
        end as passed_over_because
    from marked
),

-- A ruling can say which of two growth events counts.
ruled as (
    select
        contract_id,
        student_key,
        value as ruled_test_id
    from {{ ref('int_payment__ruling') }}
    where
        subject = 'DISPUTE'
        and upper(key) = 'COUNTED_TEST'
),

ranked as (
    select
        eligible.*,
        coalesce(upper(eligible.test_id) = ruled.ruled_test_id, false) as is_ruled,
        case
            when passed_over_because is null
                then
                    row_number() over (
                        partition by
                            eligible.contract_id, eligible.line_id, eligible.student_ref, eligible.test_role, (passed_over_because is null)
                        order by
                            case when upper(eligible.test_id) = ruled.ruled_test_id then 0 else 1 end,
                            -- Star: progress monitoring only where there is nothing else.
                            case when publisher = 'STAR' and is_progress_monitoring then 1 else 0 end,
                            case when retest_rule = 'FIRST_VALID' then tested_on end asc nulls last,
                            case when retest_rule = 'FIRST_VALID' then started_at end asc nulls last,
                            -- MAP without the publisher's mark: the lowest standard error, then the latest.
                            case when retest_rule = 'INSTRUMENT_OFFICIAL' and publisher = 'NWEA' then score_se end asc nulls last,
                            -- Star baselines: the first test of fall, the winter test closest to 15 January, the last of spring.
                            case
                                when
                                    retest_rule = 'INSTRUMENT_OFFICIAL'
                                    and publisher = 'STAR'
                                    and test_role = 'BASELINE'
                                    and window_id = 'FALL'
                                    then tested_on
                            end asc nulls last,
                            case
                                when
                                    retest_rule = 'INSTRUMENT_OFFICIAL'
                                    and publisher = 'STAR'
                                    and test_role = 'BASELINE'
                                    and window_id = 'FALL'
                                    then started_at
                            end asc nulls last,
                            case
                                when
                                    retest_rule = 'INSTRUMENT_OFFICIAL'
                                    and publisher = 'STAR'
                                    and test_role = 'BASELINE'
                                    and window_id = 'WINTER'
                                    then abs({{ days_between("cast(cast(school_year_end as varchar) || '-01-15' as date)", 'tested_on') }})
                            end asc nulls last,
                            tested_on desc nulls last,
                            started_at desc nulls last,
                            exported_at desc nulls last,
                            score desc nulls last,
                            assessment_result_key asc
                    )
        end as choice_rank,
        sum(case when passed_over_because is null and is_growth_event then 1 else 0 end) over (
            partition by eligible.contract_id, eligible.line_id, eligible.student_ref, eligible.test_role
        ) as growth_event_count,
        max(case when passed_over_because is null and upper(eligible.test_id) = ruled.ruled_test_id then 1 else 0 end) over (
            partition by eligible.contract_id, eligible.line_id, eligible.student_ref, eligible.test_role
        ) = 1 as has_ruled_test
    from eligible
    left join ruled
        on
            eligible.contract_id = ruled.contract_id
            and eligible.student_key = ruled.student_key
)

select
    contract_id,
    contract_version,
    line_id,
    student_ref,
    student_key,
    test_role,
    window_id,
    assessment_result_key,
    test_id,
    tested_on,
    score,
    score_se,
    test_norms_reference as norms_reference,
    rapid_guessing_share,
    is_growth_event,
    is_progress_monitoring,
    file_id,
    row_number,
    cast(choice_rank as integer) as choice_rank,
    coalesce(
        choice_rank = 1
        and not is_conflicting
        and (
            retest_rule <> 'INSTRUMENT_OFFICIAL'
            or publisher <> 'NWEA'
            or growth_event_count <= 1
            or is_ruled
        ),
        false
    ) as is_counted,
    case
        when passed_over_because is not null then passed_over_because
        when retest_rule = 'INSTRUMENT_OFFICIAL' and publisher = 'NWEA' and growth_event_count > 1 and not has_ruled_test
            then 'TWO_GROWTH_EVENTS'
        -- A ruling names a test by its id, which both have: only a corrected file resolves it.
        when choice_rank = 1 and is_conflicting then 'TWO_GROWTH_EVENTS'
        when choice_rank = 1 and is_ruled then 'COUNTED_BY_RULING'
        when choice_rank = 1 and retest_rule = 'FIRST_VALID' then 'COUNTED_FIRST_VALID'
        when choice_rank = 1 and retest_rule = 'LAST_VALID' then 'COUNTED_LAST_VALID'
        when choice_rank = 1 and publisher = 'NWEA' and has_growth_event then 'COUNTED_GROWTH_EVENT'
        when choice_rank = 1 and publisher = 'NWEA' then 'COUNTED_LOWEST_STANDARD_ERROR'
        when choice_rank = 1 and publisher = 'STAR' and is_progress_monitoring then 'COUNTED_ONLY_PROGRESS_MONITORING'
        when choice_rank = 1 and publisher = 'STAR' then 'COUNTED_BY_STAR_WINDOW_RULE'
        when choice_rank = 1 then 'COUNTED_SCORED'
        when publisher = 'STAR' and is_progress_monitoring then 'PROGRESS_MONITORING'
        else 'ANOTHER_TEST_COUNTS'
    end as choice_reason
from ranked
