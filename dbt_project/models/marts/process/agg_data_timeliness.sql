-- How soon session data came, per contract, school and week: rows that arrived within the contract's hours over rows that arrived.
with blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

arrivals as (
    select
        causes.contract_id,
        causes.provider_id,
        causes.school_id,
        causes.week_start_on,
        causes.student_id,
        contracts.data_submission_sla_hours,
        {{ minutes_between('causes.session_ended_at', 'causes.received_at') }} as minutes_late
    from {{ ref('int_tutoring_session__cause') }} as causes
    inner join {{ source('documents', 'contract') }} as contracts
        on
            causes.contract_id = contracts.contract_id
            and causes.contract_version = contracts.version
    where causes.received_at is not null
),

weeks as (
    select
        contract_id,
        provider_id,
        school_id,
        week_start_on,
        max(data_submission_sla_hours) as sla_hours,
        count(case when minutes_late <= data_submission_sla_hours * 60 then 1 end) as on_time,
        count(data_submission_sla_hours) as row_count,
        percentile_cont(0.5) within group (order by minutes_late) as median_minutes,
        max(minutes_late) as max_minutes,
        count(distinct student_id) as n_students
    from arrivals
    group by contract_id, provider_id, school_id, week_start_on
)

select
    weeks.contract_id,
    weeks.provider_id,
    weeks.school_id,
    weeks.week_start_on,
    cast(weeks.sla_hours as integer) as sla_hours,
    cast(weeks.on_time as integer) as numerator,
    cast(weeks.row_count as integer) as denominator,
    {{ safe_divide('weeks.on_time', 'weeks.row_count') }} as on_time_rate,
    cast(weeks.median_minutes / 60 as decimal(12, 2)) as median_hours,
    cast(weeks.max_minutes / 60 as decimal(12, 2)) as max_hours,
    cast(weeks.n_students as integer) as n_students,
    blocked.contract_id is not null as is_source_flagged
from weeks
left join blocked
    on weeks.contract_id = blocked.contract_id
