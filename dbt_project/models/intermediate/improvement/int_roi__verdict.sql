-- What the leading indicators advise for each contract, by the district's own thresholds: scale, keep, change, or review whether to stop. A
-- person decides. Index below the limit for enough months in a row is a change; with attendance below the follow-up rate as well, a review.
with setting as (
    select * from {{ source('documents', 'improvement_setting') }}
),

last_good as (
    select
        indexed.contract_id,
        max(indexed.moment_on) as last_good_on
    from {{ ref('int_roi__index') }} as indexed
    cross join setting
    where indexed.judged_index is null or indexed.judged_index >= setting.change_index_max
    group by indexed.contract_id
),

below as (
    select
        indexed.contract_id,
        count(*) as months_below
    from {{ ref('int_roi__index') }} as indexed
    left join last_good
        on indexed.contract_id = last_good.contract_id
    where
        indexed.moment_on is not null
        and (last_good.last_good_on is null or indexed.moment_on > last_good.last_good_on)
    group by indexed.contract_id
),

attendance as (
    select
        contract_id,
        sum(attended_of_scheduled) as attended,
        sum(chargeable) as chargeable
    from {{ ref('int_student_tutoring__dose') }}
    group by contract_id
),

pace as (
    select
        contract_id,
        count(case when pace = 'ON_PACE' then 1 end) as on_pace,
        count(case when pace <> 'UNKNOWN' then 1 end) as pace_known
    from {{ ref('int_roi__pace') }}
    where is_now
    group by contract_id
),

target as (
    select
        contract.contract_id,
        version.program_attendance_target_rate
    from {{ ref('int_payment__contract') }} as contract
    inner join {{ source('documents', 'contract') }} as version
        on
            contract.contract_id = version.contract_id
            and contract.contract_version = version.version
),

judged as (
    select
        indexed.contract_id,
        indexed.line_id,
        coalesce(indexed.n_students, 0) as n_students,
        indexed.judged_index,
        coalesce(below.months_below, 0) as months_below,
        attendance.attended,
        attendance.chargeable,
        cast(attendance.attended as double) / nullif(attendance.chargeable, 0) as attendance_rate,
        cast(pace.on_pace as double) / nullif(pace.pace_known, 0) as on_pace_rate,
        target.program_attendance_target_rate,
        setting.scale_index_min,
        setting.change_index_max,
        setting.change_months,
        setting.follow_up_rate,
        setting.least_group_n,
        indexed.what_is_missing
    from {{ ref('int_roi__index') }} as indexed
    cross join setting
    inner join target
        on indexed.contract_id = target.contract_id
    left join below
        on indexed.contract_id = below.contract_id
    left join attendance
        on indexed.contract_id = attendance.contract_id
    left join pace
        on indexed.contract_id = pace.contract_id
    where coalesce(indexed.is_now, true)
),

decided as (
    select
        *,
        case
            when what_is_missing is not null or judged_index is null or n_students < least_group_n then 'NOT_ENOUGH_DATA'
            when months_below >= change_months and coalesce(attendance_rate, on_pace_rate) < follow_up_rate then 'STOP_REVIEW'
            when months_below >= change_months then 'CHANGE'
            when judged_index >= scale_index_min and attendance_rate >= program_attendance_target_rate then 'SCALE'
            else 'KEEP'
        end as verdict
    from judged
)

select
    contract_id,
    line_id,
    n_students,
    verdict,
    months_below,
    attendance_rate,
    on_pace_rate,
    case
        when verdict = 'NOT_ENOUGH_DATA' and n_students < least_group_n
            then cast(n_students as varchar) || ' students; at least ' || cast(least_group_n as varchar) || ' are needed.'
        when verdict = 'NOT_ENOUGH_DATA' then coalesce(what_is_missing, 'Projected cost or outcomes are not known.')
        when verdict in ('CHANGE', 'STOP_REVIEW')
            then
                'Index ' || cast(cast(judged_index as decimal(9, 2)) as varchar) || ', below '
                || cast(cast(change_index_max as decimal(9, 2)) as varchar) || ' for '
                || cast(months_below as varchar) || ' month ends in a row'
                || case
                    when verdict = 'CHANGE' then '.'
                    when attendance_rate is null
                        then '; fewer than ' || cast(cast(follow_up_rate * 100 as integer) as varchar) || ' % are on pace.'
                    else '; tutoring attendance is ' || cast(cast(round(attendance_rate * 100) as integer) as varchar) || ' %.'
                end
        when verdict = 'SCALE'
            then
                'Index ' || cast(cast(judged_index as decimal(9, 2)) as varchar) || ', and tutoring attendance '
                || cast(cast(round(attendance_rate * 100) as integer) as varchar) || ' % is at its target of '
                || cast(cast(round(program_attendance_target_rate * 100) as integer) as varchar) || ' %.'
        else
            'Index ' || cast(cast(judged_index as decimal(9, 2)) as varchar)
            || case
                when judged_index < change_index_max
                    then
                        ', below ' || cast(cast(change_index_max as decimal(9, 2)) as varchar) || ' for ' || cast(months_below as varchar)
                        || ' of the ' || cast(change_months as varchar) || ' month ends in a row that would call for a change.'
                when judged_index < scale_index_min then ', between the limits.'
                when program_attendance_target_rate is null then '; without a target for attendance nothing is scaled.'
                when attendance_rate is null then '; tutoring attendance is not known, so nothing is scaled.'
                else
                    '; tutoring attendance ' || cast(cast(round(attendance_rate * 100) as integer) as varchar)
                    || ' % is below its target of '
                    || cast(cast(round(program_attendance_target_rate * 100) as integer) as varchar)
                    || ' %.'
            end
    end as verdict_reason
from decided
