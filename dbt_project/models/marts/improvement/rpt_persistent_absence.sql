-- Who stays away from tutoring, since when, what was done about it, and what is to be done next: one row per contracted student.
with setting as (
    select *
    from {{ source('documents', 'improvement_setting') }}
),

limits as (
    select
        versions.contract_id,
        coalesce(versions.persistent_absence_misses, setting.follow_up_misses) as misses_limit,
        coalesce(versions.persistent_absence_rate, setting.follow_up_rate) as rate_limit,
        coalesce(versions.persistent_absence_weeks, setting.follow_up_weeks) as weeks_limit,
        setting.follow_up_weeks,
        setting.substitution_review_weeks,
        row_number() over (partition by versions.contract_id order by versions.version desc) as recency
    from {{ source('documents', 'contract') }} as versions
    cross join setting
    where versions.effective_from <= {{ as_of_date() }}
),

episodes as (
    select
        contract_id,
        student_id,
        count(*) as episode_count,
        min(turned_on) as first_turned_on,
        max(case when ended_on is null then turned_on end) as open_turned_on,
        max(case when ended_on is null then turned_by end) as open_turned_by
    from {{ ref('int_improvement__absence_episode') }}
    group by contract_id, student_id
),

students as (
    select
        students.contract_id,
        students.student_id,
        students.student_key,
        students.provider_id,
        students.school_id,
        students.is_active,
        students.is_persistently_absent,
        students.misses_in_a_row,
        students.last_attended_on,
        students.can_still_qualify,
        students.sessions_needed,
        students.remaining_sessions,
        students.is_source_flagged,
        coalesce(episodes.episode_count, 0) as episode_count,
        episodes.first_turned_on,
        limits.misses_limit,
        limits.rate_limit,
        limits.weeks_limit,
        limits.follow_up_weeks,
        limits.substitution_review_weeks,
        case when students.is_persistently_absent then coalesce(episodes.open_turned_on, students.persistently_absent_on) end as turned_on,
        case when students.is_persistently_absent then coalesce(episodes.open_turned_by, 'RATE') end as turned_by
    from {{ ref('msr_student_tutoring') }} as students
    left join episodes
        on
            students.contract_id = episodes.contract_id
            and students.student_id = episodes.student_id
    left join limits
        on
            students.contract_id = limits.contract_id
            and limits.recency = 1
),

follow_ups as (
    select
        students.contract_id,
        students.student_id,
        count(*) as follow_up_count,
        count(case when done.followed_up_on >= students.turned_on then 1 end) as follow_ups_since_turned,
        max(done.followed_up_on) as last_followed_up_on,
        max_by(done.kind, done.followed_up_on) as last_kind,
        max_by(done.by_role, done.followed_up_on) as last_by_role
    from students
    inner join {{ ref('input__ci_follow_up') }} as done
        on
            students.contract_id = done.contract_id
            and students.student_id = done.student_id
    where done.followed_up_on <= {{ as_of_date() }}
    group by students.contract_id, students.student_id
),

judged as (
    select
        students.*,
        coalesce(follow_ups.follow_up_count, 0) as follow_up_count,
        coalesce(follow_ups.follow_ups_since_turned, 0) as follow_ups_since_turned,
        follow_ups.last_followed_up_on,
        follow_ups.last_kind,
        follow_ups.last_by_role,
        {{ days_between('students.turned_on', as_of_date()) }} as days_flagged,
        {{ days_between('follow_ups.last_followed_up_on', as_of_date()) }} as days_since_follow_up
    from students
    left join follow_ups
        on
            students.contract_id = follow_ups.contract_id
            and students.student_id = follow_ups.student_id
)

select
    contract_id,
    student_id,
    student_key,
    provider_id,
    school_id,
    is_active,
    is_persistently_absent,
    turned_on,
    turned_by,
    cast(case when is_persistently_absent then {{ integer_divide('days_flagged', '7') }} end as integer) as weeks_since_turned,
    cast(episode_count as integer) as episode_count,
    first_turned_on,
    cast(misses_in_a_row as integer) as misses_in_a_row,
    last_attended_on,
    cast(misses_limit as integer) as misses_limit,
    cast(rate_limit as decimal(9, 6)) as rate_limit,
    cast(weeks_limit as integer) as weeks_limit,
    can_still_qualify,
    cast(sessions_needed as integer) as sessions_needed,
    cast(remaining_sessions as integer) as remaining_sessions,
    cast(follow_up_count as integer) as follow_up_count,
    cast(follow_ups_since_turned as integer) as follow_ups_since_turned,
    last_followed_up_on,
    last_kind as last_follow_up_kind,
    last_by_role as last_follow_up_by_role,
    case
        when is_persistently_absent is null then 'NOT_JUDGED'
        when is_persistently_absent and not is_active then 'NOT_ACTIVE'
        when is_persistently_absent and days_flagged >= 7 * substitution_review_weeks then 'SUBSTITUTION_REVIEW'
        when is_persistently_absent and follow_ups_since_turned = 0 then 'FOLLOW_UP'
        when is_persistently_absent and days_since_follow_up >= 7 * follow_up_weeks then 'FOLLOW_UP_AGAIN'
        when is_persistently_absent then 'FOLLOWED_UP'
        when episode_count > 0 then 'RECOVERED'
        else 'NOT_FLAGGED'
    end as worklist_status,
    case when is_persistently_absent is null then 'not_enough_data' else 'ok' end as status,
    case when is_persistently_absent is null then 'No scheduled session of this student was reported: what was missed is not known.' end
        as what_is_missing,
    is_source_flagged,
    {{ as_of_date() }} as as_of_date
from judged
