-- Every check of this run, from Great Expectations, dbt and intake alike.
select
    run_id,
    check_id,
    source,
    contract_id,
    suite,
    expectation_type,
    column_name,
    data_map_row,
    severity,
    status,
    rows_checked,
    rows_failed,
    pass_rate,
    mostly,
    is_blocking,
    checked_as_of,
    message,
    engine
from {{ source('intake', 'check_result') }}
