-- The disclosure log: one row per entry and table that the recipient has after it.
select
    cast(entry_seq as bigint) as entry_seq,
    cast(entry_kind as varchar) as entry_kind,
    cast(audience as varchar) as audience,
    cast(recipient as varchar) as recipient,
    cast(table_name as varchar) as table_name,
    cast(column_names as varchar) as column_names,
    cast(row_count as bigint) as row_count,
    cast(student_count as bigint) as student_count,
    cast(packs as varchar) as packs,
    cast(purpose as varchar) as purpose,
    cast(legal_basis as varchar) as legal_basis,
    cast(is_ferpa_recordable as boolean) as is_ferpa_recordable,
    cast(contracts as varchar) as contracts,
    cast(run_id as varchar) as run_id,
    cast(as_of_date as date) as as_of_date,
    cast(released_at as timestamp) as released_at,
    cast(released_by as varchar) as released_by,
    cast(released_by_role as varchar) as released_by_role,
    cast(snapshot_hash as varchar) as snapshot_hash,
    cast(prev_hash as varchar) as prev_hash,
    cast(entry_hash as varchar) as entry_hash
from {{ source('sharing', 'disclosure_entry') }}
