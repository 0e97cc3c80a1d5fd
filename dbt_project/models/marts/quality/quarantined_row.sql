-- Every record that did not go on: where it stands, and why. No value of it.
with quarantined_rows as (
    select * from {{ source('intake', 'quarantined_row') }}
),

files as (
    select * from {{ source('intake', 'file') }}
)

select
    quarantined_rows.file_id,
    quarantined_rows.source,
    quarantined_rows.format,
    quarantined_rows.table_name,
    files.member_name,
    files.received_at,
    files.status as file_status,
    quarantined_rows.record_number,
    quarantined_rows.line_number,
    quarantined_rows.rule,
    quarantined_rows.column_name,
    quarantined_rows.reason,
    quarantined_rows.row_key_hash
from quarantined_rows
left join files on quarantined_rows.file_id = files.file_id
