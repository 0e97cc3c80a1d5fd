-- Meetings held about each contract, and the days between them: a gap longer than the contract allows is flagged, also the one still open.
with contracts as (
    select
        terms.contract_id,
        terms.service_start_on,
        least(terms.service_end_on, {{ as_of_date() }}) as judged_on,
        coalesce(versions.ci_meeting_max_gap_days, 14) as max_gap_days
    from {{ ref('int_payment__contract') }} as terms
    inner join {{ source('documents', 'contract') }} as versions
        on
            terms.contract_id = versions.contract_id
            and terms.contract_version = versions.version
),

meetings as (
    select *
    from {{ ref('input__ci_meeting') }}
    where held_on <= {{ as_of_date() }}
),

-- A meeting about no single contract was about all of them.
held as (
    select
        contracts.contract_id,
        meetings.meeting_id,
        meetings.workgroup_id,
        meetings.school_id,
        meetings.held_on,
        meetings.attendee_roles,
        meetings.is_data_reviewed,
        lag(meetings.held_on) over (
            partition by contracts.contract_id, meetings.workgroup_id, meetings.school_id
            order by meetings.held_on, meetings.meeting_id
        ) as previous_of_workgroup_on,
        lag(meetings.held_on) over (
            partition by contracts.contract_id
            order by meetings.held_on, meetings.meeting_id
        ) as previous_of_contract_on
    from meetings
    inner join contracts
        on coalesce(meetings.contract_id, contracts.contract_id) = contracts.contract_id
),

-- Whether meetings are reported at all: silence about all contracts is not a record of no meetings.
reported as (
    select count(*) > 0 as is_reported
    from {{ ref('input__ci_meeting') }}
),

last_held as (
    select
        contract_id,
        count(*) as meeting_count,
        max(held_on) as last_held_on
    from held
    group by contract_id
),

-- The time since the last meeting, as long as service goes on: a row without a meeting.
open_gaps as (
    select
        contracts.contract_id,
        last_held.last_held_on,
        coalesce(last_held.meeting_count, 0) as meeting_count,
        reported.is_reported
    from contracts
    cross join reported
    left join last_held
        on contracts.contract_id = last_held.contract_id
),

rows_of_both as (
    select
        contract_id,
        meeting_id,
        workgroup_id,
        school_id,
        held_on,
        attendee_roles,
        is_data_reviewed,
        previous_of_workgroup_on,
        previous_of_contract_on,
        true as is_reported,
        false as is_open_gap
    from held

    union all

    select
        contract_id,
        null as meeting_id,
        null as workgroup_id,
        null as school_id,
        null as held_on,
        null as attendee_roles,
        null as is_data_reviewed,
        null as previous_of_workgroup_on,
        last_held_on as previous_of_contract_on,
        is_reported,
        true as is_open_gap
    from open_gaps
),

-- Before the first meeting the time runs from the start of service.
timed as (
    select
        rows_of_both.*,
        contracts.max_gap_days,
        {{ days_between('rows_of_both.previous_of_workgroup_on', 'rows_of_both.held_on') }} as days_since_workgroup,
        case
            when rows_of_both.is_reported
                then
                    greatest(0, {{ days_between(
                        'coalesce(rows_of_both.previous_of_contract_on, contracts.service_start_on)',
                        'coalesce(rows_of_both.held_on, contracts.judged_on)'
                    ) }})
        end as days_since_contract
    from rows_of_both
    inner join contracts
        on rows_of_both.contract_id = contracts.contract_id
)

select
    timed.contract_id,
    timed.meeting_id,
    timed.workgroup_id,
    workgroups.name as workgroup_name,
    workgroups.cadence as workgroup_cadence,
    timed.school_id,
    timed.held_on,
    timed.attendee_roles,
    timed.is_data_reviewed,
    cast(timed.days_since_workgroup as integer) as days_since_workgroup_met,
    cast(timed.days_since_contract as integer) as days_since_contract_met,
    cast(timed.max_gap_days as integer) as max_gap_days,
    timed.days_since_contract > timed.max_gap_days as is_gap_too_long,
    timed.is_open_gap,
    case when timed.is_reported then 'ok' else 'not_enough_data' end as status,
    case when not timed.is_reported then 'No meeting of any contract was sent: whether there were meetings is not known.' end
        as what_is_missing
from timed
left join {{ source('documents', 'workgroup') }} as workgroups
    on timed.workgroup_id = workgroups.workgroup_id
