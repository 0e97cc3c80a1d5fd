-- The contract roster with our keys. A student the roster of the schools does not know stays, with student_key NULL: held, not dropped.
with assignments as (
    select
        contract_id,
        student_id,
        nullif(trim(line_id), '') as line_id,
        school_id,
        start_on,
        end_on,
        nullif(upper(trim(end_reason)), '') as end_reason,
        vendor_share,
        nullif(trim(substituted_for), '') as substituted_for,
        is_consented,
        _source as source,
        _file_id as file_id,
        _row_number as row_number
    from {{ source('lake', 'contract_roster__assignment') }}
)

select
    assignments.contract_id,
    identifier.student_key,
    coalesce(identifier.student_id, assignments.student_id) as student_id,
    assignments.line_id,
    alias.school_id,
    assignments.start_on,
    assignments.end_on,
    assignments.end_reason,
    cast(assignments.vendor_share as decimal(9, 6)) as vendor_share,
    substituted.student_key as substituted_for_student_key,
    assignments.is_consented,
    assignments.source,
    assignments.file_id,
    assignments.row_number
from assignments
{{ join_student('assignments') }}
left join {{ ref('input__student_identifier') }} as substituted
    on
        assignments.substituted_for = substituted.id_value
        and coalesce(feed.student_id_is, 'LOCAL') = substituted.id_type
left join {{ ref('stg_oneroster__school_alias') }} as alias
    on {{ school_alias('assignments.school_id') }} = alias.alias
