-- The data map with its answer: each row's five columns, whether its data is there in time, and which checks fail.
-- A row may be brought by several sources, and a check may serve several rows: both are comma-joined lists.
with data_map as (
    select
        *,
        {{ as_list('source') }} as source_list
    from {{ source('documents', 'data_map_row') }}
),

freshness as (
    select * from {{ ref('source_freshness') }}
),

current_rows as (
    select
        source,
        sum(accepted) as accepted
    from {{ source('intake', 'file') }}
    where status = 'CURRENT'
    group by source
),

arrivals as (
    select
        data_map.row_id,
        max(freshness.last_arrival_at) as last_arrival_at,
        max(freshness.due_on) as due_on,
        bool_and(freshness.is_fresh) as is_fresh,
        sum(current_rows.accepted) as accepted
    from data_map
    inner join freshness on data_map.source_list like '%,' || freshness.source || ',%'
    left join current_rows on freshness.source = current_rows.source
    group by data_map.row_id
),

checks as (
    select
        *,
        {{ as_list('data_map_row') }} as data_map_row_list
    from {{ source('intake', 'check_result') }}
),

served as (
    select
        data_map.row_id,
        count(*) filter (where checks.status <> 'NOT_RUN') as checks_run,
        count(*) filter (where checks.is_blocking) as blocking_checks,
        sum(checks.rows_checked) as values_checked,
        sum(checks.rows_checked - checks.rows_failed) as values_passed
    from data_map
    inner join checks on checks.data_map_row_list like '%,' || data_map.row_id || ',%'
    group by data_map.row_id
),

failing as (
    select
        data_map.row_id,
        {{ joined_text('checks.check_id') }} as failing_checks
    from data_map
    inner join checks on checks.data_map_row_list like '%,' || data_map.row_id || ',%'
    where checks.status in ('FAILED', 'ERROR')
    group by data_map.row_id
)

select
    data_map.row_id,
    data_map.metric,
    data_map.kind,
    data_map.measurement,
    data_map.source,
    data_map.system,
    data_map.owner_role,
    data_map.access_method,
    data_map.frequency,
    cast(data_map.expected_delay_hours as bigint) as expected_delay_hours,
    data_map.accuracy_status,
    data_map.suites,
    arrivals.last_arrival_at,
    arrivals.due_on,
    arrivals.is_fresh,
    cast(coalesce(arrivals.accepted, 0) as bigint) as rows,
    cast(coalesce(served.checks_run, 0) as bigint) as checks_run,
    {{ safe_divide('served.values_passed', 'served.values_checked') }} as pass_rate,
    failing.failing_checks,
    coalesce(served.blocking_checks, 0) > 0 as is_blocking,
    {{ as_of_date() }} as as_of_date
from data_map
left join arrivals on data_map.row_id = arrivals.row_id
left join served on data_map.row_id = served.row_id
left join failing on data_map.row_id = failing.row_id
