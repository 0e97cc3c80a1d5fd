-- One row per contract, student and session within assignment and service dates, up to the as-of date: was it held, was the student
-- there, does it count, and if the student was not there, why. The provider's own reason is a claim: it stands where it is against
-- the provider's interest, or where school attendance, the calendar or a ruling agree; otherwise the cause is UNKNOWN
-- (domain.md §3.5, §4.2 step 5).
with contracts as (
    select
        contract_id,
        version as contract_version,
        provider_id,
        subject,
        effective_from,
        effective_to,
        service_start_on,
        service_end_on,
        min_session_minutes,
        max_group_size
    from {{ source('documents', 'contract') }}
),

contracted as (
    select
        contracts.contract_id,
        contracts.contract_version,
        contracts.min_session_minutes,
        contracts.max_group_size,
        sessions.*,
        spans.school_id as assigned_school_id
    from {{ ref('input__tutoring_session_attendance') }} as sessions
    inner join contracts
        on
            sessions.provider_id = contracts.provider_id
            and (sessions.subject is null or sessions.subject = contracts.subject)
            and sessions.session_on between contracts.service_start_on and contracts.service_end_on
            and sessions.session_on >= contracts.effective_from
            and (contracts.effective_to is null or sessions.session_on < contracts.effective_to)
    inner join {{ ref('int_student_assignment__span') }} as spans
        on
            contracts.contract_id = spans.contract_id
            and sessions.student_id = spans.student_id
            and sessions.student_key is not distinct from spans.student_key
            and sessions.session_on >= spans.start_on
            and (spans.end_on is null or sessions.session_on < spans.end_on)
    where sessions.session_on <= {{ as_of_date() }}
),

school_days as (
    select
        student_key,
        attendance_on,
        count(*) = count(absent_share) as is_known,
        max(absent_share) as absent_share,
        -- Excused when every absence of the day is; not stated is not excused.
        min(case when is_excused then 1 else 0 end) filter (where absent_share is null or absent_share > 0) = 1 as is_excused
    from {{ ref('input__attendance_event') }}
    where student_key in (select student_key from {{ ref('int_student_assignment__span') }})
    group by student_key, attendance_on
),

enrolled_students as (
    select distinct student_key
    from {{ ref('input__school_enrollment') }}
    where student_key in (select student_key from {{ ref('int_student_assignment__span') }})
),

at_school as (
    select
        contracted.*,
        coalesce(enrollments.school_id, contracted.school_id, contracted.assigned_school_id) as day_school_id,
        enrolled_students.student_key is not null and enrollments.student_key is null as is_not_enrolled,
        calendar.is_in_session,
        calendar.day_type,
        -- Share of that day absent from school; NULL wherever the feed does not speak for that day.
        case
            when enrollments.student_key is null or coverage.school_id is null or not calendar.is_in_session then null
            when school_days.student_key is null then 0
            when school_days.is_known then school_days.absent_share
        end as school_absent_share,
        coalesce(school_days.is_excused, false) as is_day_excused
    from contracted
    left join {{ ref('input__school_enrollment') }} as enrollments
        on
            contracted.student_key = enrollments.student_key
            and contracted.session_on >= enrollments.enrolled_on
            -- A comparison, not `is null or`: an outer join with an OR compares every row with every row.
            and contracted.session_on < coalesce(enrollments.exited_on, date '9999-12-31')
    left join enrolled_students
        on contracted.student_key = enrolled_students.student_key
    left join {{ ref('input__calendar_day') }} as calendar
        on
            coalesce(enrollments.school_id, contracted.school_id, contracted.assigned_school_id) = calendar.school_id
            and contracted.session_on = calendar.calendar_on
    left join {{ ref('int_attendance__coverage') }} as coverage
        on
            enrollments.school_id = coverage.school_id
            and contracted.session_on between coverage.covered_from_on and coverage.covered_to_on
    left join school_days
        on
            contracted.student_key = school_days.student_key
            and contracted.session_on = school_days.attendance_on
),

-- A ruling names a session by its id or by its date; of several the newest, and the one that names the student, wins.
rulings as (
    select
        subject,
        contract_id,
        student_id,
        key,
        value,
        row_number() over (
            partition by subject, contract_id, student_id, key
            order by ruled_on desc, ruling_id desc
        ) as preference
    from {{ ref('input__ruling') }}
    where
        subject in ('ABSENCE_CAUSE', 'ATTENDANCE_CONFLICT')
        and key is not null
),

meant as (
    select
        contracted.contract_id,
        contracted.provider_id,
        contracted.session_id,
        contracted.student_id,
        rulings.subject,
        rulings.student_id as ruled_student_id,
        rulings.value,
        1 as is_by_session
    from rulings
    inner join contracted
        on
            rulings.key = contracted.session_id
            and coalesce(rulings.contract_id, contracted.contract_id) = contracted.contract_id
            and coalesce(rulings.student_id, contracted.student_id) = contracted.student_id
    where rulings.preference = 1

    union all

    select
        contracted.contract_id,
        contracted.provider_id,
        contracted.session_id,
        contracted.student_id,
        rulings.subject,
        rulings.student_id as ruled_student_id,
        rulings.value,
        0 as is_by_session
    from rulings
    inner join contracted
        on
            try_cast(rulings.key as date) = contracted.session_on
            and coalesce(rulings.contract_id, contracted.contract_id) = contracted.contract_id
            and coalesce(rulings.student_id, contracted.student_id) = contracted.student_id
    where rulings.preference = 1
),

