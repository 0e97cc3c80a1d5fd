{# Why a student was not in a session (domain.md §3.5), from what is known besides the provider's word:
   the calendar first, then what happened to the session, then school attendance. Half a day's absence or more is absent from school.
   What the provider says against itself stands; what it says for itself (the district, the school, the student) needs the calendar,
   school attendance or a ruling, and is UNKNOWN without. #}
{% macro absence_cause(day_type, is_in_session, session_status, attendance_status, absence_reason, is_not_enrolled, school_absent_share) -%}
    case
        when {{ day_type }} = 'ASSESSMENT_DAY' then 'ASSESSMENT_DAY'
        when not {{ is_in_session }} then 'CLOSURE'
        when {{ session_status }} = 'NO_SHOW_TUTOR' then 'TUTOR_NO_SHOW'
        when {{ session_status }} = 'CANCELED' then
            case
                when
                    {{ absence_reason }} is null
                    or {{ absence_reason }} in ('provider_cancel', 'tutor_cancelled', 'tutor_canceled', 'tutor_absent')
                    then 'PROVIDER_CANCEL'
                when {{ absence_reason }} in ('tutor_no_show', 'no_show_tutor') then 'TUTOR_NO_SHOW'
                when {{ absence_reason }} = 'provider_tech' then 'PROVIDER_TECH'
                when
                    {{ absence_reason }} in ('absent_school', 'student_absent_school', 'student_absent')
                    and {{ school_absent_share }} >= 0.5
                    then 'ABSENT_SCHOOL'
                else 'UNKNOWN'
            end
        when {{ session_status }} = 'SCHEDULED' or {{ attendance_status }} is null then 'UNKNOWN'
        when {{ is_not_enrolled }} then 'WITHDRAWN'
        when {{ school_absent_share }} >= 0.5 then 'ABSENT_SCHOOL'
        when {{ school_absent_share }} < 0.5 then 'PRESENT_SCHOOL_SKIPPED'
        else 'UNKNOWN'
    end
{%- endmacro %}
