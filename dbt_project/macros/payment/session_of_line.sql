{# Every session that counts for a rate-card line, one row per contract, line, student and session: inside the assignment, from the start of
   service to the close of the line's window, up to the as-of date. is_late: received after the data-due date, and no ruling lets it in. #}
{% macro session_of_line() -%}
    select
        line.contract_id,
        line.line_id,
        span.student_ref,
        session.session_id,
        session.session_on,
        session.is_scheduled,
        session.is_held,
        session.is_attended,
        session.is_creditable,
        session.attended_minutes,
        session.tutor_id,
        session.group_size,
        session.absence_cause,
        session.is_excused_absence,
        session.not_creditable_reason,
        session.is_attendance_conflict,
        line.max_group_size,
        line.min_session_minutes,
        {{ week_start('session.session_on') }} as week_on,
        -- Received after the data-due date: counts only when a ruling lets it in (domain §4.5, late session data).
        coalesce(cast(session.received_at as date) > line.data_due_on, false) and late_change.contract_id is null as is_late,
        case
            when session.received_at is null or session.session_ended_at is null or line.data_submission_sla_hours is null then null
            else session.received_at <= {{ add_minutes('session.session_ended_at', 'line.data_submission_sla_hours * 60') }}
        end as is_timely
    from {{ ref('int_payment__assignment_span') }} as span
    inner join {{ ref('int_payment__line') }} as line
        on
            span.contract_id = line.contract_id
            and span.line_id = line.line_id
    inner join {{ ref('int_tutoring_session__cause') }} as session
        on
            span.contract_id = session.contract_id
            and span.student_ref = session.student_key
            and session.session_on >= span.start_on
            and session.session_on < span.end_on
            and session.session_on >= line.service_start_on
            and session.session_on <= line.dosage_ends_on
            and session.session_on <= {{ as_of_date() }}
    left join {{ ref('int_payment__accepted_late_change') }} as late_change
        on
            session.contract_id = late_change.contract_id
            and session.student_key = late_change.student_key
            and session.session_id = late_change.session_id
{%- endmacro %}
