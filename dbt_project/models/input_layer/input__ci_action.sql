-- Agreed actions as they stand in the newest file.
-- One without a metric, or with a metric nobody computes, stays: the marts say that it cannot be judged.
with actions as (
    select
        action_id,
        raised_on,
        nullif(trim(meeting_id), '') as meeting_id,
        nullif(lower(trim(workgroup_id)), '') as workgroup_id,
        nullif(trim(contract_id), '') as contract_id,
        nullif(trim(school_id), '') as sent_school_id,
        nullif(trim(trend_text), '') as trend_text,
        nullif(trim(why_1), '') as why_1,
        nullif(trim(why_2), '') as why_2,
        nullif(trim(why_3), '') as why_3,
        nullif(trim(why_4), '') as why_4,
        nullif(trim(why_5), '') as why_5,
        nullif(trim(hmw_text), '') as hmw_text,
        nullif(trim(action_text), '') as action_text,
        upper(trim(owner_party)) as owner_party,
        nullif(trim(owner_role), '') as owner_role,
        due_on,
        started_on,
        upper(trim(status)) as status,
        nullif(lower(trim(metric_id)), '') as metric_id,
        nullif(lower(trim(population_dimension)), '') as population_dimension,
        nullif(trim(population_category), '') as population_category,
        upper(trim(wanted_direction)) as wanted_direction,
        check_on,
        _file_id as file_id,
        _row_number as row_number,
        {{ recency_of_key(['action_id']) }} as recency
    from {{ source('lake', 'ci_action__action') }}
)

select
    actions.action_id,
    actions.raised_on,
    actions.meeting_id,
    actions.workgroup_id,
    actions.contract_id,
    coalesce(school.school_id, actions.sent_school_id) as school_id,
    actions.trend_text,
    actions.why_1,
    actions.why_2,
    actions.why_3,
    actions.why_4,
    actions.why_5,
    actions.hmw_text,
    actions.action_text,
    actions.owner_party,
    actions.owner_role,
    actions.due_on,
    actions.started_on,
    actions.status,
    actions.metric_id,
    actions.population_dimension,
    actions.population_category,
    actions.wanted_direction,
    actions.check_on,
    actions.file_id,
    actions.row_number
from actions
left join {{ ref('stg_oneroster__school_alias') }} as school
    on {{ school_alias('actions.sent_school_id') }} = school.alias
where
    actions.recency = 1
    and actions.raised_on <= {{ as_of_date() }}
