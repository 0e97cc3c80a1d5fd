-- Every file that ever came, and where each of its records went.
select
    file_id,
    source,
    format,
    table_name,
    layout,
    member_name,
    sha256,
    received_at,
    exported_at,
    rows_in,
    accepted,
    quarantined,
    duplicate,
    status,
    status_reason,
    file_rank,
    delivery_count
from {{ source('intake', 'file') }}
