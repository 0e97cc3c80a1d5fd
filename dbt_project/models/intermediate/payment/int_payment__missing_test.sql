-- One row per test a line needs and a rostered student has not (validly) taken, with whose fault it is: only a ruling says so.
-- Without a ruling the cause is unknown, and unknown pays nobody.
with unusable as (
    select
        counted.contract_id,
        counted.contract_version,
        counted.line_id,
        counted.student_ref,
        counted.student_key,
        counted.test_role,
        counted.window_id,
        counted.test_status,
        counted.test_reason
    from {{ ref('int_assessment__counted') }} as counted
    where counted.test_status in ('MISSING', 'INVALID')
),

-- A ruling's key is the window, the line, or blank; the more it names, the more it weighs.
ruled as (
    select
        unusable.contract_id,
        unusable.line_id,
        unusable.student_ref,
        unusable.test_role,
        ruling.value as cause,
        ruling.ruling_id,
        row_number() over (
            partition by unusable.contract_id, unusable.line_id, unusable.student_ref, unusable.test_role
            order by
                case when ruling.student_key is not null then 0 else 1 end,
                case when ruling.key is not null then 0 else 1 end,
                ruling.ruled_on desc,
                ruling.ruling_id desc
        ) as weight
    from unusable
    inner join {{ ref('int_payment__ruling') }} as ruling
        on
            ruling.subject = 'MISSING_TEST_CAUSE'
            and (ruling.contract_id is null or unusable.contract_id = ruling.contract_id)
            and (ruling.student_key is null or unusable.student_key = ruling.student_key)
            and (ruling.key is null or upper(ruling.key) = unusable.window_id or ruling.key = unusable.line_id)
)

select
    unusable.contract_id,
    unusable.contract_version,
    unusable.line_id,
    unusable.student_ref,
    unusable.student_key,
    unusable.test_role,
    unusable.window_id,
    unusable.test_status,
    unusable.test_reason,
    -- DISTRICT, PROVIDER, STUDENT or NONE; NULL without a ruling.
    ruled.cause,
    ruled.ruling_id
from unusable
left join ruled
    on
        unusable.contract_id = ruled.contract_id
        and unusable.line_id = ruled.line_id
        and unusable.student_ref = ruled.student_ref
        and unusable.test_role = ruled.test_role
        and ruled.weight = 1
