-- Is a student persistently absent from tutoring now (domain.md §5.1): so many misses in a row since the last attended session, or below
-- a rate over the last weeks. Only sessions that were the student's to attend count; contracts set the three numbers, the district's
-- settings where a contract does not.
with contracts as (
    select
        contracts.contract_id,
        coalesce(contracts.persistent_absence_misses, setting.follow_up_misses) as misses_limit,
        coalesce(contracts.persistent_absence_rate, setting.follow_up_rate) as persistent_absence_rate,
        coalesce(contracts.persistent_absence_weeks, setting.follow_up_weeks) as weeks_limit,
        row_number() over (partition by contracts.contract_id order by contracts.version desc) as recency
    from {{ source('documents', 'contract') }} as contracts
    cross join {{ source('documents', 'improvement_setting') }} as setting
    where contracts.effective_from <= {{ as_of_date() }}
),

chargeable as (
    select
        causes.contract_id,
        causes.student_id,
        causes.session_on,
        causes.session_id,
        causes.is_attended,
        contracts.misses_limit,
        contracts.persistent_absence_rate,
        contracts.weeks_limit,
        sum(case when causes.is_attended then 1 else 0 end) over (
            partition by causes.contract_id, causes.student_id
            order by causes.session_on desc, causes.session_id desc
            rows between unbounded preceding and current row
        ) as attended_since
    from {{ ref('int_tutoring_session__cause') }} as causes
    inner join contracts
        on
            causes.contract_id = contracts.contract_id
            and contracts.recency = 1
    where
        causes.is_scheduled
        and {{ is_chargeable('causes.absence_cause') }}
),

numbered as (
    select
        chargeable.*,
        row_number() over (
            partition by contract_id, student_id
            order by session_on, session_id
        ) as miss_number
    from chargeable
    where attended_since = 0
),

streaks as (
    select
        contract_id,
        student_id,
        count(*) as misses_in_a_row,
        min(case when miss_number = misses_limit then session_on end) as limit_reached_on
    from numbered
    group by contract_id, student_id
),

trailing_weeks as (
    select
        contract_id,
        student_id,
        count(*) as session_count,
        sum(case when is_attended then 1 else 0 end) as attended_count,
        max(session_on) as last_session_on,
        max(misses_limit) as misses_limit,
        max(persistent_absence_rate) as rate_limit
    from chargeable
    where {{ days_between('session_on', as_of_date()) }} < weeks_limit * 7
    group by contract_id, student_id
),

students as (
    select distinct
        contract_id,
        student_id
    from chargeable
),

judged as (
    select
        students.contract_id,
        students.student_id,
        coalesce(streaks.misses_in_a_row, 0) as misses_in_a_row,
        streaks.limit_reached_on,
        -- Too few sessions in the weeks say nothing: at least as many as the misses that would do.
        case
            when
                trailing_weeks.session_count >= trailing_weeks.misses_limit
                and trailing_weeks.attended_count < trailing_weeks.rate_limit * trailing_weeks.session_count
                then trailing_weeks.last_session_on
        end as below_rate_on
    from students
    left join streaks
        on
            students.contract_id = streaks.contract_id
            and students.student_id = streaks.student_id
    left join trailing_weeks
        on
            students.contract_id = trailing_weeks.contract_id
            and students.student_id = trailing_weeks.student_id
)

select
    contract_id,
    student_id,
    misses_in_a_row,
    limit_reached_on is not null or below_rate_on is not null as is_persistently_absent,
    coalesce(limit_reached_on, below_rate_on) as persistently_absent_on
from judged
