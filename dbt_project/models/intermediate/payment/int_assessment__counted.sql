-- One row per contract, line, student and role (baseline, end): the test that counts, or why none does.
with needed as (
    select
        assignment.contract_id,
        assignment.contract_version,
        assignment.line_id,
        assignment.student_ref,
        assignment.student_key,
        'END' as test_role,
        line.end_window as window_id
    from {{ ref('int_payment__assignment') }} as assignment
    inner join {{ ref('int_payment__line') }} as line
        on
            assignment.contract_id = line.contract_id
            and assignment.line_id = line.line_id
    where assignment.is_on_roster and coalesce(line.outcome_class, 'GROWTH') <> 'ATTENDANCE'
    union all
    select
        assignment.contract_id,
        assignment.contract_version,
        assignment.line_id,
        assignment.student_ref,
        assignment.student_key,
        'BASELINE' as test_role,
        line.baseline_window as window_id
    from {{ ref('int_payment__assignment') }} as assignment
    inner join {{ ref('int_payment__line') }} as line
        on
            assignment.contract_id = line.contract_id
            and assignment.line_id = line.line_id
    where
        assignment.is_on_roster
        and line.baseline_window is not null
),

summary as (
    select
        contract_id,
        line_id,
        student_ref,
        test_role,
        count(*) as attempt_count,
        max(case when choice_reason = 'TWO_GROWTH_EVENTS' then 1 else 0 end) as is_ambiguous,
        -- A test that was never taken, or never was one of this kind, is missing; one that was taken and cannot be used is invalid.
        max(
            case
                when
                    not is_counted
                    and choice_reason not in (
                        'NO_SCORE', 'ABSENT', 'NOT_TESTED', 'NOT_A_GROWTH_TEST', 'OUTSIDE_WINDOW', 'TWO_GROWTH_EVENTS'
                    )
                    then 1
                else 0
            end
        ) as is_invalid,
        -- The explanation shown: rapid guessing first, since a retest can mend it.
        coalesce(
            max(case when choice_reason = 'TWO_GROWTH_EVENTS' then choice_reason end),
            max(case when choice_reason = 'RAPID_GUESSING' then choice_reason end),
            min(case when not is_counted then choice_reason end)
        ) as unusable_reason
    from {{ ref('int_assessment__candidate') }}
    group by contract_id, line_id, student_ref, test_role
),

counted as (
    select * from {{ ref('int_assessment__candidate') }}
    where is_counted
)

select
    needed.contract_id,
    needed.contract_version,
    needed.line_id,
    needed.student_ref,
    needed.student_key,
    needed.test_role,
    needed.window_id,
    case
        when counted.assessment_result_key is not null then 'COUNTED'
        when summary.is_ambiguous = 1 then 'AMBIGUOUS'
        when summary.is_invalid = 1 then 'INVALID'
        else 'MISSING'
    end as test_status,
    coalesce(counted.choice_reason, summary.unusable_reason, 'NO_TEST') as test_reason,
    counted.assessment_result_key,
    counted.tested_on,
    counted.score,
    counted.norms_reference,
    counted.file_id,
    counted.row_number,
    cast(coalesce(summary.attempt_count, 0) as integer) as attempt_count
from needed
left join summary
    on
        needed.contract_id = summary.contract_id
        and needed.line_id = summary.line_id
        and needed.student_ref = summary.student_ref
        and needed.test_role = summary.test_role
left join counted
    on
        needed.contract_id = counted.contract_id
        and needed.line_id = counted.line_id
        and needed.student_ref = counted.student_ref
        and needed.test_role = counted.test_role
