-- What an answer can go with, long: per contract and student the metric of each priced line that was measured, dosage so far over the
-- dosage the contract asks for so far, tutoring attendance and school attendance. Unknown is NULL, never 0.
with contract as (
    select * from {{ ref('int_payment__contract') }}
),

outcome as (
    select
        contract_id,
        student_ref as student_key,
        'OUTCOME' as factor_kind,
        line_id as factor,
        cast(metric_value as double) as factor_value
    from {{ ref('int_payment__outcome') }}
    where
        metric_value is not null
        and left(student_ref, 8) <> 'unknown:'
),

dose as (
    select
        dose.contract_id,
        dose.student_key,
        -- In the unit the contract counts: sessions where it states sessions, else minutes. Asked for so far: in step with the days served.
        case
            when not dose.has_session_data or dose.elapsed_days <= 0 then null
            when dose.required_sessions > 0
                then cast(dose.creditable as double) * dose.assigned_days / (dose.required_sessions * dose.elapsed_days)
            when contract.required_minutes > 0
                then
                    cast(dose.creditable_minutes as double)
                    * {{ days_between('contract.service_start_on', add_days('contract.service_end_on', 1)) }}
                    / (contract.required_minutes * dose.elapsed_days)
        end as dosage_rate,
        cast(dose.attended_of_scheduled as double) / nullif(dose.chargeable, 0) as tutoring_attendance_rate,
        cast(school.present_days as double) / nullif(school.enrolled_days, 0) as school_attendance_rate
    from {{ ref('int_student_tutoring__dose') }} as dose
    inner join contract
        on dose.contract_id = contract.contract_id
    left join {{ ref('agg_student_school_attendance') }} as school
        on
            dose.student_key = school.student_key
            and contract.school_year_end = school.school_year_end
    where dose.student_key is not null
)

select
    contract_id,
    student_key,
    factor_kind,
    factor,
    factor_value
from outcome
union all
select
    contract_id,
    student_key,
    'DOSAGE' as factor_kind,
    'dosage' as factor,
    dosage_rate as factor_value
from dose
where dosage_rate is not null
union all
select
    contract_id,
    student_key,
    'TUTORING_ATTENDANCE' as factor_kind,
    'tutoring_attendance' as factor,
    tutoring_attendance_rate as factor_value
from dose
where tutoring_attendance_rate is not null
union all
select
    contract_id,
    student_key,
    'SCHOOL_ATTENDANCE' as factor_kind,
    'school_attendance' as factor,
    school_attendance_rate as factor_value
from dose
where school_attendance_rate is not null
