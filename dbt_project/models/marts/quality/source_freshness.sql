-- One row per source: what has come, whether it is there in time, and what is wrong with it.
with sources as (
    select * from {{ source('documents', 'data_source') }}
),

freshness as (
    select * from {{ source('intake', 'source_freshness') }}
),

files as (
    select
        source,
        count(*) as files,
        count(*) filter (where status = 'HELD') as files_held,
        count(*) filter (where status = 'REFUSED') as files_refused,
        sum(rows_in) as rows_in,
        sum(accepted) as accepted,
        sum(quarantined) as quarantined,
        sum(duplicate) as duplicate
    from {{ source('intake', 'file') }}
    group by source
),

checks as (
    select
        source,
        count(*) filter (where status in ('FAILED', 'ERROR')) as failing_checks,
        count(*) filter (where is_blocking) as blocking_checks
    from {{ source('intake', 'check_result') }}
    where source is not null
    group by source
)

select
    sources.source,
    sources.format,
    sources.provider_id,
    sources.owner_role,
    sources.frequency,
    cast(sources.expected_delay_days as bigint) as expected_delay_days,
    freshness.last_arrival_at,
    freshness.due_on,
    freshness.is_fresh,
    freshness.reason,
    cast(coalesce(files.files, 0) as bigint) as files,
    cast(coalesce(files.files_held, 0) as bigint) as files_held,
    cast(coalesce(files.files_refused, 0) as bigint) as files_refused,
    cast(coalesce(files.rows_in, 0) as bigint) as rows_in,
    cast(coalesce(files.accepted, 0) as bigint) as accepted,
    cast(coalesce(files.quarantined, 0) as bigint) as quarantined,
    cast(coalesce(files.duplicate, 0) as bigint) as duplicate,
    cast(coalesce(checks.failing_checks, 0) as bigint) as failing_checks,
    coalesce(checks.blocking_checks, 0) > 0 as is_blocking,
    {{ as_of_date() }} as as_of_date
from sources
left join freshness on sources.source = freshness.source
left join files on sources.source = files.source
left join checks on sources.source = checks.source
