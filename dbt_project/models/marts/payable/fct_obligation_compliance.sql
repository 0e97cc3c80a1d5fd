-- Whether each duty of both parties was kept, by whom it is judged: a student, a school or the whole contract. Counted once per line,
-- because every line has its own period. Notices that change no amount are here too.
with obligation as (
    select
        *,
        case scope
            when 'CONTRACT' then contract_id
            when 'SCHOOL' then coalesce(school_id, '')
            else student_ref
        end as entity_ref
    from {{ ref('int_payment__obligation') }}
),

student as (
    select distinct
        contract_id,
        student_ref,
        student_key,
        student_id
    from {{ ref('int_payment__assignment') }}
),

-- All rows of a school or contract carry the same numbers. A ruling may speak of one student only: what it says then tells of the whole.
entity as (
    select
        contract_id,
        contract_version,
        line_id,
        obligation_id,
        scope,
        entity_ref,
        max(party) as party,
        max(metric) as metric,
        max(comparator) as comparator,
        max(value_numerator) as value_numerator,
        max(value_denominator) as value_denominator,
        max(consequence) as consequence,
        max(cure_days) as cure_days,
        max(measurement_window) as measurement_window,
        max(window_starts_on) as window_starts_on,
        max(window_count) as window_count,
        max(missed_window_count) as missed_window_count,
        max(case when scope = 'STUDENT' then student_ref end) as student_ref,
        max(case when scope <> 'CONTRACT' then school_id end) as school_id,
        max(numerator) as numerator,
        max(denominator) as denominator,
        min(case when is_met then 1 when not is_met then 0 end) as worst_verdict,
        max(case when is_met is null then 1 else 0 end) as has_unknown,
        max(case when is_ruled then 1 else 0 end) as is_ruled,
        max(measured_through_on) as measured_through_on,
        max(cure_ends_on) as cure_ends_on,
        max(case obligation_status when 'BREACHED' then 5 when 'IN_CURE' then 4 when 'BEHIND' then 3 when 'UNKNOWN' then 2 else 1 end)
            as worst_status,
        count(*) as student_count
    from obligation
    group by contract_id, contract_version, line_id, obligation_id, scope, entity_ref
)

select
    {{ surrogate_key(['entity.contract_id', 'entity.line_id', 'entity.obligation_id', 'entity.scope', 'entity.entity_ref']) }}
        as obligation_compliance_key,
    entity.contract_id,
    cast(entity.contract_version as integer) as contract_version,
    entity.line_id,
    line.period,
    entity.obligation_id,
    entity.party,
    entity.scope,
    student.student_key,
    student.student_id,
    entity.school_id,
    entity.metric,
    entity.comparator,
    entity.value_numerator,
    entity.value_denominator,
    cast(entity.numerator as bigint) as numerator,
    cast(entity.denominator as bigint) as denominator,
    {{ safe_divide('entity.numerator', 'entity.denominator') }} as measured_rate,
    case
        when entity.worst_verdict = 0 then false
        when entity.has_unknown = 1 then null
        else entity.worst_verdict = 1
    end as is_met,
    case entity.worst_status
        when 5 then 'BREACHED'
        when 4 then 'IN_CURE'
        when 3 then 'BEHIND'
        when 2 then 'UNKNOWN'
        else 'MET'
    end as status,
    entity.is_ruled = 1 as is_ruled,
    entity.measurement_window,
    entity.window_starts_on,
    entity.measured_through_on,
    cast(entity.window_count as bigint) as window_count,
    cast(entity.missed_window_count as bigint) as missed_window_count,
    -- The first day on which what was to be kept can no longer be kept.
    case when entity.worst_status >= 4 then {{ add_days('entity.measured_through_on', 1) }} end as breached_on,
    entity.cure_days,
    case when entity.worst_status >= 4 then entity.cure_ends_on end as cure_ends_on,
    entity.consequence,
    entity.worst_status = 5 and entity.consequence <> 'NOTICE_ONLY' as changes_payment,
    cast(entity.student_count as bigint) as student_count,
    {{ as_of_date() }} as as_of_date
from entity
inner join {{ ref('int_payment__line') }} as line
    on
        entity.contract_id = line.contract_id
        and entity.line_id = line.line_id
left join student
    on
        entity.contract_id = student.contract_id
        and entity.student_ref = student.student_ref