ruled as (
    select
        contract_id,
        provider_id,
        session_id,
        student_id,
        subject,
        ruled_student_id is not null as is_about_student,
        value,
        row_number() over (
            partition by contract_id, provider_id, session_id, student_id, subject
            order by case when ruled_student_id is not null then 0 else 1 end, is_by_session desc
        ) as preference
    from meant
),

judged as (
    select
        at_school.*,
        cause.value as ruled_cause,
        coalesce(cause.is_about_student, false) as is_ruled_about_student,
        conflict.value as ruled_presence,
        coalesce(at_school.session_status in ('COMPLETED', 'SCHEDULED'), true)
        and coalesce(at_school.attendance_status in ('PRESENT', 'LATE'), false)
        and coalesce(conflict.value, 'PRESENT') <> 'ABSENT' as is_attended
    from at_school
    left join ruled as cause
        on
            at_school.contract_id = cause.contract_id
            and at_school.provider_id = cause.provider_id
            and at_school.session_id = cause.session_id
            and at_school.student_id = cause.student_id
            and cause.subject = 'ABSENCE_CAUSE'
            and cause.preference = 1
    left join ruled as conflict
        on
            at_school.contract_id = conflict.contract_id
            and at_school.provider_id = conflict.provider_id
            and at_school.session_id = conflict.session_id
            and at_school.student_id = conflict.student_id
            and conflict.subject = 'ATTENDANCE_CONFLICT'
            and conflict.preference = 1
),

-- Nobody is in two places: a moment that two providers' logs claim for one student counts for neither, until a ruling (PRESENT, ABSENT)
-- says whose it was. Where a log tells no time, the same session id on the same day is the same session.
days_of_two_providers as (
    select
        student_key,
        session_on
    from judged
    where
        is_attended
        and student_key is not null
    group by student_key, session_on
    having min(provider_id) <> max(provider_id)
),

contested as (
    select judged.*
    from judged
    inner join days_of_two_providers
        on
            judged.student_key = days_of_two_providers.student_key
            and judged.session_on = days_of_two_providers.session_on
    where judged.is_attended
),

claimed_twice as (
    select distinct
        one.contract_id,
        one.provider_id,
        one.session_id,
        one.student_id
    from contested as one
    inner join contested as other
        on
            one.student_key = other.student_key
            and one.session_on = other.session_on
            and one.provider_id <> other.provider_id
    where
        (one.scheduled_start_at < other.session_ended_at and other.scheduled_start_at < one.session_ended_at)
        or (
            one.session_id = other.session_id
            and (one.scheduled_start_at is null or other.scheduled_start_at is null)
        )
),

explained as (
    select
        judged.*,
        case
            when session_status is not null then session_status = 'COMPLETED' or is_attended
            else attendance_status is not null
        end as is_held,
        judged.is_attended
        and (
            (coalesce(judged.school_absent_share >= 1, false) and coalesce(judged.delivery_mode, 'IN_PERSON') <> 'ONLINE')
            or claimed_twice.session_id is not null
        )
        and coalesce(judged.ruled_presence, '') <> 'PRESENT' as is_attendance_conflict,
        case
            when is_attended then null
            -- A ruling for everyone is about the session, so it explains sessions that were not held, not single absences.
            when ruled_cause is not null and (is_ruled_about_student or coalesce(session_status, '') <> 'COMPLETED') then ruled_cause
            else
                {{ absence_cause(
                    day_type='day_type',
                    is_in_session='is_in_session',
                    session_status='session_status',
                    attendance_status='attendance_status',
                    absence_reason='absence_reason',
                    is_not_enrolled='is_not_enrolled',
                    school_absent_share='school_absent_share'
                ) }}
        end as absence_cause
    from judged
    left join claimed_twice
        on
            judged.contract_id = claimed_twice.contract_id
            and judged.provider_id = claimed_twice.provider_id
            and judged.session_id = claimed_twice.session_id
            and judged.student_id = claimed_twice.student_id
),

credited as (
    select
        explained.*,
        case
            when not is_attended then null
            when is_conflicted and coalesce(ruled_presence, '') <> 'PRESENT' then 'CONFLICTING_INTERVALS'
            when is_attendance_conflict then 'ATTENDANCE_CONFLICT'
            when max_group_size is not null and group_size is null then 'GROUP_SIZE_UNKNOWN'
            when group_size > max_group_size then 'OVER_RATIO'
            when min_session_minutes is not null and attended_minutes is null then 'MINUTES_UNKNOWN'
            when attended_minutes < min_session_minutes then 'UNDER_MINUTES'
        end as not_creditable_reason
    from explained
)

select
    contract_id,
    contract_version,
    provider_id,
    student_key,
    student_id,
    session_id,
    session_on,
    {{ week_start('session_on') }} as week_start_on,
    day_school_id as school_id,
    subject,
    tutor_id,
    group_size,
    delivery_mode,
    scheduled_start_at,
    scheduled_minutes,
    is_scheduled,
    session_status,
    attendance_status,
    is_held,
    is_attended,
    is_attended and not_creditable_reason is null as is_creditable,
    not_creditable_reason,
    attended_minutes,
    absence_cause,
    absence_reason as claimed_reason,
    ruled_cause is not null as is_cause_ruled,
    is_attendance_conflict,
    school_absent_share,
    coalesce(absence_cause = 'ABSENT_SCHOOL' and is_day_excused, false) as is_excused_absence,
    session_ended_at,
    received_at,
    source,
    file_id,
    row_number
from credited
