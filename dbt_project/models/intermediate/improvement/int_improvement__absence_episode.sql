-- When students were persistently absent from tutoring: from the session at which so many misses in a row, or a rate below the limit over
-- the last weeks, made it so, to the first session at which neither did. The limits are the contract's, else the district's settings; only
-- sessions that were the student's to attend count (domain.md §5.1).
with contracts as (
    select
        versions.contract_id,
        coalesce(versions.persistent_absence_misses, setting.follow_up_misses) as misses_limit,
        coalesce(versions.persistent_absence_rate, setting.follow_up_rate) as rate_limit,
        coalesce(versions.persistent_absence_weeks, setting.follow_up_weeks) as weeks_limit,
        row_number() over (partition by versions.contract_id order by versions.version desc) as recency
    from {{ source('documents', 'contract') }} as versions
    cross join {{ source('documents', 'improvement_setting') }} as setting
    where versions.effective_from <= {{ as_of_date() }}
),

chargeable as (
    select
        causes.contract_id,
        causes.student_id,
        causes.session_on,
        causes.session_id,
        causes.is_attended,
        sum(case when causes.is_attended then 1 else 0 end) over (
            partition by causes.contract_id, causes.student_id
            order by causes.session_on, causes.session_id
            rows between unbounded preceding and current row
        ) as attended_to_date
    from {{ ref('int_tutoring_session__cause') }} as causes
    where
        causes.is_scheduled
        and {{ is_chargeable('causes.absence_cause') }}
),

-- Misses since the last attended session: the rows that share its count, less that session itself.
streaks as (
    select
        chargeable.*,
        sum(case when is_attended then 0 else 1 end) over (
            partition by contract_id, student_id, attended_to_date
            order by session_on, session_id
            rows between unbounded preceding and current row
        ) as misses_in_a_row
    from chargeable
),

days as (
    select
        contract_id,
        student_id,
        session_on,
        count(*) as session_count,
        sum(case when is_attended then 1 else 0 end) as attended_count
    from chargeable
    group by contract_id, student_id, session_on
),

trailing_weeks as (
    select
        days.contract_id,
        days.student_id,
        days.session_on,
        sum(earlier.session_count) as session_count,
        sum(earlier.attended_count) as attended_count
    from days
    inner join contracts
        on
            days.contract_id = contracts.contract_id
            and contracts.recency = 1
    inner join days as earlier
        on
            days.contract_id = earlier.contract_id
            and days.student_id = earlier.student_id
            and earlier.session_on <= days.session_on
            and earlier.session_on > {{ add_days('days.session_on', '-7 * contracts.weeks_limit') }}
    group by days.contract_id, days.student_id, days.session_on
),

judged as (
    select
        streaks.contract_id,
        streaks.student_id,
        streaks.session_on,
        streaks.session_id,
        streaks.misses_in_a_row >= contracts.misses_limit as is_by_misses,
        streaks.misses_in_a_row >= contracts.misses_limit
        or (
            trailing_weeks.session_count >= contracts.misses_limit
            and trailing_weeks.attended_count < contracts.rate_limit * trailing_weeks.session_count
        ) as is_flagged
    from streaks
    inner join contracts
        on
            streaks.contract_id = contracts.contract_id
            and contracts.recency = 1
    inner join trailing_weeks
        on
            streaks.contract_id = trailing_weeks.contract_id
            and streaks.student_id = trailing_weeks.student_id
            and streaks.session_on = trailing_weeks.session_on
),

turns as (
    select
        judged.*,
        lag(is_flagged) over (partition by contract_id, student_id order by session_on, session_id) as was_flagged
    from judged
),

numbered as (
    select
        turns.*,
        sum(case when is_flagged and not coalesce(was_flagged, false) then 1 else 0 end) over (
            partition by contract_id, student_id
            order by session_on, session_id
            rows between unbounded preceding and current row
        ) as episode_number
    from turns
),

starts as (
    select
        contract_id,
        student_id,
        episode_number,
        session_on as turned_on,
        case when is_by_misses then 'MISSES' else 'RATE' end as turned_by
    from numbered
    where
        is_flagged
        and not coalesce(was_flagged, false)
),

ends as (
    select
        contract_id,
        student_id,
        episode_number,
        min(session_on) as ended_on
    from numbered
    where not is_flagged
    group by contract_id, student_id, episode_number
)

select
    starts.contract_id,
    starts.student_id,
    starts.episode_number,
    starts.turned_on,
    starts.turned_by,
    ends.ended_on
from starts
left join ends
    on
        starts.contract_id = ends.contract_id
        and starts.student_id = ends.student_id
        and starts.episode_number = ends.episode_number
