-- Options for a need. A list replaces the whole list before it; within one list the last row of an id counts.
with options as (
    select
        option_id,
        trim(need) as need,
        trim(option_name) as option_name,
        nullif(trim(contract_id), '') as contract_id,
        cast(reachable_students as integer) as reachable_students,
        cast(capacity_students as integer) as capacity_students,
        cost_per_student_amount,
        outcome_rate_gain_low,
        outcome_rate_gain_base,
        outcome_rate_gain_high,
        upper(trim(evidence_grade)) as evidence_grade,
        sustainability_years,
        _file_id as file_id,
        _row_number as row_number,
        {{ recency_of_key(['option_id']) }} as recency
    from {{ source('lake', 'program_option__option') }}
)

select
    options.option_id,
    options.need,
    options.option_name,
    options.contract_id,
    options.reachable_students,
    options.capacity_students,
    options.cost_per_student_amount,
    options.outcome_rate_gain_low,
    options.outcome_rate_gain_base,
    options.outcome_rate_gain_high,
    options.evidence_grade,
    options.sustainability_years,
    options.file_id,
    options.row_number
from options
where options.recency = 1
