-- What people said, counted: coded themes of surveys, interviews, focus groups and observations by month and group. The words themselves
-- stay in the restricted lake. Of a month and group asked, a theme nobody named is 0; where nobody was asked there is no row of the group.
with setting as (
    select
        least_group_n,
        normal_group_n
    from {{ source('documents', 'improvement_setting') }}
),

contracts as (
    select contract_id
    from {{ ref('int_payment__contract') }}
),

-- A note about no single contract is about the program: it stands under contract NULL, once.
notes as (
    select
        note_id,
        contract_id,
        {{ month_start('noted_on') }} as month_start_on,
        note_kind,
        coalesce(respondent_role, 'unknown') as respondent_role,
        theme,
        sentiment,
        respondent_count,
        case
            when respondent_group like '%=%' then lower(trim(split_part(respondent_group, '=', 1)))
        end as dimension,
        case
            when respondent_group like '%=%' then trim(split_part(respondent_group, '=', 2))
        end as category
    from {{ ref('input__ci_note') }}
    where
        noted_on <= {{ as_of_date() }}
        and theme is not null
),

-- All respondents together, and each named group by itself.
grouped as (
    select
        contract_id,
        month_start_on,
        note_kind,
        respondent_role,
        'all' as dimension,
        'all' as category,
        theme,
        sentiment,
        respondent_count
    from notes

    union all

    select
        contract_id,
        month_start_on,
        note_kind,
        respondent_role,
        dimension,
        category,
        theme,
        sentiment,
        respondent_count
    from notes
    where dimension is not null
),

asked as (
    select
        contract_id,
        month_start_on,
        note_kind,
        respondent_role,
        dimension,
        category,
        count(*) as n_notes_all,
        sum(respondent_count) as n_respondents_all,
        count(*) = count(respondent_count) as is_counted
    from grouped
    group by contract_id, month_start_on, note_kind, respondent_role, dimension, category
),

themes as (
    select distinct
        contract_id,
        theme
    from notes
),

named as (
    select
        contract_id,
        month_start_on,
        note_kind,
        respondent_role,
        dimension,
        category,
        theme,
        count(*) as n_notes,
        sum(respondent_count) as n_respondents,
        count(case when sentiment > 0 then 1 end) as n_positive,
        count(case when sentiment = 0 then 1 end) as n_neutral,
        count(case when sentiment < 0 then 1 end) as n_negative,
        count(sentiment) as n_coded
    from grouped
    group by contract_id, month_start_on, note_kind, respondent_role, dimension, category, theme
),

counted as (
    select
        asked.*,
        themes.theme,
        coalesce(named.n_notes, 0) as n_notes,
        case when asked.is_counted then coalesce(named.n_respondents, 0) end as n_respondents,
        coalesce(named.n_positive, 0) as n_positive,
        coalesce(named.n_neutral, 0) as n_neutral,
        coalesce(named.n_negative, 0) as n_negative,
        coalesce(named.n_coded, 0) as n_coded,
        setting.least_group_n,
        -- How many spoke is what a person could be found by; where it was not counted, at least as many as there are notes.
        case
            when asked.dimension = 'all' then 'ok'
            else
                {{ group_status(
                    'case when asked.is_counted then asked.n_respondents_all else asked.n_notes_all end',
                    'setting.least_group_n',
                    'setting.normal_group_n'
                ) }}
        end as status
    from asked
    cross join setting
    inner join themes
        on asked.contract_id is not distinct from themes.contract_id
    left join named
        on
            asked.contract_id is not distinct from named.contract_id
            and asked.month_start_on = named.month_start_on
            and asked.note_kind = named.note_kind
            and asked.respondent_role = named.respondent_role
            and asked.dimension = named.dimension
            and asked.category = named.category
            and themes.theme = named.theme
),

silent as (
    select contracts.contract_id
    from contracts
    left join notes
        on contracts.contract_id = notes.contract_id
    where notes.note_id is null
)

select
    contract_id,
    month_start_on,
    note_kind,
    respondent_role,
    dimension,
    category,
    theme,
    cast(case when status <> 'not_enough_data' then n_notes end as integer) as numerator,
    cast(case when status <> 'not_enough_data' then n_notes_all end as integer) as denominator,
    {{ safe_divide("case when status <> 'not_enough_data' then n_notes end", 'n_notes_all') }} as theme_rate,
    cast(case when status <> 'not_enough_data' then n_respondents end as integer) as n_respondents,
    cast(case when status <> 'not_enough_data' and is_counted then n_respondents_all end as integer) as n_respondents_all,
    cast(case when status <> 'not_enough_data' then n_positive end as integer) as n_positive,
    cast(case when status <> 'not_enough_data' then n_neutral end as integer) as n_neutral,
    cast(case when status <> 'not_enough_data' then n_negative end as integer) as n_negative,
    {{ safe_divide("case when status <> 'not_enough_data' then n_positive - n_negative end", 'n_coded') }} as net_sentiment,
    status,
    case
        when status = 'not_enough_data'
            then 'Fewer than ' || cast(least_group_n as varchar) || ' people of this group were heard.'
    end as what_is_missing
from counted

union all

select
    contract_id,
    null as month_start_on,
    null as note_kind,
    null as respondent_role,
    null as dimension,
    null as category,
    null as theme,
    null as numerator,
    null as denominator,
    null as theme_rate,
    null as n_respondents,
    null as n_respondents_all,
    null as n_positive,
    null as n_neutral,
    null as n_negative,
    null as net_sentiment,
    'not_enough_data' as status,
    'No survey, interview, focus group or observation about this contract was sent.' as what_is_missing
from silent
