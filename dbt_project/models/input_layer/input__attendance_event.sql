-- One row per student and day with something recorded. What a code means is the district's own table, never the letter.
with events as (
    select *
    from {{ ref('stg_sis_attendance__attendance_event') }}
),

-- The few distinct combinations of code and excuse meet the code table, instead of every row.
combinations as (
    select distinct
        source,
        code,
        status_raw,
        excuse_raw
    from events
),

-- A row that names the excuse wins over one that stands for any; the code wins over the raw status.
meanings as (
    select
        combinations.*,
        codes.status,
        codes.is_excused,
        codes.absent_share,
        row_number() over (
            partition by combinations.source, combinations.code, combinations.status_raw, combinations.excuse_raw
            order by
                case when lower(codes.code) = lower(combinations.code) then 0 else 1 end,
                case when codes.excuse is null then 1 else 0 end,
                codes.code,
                codes.status
        ) as preference
    from combinations
    left join {{ source('documents', 'attendance_code') }} as codes
        on
            combinations.source = codes.source
            and lower(codes.code) in (lower(combinations.code), lower(combinations.status_raw))
            and (codes.excuse is null or lower(codes.excuse) = lower(combinations.excuse_raw))
),

-- Spellings of schools, too, are few.
schools as (
    select
        sent.school_id as sent_school_id,
        coalesce(alias.school_id, sent.school_id) as school_id
    from (select distinct school_id from events) as sent
    left join {{ ref('stg_oneroster__school_alias') }} as alias
        on {{ school_alias('sent.school_id') }} = alias.alias
),

coded as (
    select
        identifier.student_key,
        coalesce(identifier.student_id, events.student_id) as student_id,
        coalesce(schools.school_id, events.school_id) as school_id,
        events.attendance_on,
        events.period,
        coalesce(meanings.status, 'UNKNOWN') as status,
        meanings.is_excused,
        case
            when meanings.status is null then null
            when meanings.status <> 'ABSENT' then 0
            else coalesce(events.absent_share, meanings.absent_share, 1)
        end as absent_share,
        case coalesce(meanings.status, 'UNKNOWN')
            when 'ABSENT' then 5
            when 'UNKNOWN' then 4
            when 'EARLY_DEPARTURE' then 3
            when 'TARDY' then 2
            else 1
        end as severity
    from events
    inner join meanings
        on
            events.source = meanings.source
            and events.code is not distinct from meanings.code
            and events.status_raw is not distinct from meanings.status_raw
            and events.excuse_raw is not distinct from meanings.excuse_raw
            and meanings.preference = 1
    left join schools
        on events.school_id = schools.sent_school_id
    {{ join_student('events') }}
),

-- One row per student, school and day, whatever the feeds and periods; the most severe entry names the day.
days as (
    select
        max(student_key) as student_key,
        student_id,
        school_id,
        attendance_on,
        max(severity) as severity,
        count(period) > 0 as has_periods,
        -- An unmapped code makes the day unknown, unless the rest of it is a whole day's absence anyway.
        case
            when max(case when period is null then absent_share end) >= 1 then 1
            when count(*) > count(absent_share) then null
            else max(case when period is null then absent_share else 0 end)
        end as daily_absent_share,
        min(case when status = 'ABSENT' then case when is_excused then 1 when not is_excused then 0 end end) as least_excused,
        count(case when status = 'ABSENT' and is_excused is null then 1 end) as unstated_excuses
    from coded
    group by student_id, school_id, attendance_on
),

period_rows as (
    select
        student_id,
        school_id,
        attendance_on,
        period,
        max(absent_share) as absent_share
    from coded
    where period is not null
    group by student_id, school_id, attendance_on, period
),

period_days as (
    select
        student_id,
        school_id,
        attendance_on,
        count(*) as period_count,
        sum(absent_share) as absent_periods
    from period_rows
    group by student_id, school_id, attendance_on
),

-- How many periods a day has: as many as anyone had recorded in one day at that school (absent all day somewhere, some time).
periods as (
    select
        school_id,
        max(period_count) as period_count
    from period_days
    group by school_id
)

select
    days.student_key,
    days.student_id,
    days.school_id,
    days.attendance_on,
    case days.severity
        when 5 then 'ABSENT'
        when 4 then 'UNKNOWN'
        when 3 then 'EARLY_DEPARTURE'
        when 2 then 'TARDY'
        else 'PRESENT'
    end as status,
    cast(
        case
            when days.daily_absent_share is null then null
            when not days.has_periods then least(1, days.daily_absent_share)
            else least(
                1,
                greatest(
                    days.daily_absent_share,
                    cast(cast(coalesce(period_days.absent_periods, 0) as double) / periods.period_count as decimal(9, 6))
                )
            )
        end as decimal(9, 6)
    ) as absent_share,
    case
        when days.severity < 5 then null
        when days.unstated_excuses > 0 and days.least_excused = 1 then null
        else days.least_excused = 1
    end as is_excused
from days
left join period_days
    on
        days.student_id = period_days.student_id
        and days.school_id = period_days.school_id
        and days.attendance_on = period_days.attendance_on
left join periods
    on days.school_id = periods.school_id
