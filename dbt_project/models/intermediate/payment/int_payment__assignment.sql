-- One row per contract, rate-card line and student: is the student on the frozen roster for the line, for how long, and did they leave?
-- Students of the contract who are not assigned to this line get a row too (OUT_OF_SCOPE).
with roster as (
    select
        *,
        coalesce(student_key, 'unknown:' || student_id) as student_ref
    from {{ ref('input__roster_assignment') }}
),

students_of_contract as (
    select
        contract_id,
        student_ref,
        max(student_key) as student_key,
        max(student_id) as student_id
    from roster
    group by contract_id, student_ref
),

-- The roster row that speaks for the student at the end: the one that lasts longest.
ranked_rows as (
    select
        line.contract_id,
        line.line_id,
        roster.student_ref,
        roster.school_id,
        roster.vendor_share,
        roster.end_on,
        roster.end_reason,
        roster.file_id,
        roster.row_number,
        min(roster.start_on) over (
            partition by line.contract_id, line.line_id, roster.student_ref
        ) as first_start_on,
        row_number() over (
            partition by line.contract_id, line.line_id, roster.student_ref
            order by
                coalesce(roster.end_on, cast('9999-12-31' as date)) desc,
                roster.start_on desc,
                roster.file_id desc,
                roster.row_number desc
        ) as recency
    from {{ ref('int_payment__line') }} as line
    inner join roster
        on
            line.contract_id = roster.contract_id
            and (roster.line_id is null or line.line_id = roster.line_id)
    where roster.end_on is null or roster.end_on > roster.start_on
),

days_in_period as (
    select
        span.contract_id,
        span.line_id,
        span.student_ref,
        sum(
            greatest(
                {{ days_between(
                    'greatest(span.start_on, line.service_start_on)',
                    'least(span.end_on, ' ~ add_days('line.dosage_ends_on', 1) ~ ')'
                ) }},
                0
            )
        ) as assignment_days
    from {{ ref('int_payment__assignment_span') }} as span
    inner join {{ ref('int_payment__line') }} as line
        on
            span.contract_id = line.contract_id
            and span.line_id = line.line_id
    group by span.contract_id, span.line_id, span.student_ref
),

ruled_share as (
    select
        contract_id,
        student_key,
        -- One share per student: of several rulings (by line, by contract) the newest.
        max_by(try_cast(value as decimal(9, 6)), ruled_on) as vendor_share
    from {{ ref('int_payment__ruling') }}
    where
        subject = 'OVERLAP'
        and student_key is not null
        and try_cast(value as decimal(9, 6)) is not null
    group by contract_id, student_key
),

excluded_reason as (
    select distinct
        contract_id,
        version as contract_version,
        upper(end_reason) as end_reason
    from {{ source('documents', 'contract_excluded_reason') }}
)

select
    line.contract_id,
    line.contract_version,
    line.line_id,
    student.student_ref,
    student.student_key,
    student.student_id,
    final_row.school_id,
    final_row.recency is not null as is_on_roster,
    final_row.first_start_on,
    final_row.end_on,
    final_row.end_reason,
    -- A planned end counts once it has come.
    coalesce(final_row.end_on <= {{ as_of_date() }}, false) as has_left,
    coalesce(final_row.end_on <= {{ as_of_date() }}, false)
    and excluded_reason.end_reason is not null
    and final_row.end_on <= line.end_opens_on as has_left_before_window,
    coalesce(final_row.end_on <= {{ as_of_date() }}, false)
    and excluded_reason.end_reason is not null
    and final_row.end_on <= line.end_closes_on as has_left_before_close,
    coalesce(ruled_share.vendor_share, final_row.vendor_share) as vendor_share,
    cast(coalesce(days_in_period.assignment_days, 0) as bigint) as assignment_days,
    cast(line.service_days as bigint) as service_days,
    -- The contract's requirement for the days in service, rounded up: ceil(required x days / service days).
    cast(
        {{ ceiling_divide(
            'line.required_sessions * cast(coalesce(days_in_period.assignment_days, 0) as bigint)', 'cast(line.service_days as bigint)'
        ) }} as bigint
    )
        as required_sessions,
    cast(
        {{ ceiling_divide(
            'line.required_minutes * cast(coalesce(days_in_period.assignment_days, 0) as bigint)', 'cast(line.service_days as bigint)'
        ) }} as bigint
    )
        as required_minutes,
    final_row.file_id as roster_file_id,
    final_row.row_number as roster_row_number
from {{ ref('int_payment__line') }} as line
inner join students_of_contract as student
    on line.contract_id = student.contract_id
left join ranked_rows as final_row
    on
        line.contract_id = final_row.contract_id
        and line.line_id = final_row.line_id
        and student.student_ref = final_row.student_ref
        and final_row.recency = 1
left join days_in_period
    on
        line.contract_id = days_in_period.contract_id
        and line.line_id = days_in_period.line_id
        and student.student_ref = days_in_period.student_ref
left join excluded_reason
    on
        line.contract_id = excluded_reason.contract_id
        and line.contract_version = excluded_reason.contract_version
        and upper(final_row.end_reason) = excluded_reason.end_reason
left join ruled_share
    on
        line.contract_id = ruled_share.contract_id
        and student.student_key = ruled_share.student_key
