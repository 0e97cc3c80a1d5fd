-- One row per row of a file that names the same test as another row of it, with another result.
select
    file_id,
    cast(row_number as bigint) as row_number
from {{ ref('stg_assessment__conflicting_row') }}
