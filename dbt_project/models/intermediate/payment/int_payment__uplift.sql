-- One row per contract, rate-card line and student whose program raises the price (domain §3.2, uplift): the programs are those of the
-- student's first day on the roster, so that a flag set later changes no price; of several programs the largest multiplier counts.
select
    assignment.contract_id,
    assignment.contract_version,
    assignment.line_id,
    assignment.student_ref,
    cast(max(uplift.multiplier) as decimal(6, 4)) as uplift_multiplier,
    max_by(upper(uplift.program), uplift.multiplier) as uplift_program
from {{ ref('int_payment__assignment') }} as assignment
inner join {{ source('documents', 'rate_card_uplift') }} as uplift
    on
        assignment.contract_id = uplift.contract_id
        and assignment.contract_version = uplift.version
        and assignment.line_id = uplift.line_id
inner join {{ ref('input__program_status') }} as program
    on
        assignment.student_key = program.student_key
        and upper(uplift.program) = program.program
        and coalesce(program.begin_on <= assignment.first_start_on, true)
        and coalesce(program.end_on > assignment.first_start_on, true)
where assignment.is_on_roster
group by assignment.contract_id, assignment.contract_version, assignment.line_id, assignment.student_ref
