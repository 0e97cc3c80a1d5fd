-- What each line will come to, as far as can be said: what is decided, and for students still open who are on pace, price times the chance
-- that the outcome is met. The chance is the district's own this year where at least ten students are measured, else the one the contract
-- states. Once nothing is open, a forecast is what was earned. One row for the base, which is projected from the days served.
with contract as (
    select * from {{ ref('int_payment__contract') }}
),

decision as (
    select
        *,
        coalesce(student_key, 'unknown:' || student_id) as student_ref,
        left(decision, 5) = 'HELD_' as is_held,
        left(decision, 5) = 'HELD_' or left(decision, 8) = 'PENDING_' as is_open,
        decision <> 'OUT_OF_SCOPE' and left(decision, 9) <> 'EXCLUDED_' as is_in_scope,
        -- Only those who were measured with enough dose and a provider that kept its duties say how likely an outcome is.
        decision in ('EARNED', 'NOT_EARNED_OUTCOME', 'PENALTY')
        and is_attendance_met and is_outcome_met is not null and student_id is not null as is_measured
    from {{ ref('fct_payment_decision') }}
),

-- Days of the line's period that a student was assigned, in all and up to the as-of date.
elapsed as (
    select
        span.contract_id,
        span.line_id,
        span.student_ref,
        sum(greatest({{ days_between(
            'greatest(span.start_on, line.service_start_on)',
            'least(span.end_on, ' ~ add_days('line.dosage_ends_on', 1) ~ ', ' ~ add_days(as_of_date(), 1) ~ ')'
        ) }}, 0)) as elapsed_days,
        sum(greatest({{ days_between(
            'greatest(span.start_on, line.service_start_on)',
            'least(span.end_on, ' ~ add_days('line.dosage_ends_on', 1) ~ ')'
        ) }}, 0)) as assigned_days
    from {{ ref('int_payment__assignment_span') }} as span
    inner join {{ ref('int_payment__line') }} as line
        on
            span.contract_id = line.contract_id
            and span.line_id = line.line_id
    group by span.contract_id, span.line_id, span.student_ref
),

-- On pace: the gate is reached, or the dose so far is no less than the gate asks for the days so far. In whole numbers.
paced as (
    select
        decision.*,
        case
            when decision.is_provider_met = false then false
            when decision.is_attendance_met is not null then decision.is_attendance_met
            when decision.student_id is null or decision.reason_code = 'NO_SESSION_DATA' or decision.student_key is null then null
            when decision.dosage_basis <> 'REQUIRED'
                then
                    (decision.dosage_attended + decision.dosage_credited) * decision.dosage_min_rate_denominator
                    >= decision.dosage_required * decision.dosage_min_rate_numerator
            else
                (decision.dosage_attended + decision.dosage_credited) * decision.dosage_min_rate_denominator * elapsed.assigned_days
                >= decision.dosage_required * decision.dosage_min_rate_numerator * elapsed.elapsed_days
        end as is_on_pace
    from decision
    left join elapsed
        on
            decision.contract_id = elapsed.contract_id
            and decision.line_id = elapsed.line_id
            and decision.student_ref = elapsed.student_ref
),

counted as (
    select
        contract_id,
        line_id,
        max(period) as period,
        count(*) filter (where is_in_scope and not is_open) as decided_count,
        count(*) filter (where is_open) as open_count,
        count(*) filter (where is_held) as held_count,
        count(*) filter (where is_open and is_on_pace) as on_pace_count,
        count(*) filter (where is_open and not is_on_pace) as behind_count,
        count(*) filter (where is_open and is_on_pace is null) as pace_unknown_count,
        count(*) filter (where is_measured) as measured_count,
        count(*) filter (where is_measured and is_outcome_met) as met_count,
        sum(case when is_measured and is_outcome_met then earned_amount else 0 end) as met_amount,
        sum(case when is_measured and is_outcome_met then maximum_amount else 0 end) as met_maximum_amount,
        sum(case when is_measured and earned_amount < 0 then earned_amount else 0 end) as penalty_amount,
        sum(earned_amount) as decided_amount,
        sum(case when is_open then maximum_amount else 0 end) as open_maximum_amount,
        sum(case when is_open and is_on_pace then maximum_amount else 0 end) as on_pace_maximum_amount
    from paced
    group by contract_id, line_id
),

lowest_price as (
    select
        contract_id,
        version as contract_version,
        line_id,
        min_by(price_amount, threshold) as price_amount
    from {{ source('documents', 'rate_card_tier') }}
    where kind = 'TIER'
    group by contract_id, version, line_id
),

-- The chance, and what share of the top price an outcome brings when it is met: with tiers, not everyone reaches the top one.
rated as (
    select
        counted.*,
        case
            when counted.measured_count >= 10 then 'OWN_RATE'
            when line.expected_rate_no_tutoring is not null and line.price_unit <> 'COHORT_THRESHOLD' then 'STATED_RATE'
            else 'NONE'
        end as rate_basis,
        case
            when counted.measured_count >= 10
                then cast(counted.met_count as double) / counted.measured_count
            when line.price_unit <> 'COHORT_THRESHOLD' then cast(line.expected_rate_no_tutoring as double)
        end as expected_rate,
        case when counted.measured_count >= 10 then {{ wilson_bound('counted.met_count', 'counted.measured_count', '-') }} end as low_rate,
        case when counted.measured_count >= 10 then {{ wilson_bound('counted.met_count', 'counted.measured_count', '+') }} end as high_rate,
        coalesce(
            cast(counted.met_amount as double) / nullif(cast(counted.met_maximum_amount as double), 0),
            cast(lowest_price.price_amount as double) / nullif(cast(line.maximum_price_amount as double), 0),
            0
        ) as price_share,
        case
            when counted.measured_count >= 10 then cast(counted.penalty_amount as double) / counted.measured_count
            else 0
        end as penalty_per_student
    from counted
    inner join {{ ref('int_payment__line') }} as line
        on
            counted.contract_id = line.contract_id
            and counted.line_id = line.line_id
    left join lowest_price
        on
            line.contract_id = lowest_price.contract_id
            and line.contract_version = lowest_price.contract_version
            and line.line_id = lowest_price.line_id
),

-- To come, on top of what is decided: nothing where nobody is on pace, unknown where nobody can say a chance or who is on pace.
outcome as (
    select
        *,
        case
            when on_pace_count = 0 and pace_unknown_count > 0 then null
            when on_pace_count = 0 then 0
            else on_pace_maximum_amount * price_share * expected_rate + on_pace_count * penalty_per_student
        end as to_come,
        case
            when on_pace_count = 0 and pace_unknown_count > 0 then null
            when on_pace_count = 0 then 0
            else on_pace_maximum_amount * price_share * low_rate + on_pace_count * penalty_per_student
        end as low_to_come,
        case
            when on_pace_count = 0 and pace_unknown_count > 0 then null
            when on_pace_count = 0 then 0
            else on_pace_maximum_amount * price_share * high_rate + on_pace_count * penalty_per_student
        end as high_to_come
    from rated
),

settled as (
    select
        contract_id,
        case when line_kind in ('BASE', 'INSTALMENT') then 'BASE' else line_id end as line_id,
        sum(payable_amount) as payable_amount
    from {{ ref('fct_settlement_line') }}
    group by contract_id, case when line_kind in ('BASE', 'INSTALMENT') then 'BASE' else line_id end
),

-- The base of students grows with the days served; it never falls, and cannot pass what the contract's students can bring at most.
-- Instalments come on their dates.
base as (
    select
        payment.contract_id,
        max(payment.period) as period,
        count(payment.student_id) as student_count,
        sum(payment.base_amount) as decided_amount,
        sum(payment.maximum_base_amount) as maximum_amount,
        sum(case when payment.reason_code = 'NOT_DUE' then payment.maximum_base_amount else 0 end) as not_due_amount,
        max(case when payment.line_id = 'BASE' then 1 else 0 end) = 1 as is_of_students,
        max(contract.service_end_on) as service_end_on,
        max({{ days_between('contract.service_start_on', 'contract.service_end_on') }} + 1) as service_days,
        max({{ days_between('contract.service_start_on', as_of_date()) }} + 1) as elapsed_days
    from {{ ref('fct_base_payment') }} as payment
    inner join contract
        on payment.contract_id = contract.contract_id
    group by payment.contract_id
),

projected as (
    select
        *,
        not_due_amount = 0 and (not is_of_students or service_end_on < {{ as_of_date() }} or decided_amount = maximum_amount) as is_over,
        case
            when not is_of_students then cast(not_due_amount as double)
            when service_end_on < {{ as_of_date() }} then 0
            when elapsed_days < 1 then null
            else
                least(cast(decided_amount as double) * service_days / elapsed_days, cast(maximum_amount as double))
                - cast(decided_amount as double)
        end as to_come
    from base
),

forecast as (
    select
        contract_id,
        line_id,
        'OUTCOME' as line_kind,
        period,
        decided_count,
        open_count,
        held_count,
        on_pace_count,
        behind_count,
        pace_unknown_count,
        met_count,
        measured_count,
        case when open_count = 0 then 'NONE_NEEDED' else rate_basis end as rate_basis,
        expected_rate,
        low_rate,
        high_rate,
        case
            when open_count = 0 then 'decided'
            when measured_count < 10 then 'not_enough_data'
            else 'forecast'
        end as status,
        decided_amount,
        open_maximum_amount,
        to_come,
        low_to_come,
        high_to_come
    from outcome
    union all
    select
        contract_id,
        'BASE' as line_id,
        'BASE' as line_kind,
        period,
        case when is_over then student_count else 0 end as decided_count,
        case when is_over then 0 else student_count end as open_count,
        0 as held_count,
        0 as on_pace_count,
        0 as behind_count,
        case when is_over then 0 else student_count end as pace_unknown_count,
        null as met_count,
        null as measured_count,
        case when is_over then 'NONE_NEEDED' when is_of_students then 'PACE' else 'SCHEDULE' end as rate_basis,
        null as expected_rate,
        null as low_rate,
        null as high_rate,
        case when is_over then 'decided' when to_come is null then 'not_enough_data' else 'forecast' end as status,
        decided_amount,
        case when is_over then 0 when is_of_students then maximum_amount - decided_amount else not_due_amount end as open_maximum_amount,
        to_come,
        -- What is earned stays earned; more than the maximum cannot come.
        case when is_of_students then 0 else to_come end as low_to_come,
        case
            when is_over then 0
            when is_of_students then cast(maximum_amount - decided_amount as double)
            else to_come
        end as high_to_come
    from projected
),

-- Under the caps: what is payable now stays, what is to come has the room that is left. First the line's own, then the base takes its part
-- of the ceiling, then pool and ceiling are shared by what the lines would need.
line_room as (
    select
        forecast.*,
        terms.pool_cap_cents,
        terms.nte_ceiling_cents,
        coalesce(settled.payable_amount, 0) as payable_amount,
        case
            when line_terms.line_cap_cents is null then forecast.to_come
            else
                least(
                    forecast.to_come,
                    greatest(cast({{ dollars('line_terms.line_cap_cents') }} - coalesce(settled.payable_amount, 0) as double), 0)
                )
        end as wanted
    from forecast
    inner join {{ ref('int_settlement__terms') }} as terms
        on forecast.contract_id = terms.contract_id
    left join {{ ref('int_settlement__line_terms') }} as line_terms
        on
            forecast.contract_id = line_terms.contract_id
            and forecast.line_id = line_terms.line_id
    left join settled
        on
            forecast.contract_id = settled.contract_id
            and forecast.line_id = settled.line_id
),

summed as (
    select
        *,
        sum(case when line_kind = 'BASE' then payable_amount else 0 end) over (partition by contract_id) as base_payable_amount,
        sum(case when line_kind = 'BASE' then 0 else payable_amount end) over (partition by contract_id) as outcome_payable_amount,
        sum(case when line_kind = 'BASE' then coalesce(wanted, 0) else 0 end) over (partition by contract_id) as base_wanted,
        sum(case when line_kind = 'BASE' then 0 else greatest(coalesce(wanted, 0), 0) end) over (partition by contract_id) as outcome_wanted
    from line_room
),

roomed as (
    select
        *,
        greatest(
            least(
                coalesce(cast({{ dollars('pool_cap_cents') }} - outcome_payable_amount as double), outcome_wanted),
                coalesce(
                    cast({{ dollars('nte_ceiling_cents') }} - outcome_payable_amount - base_payable_amount as double) - base_wanted,
                    outcome_wanted
                )
            ),
            0
        ) as outcome_room,
        greatest(
            coalesce(cast({{ dollars('nte_ceiling_cents') }} - outcome_payable_amount - base_payable_amount as double), base_wanted), 0
        ) as base_room
    from summed
)

select
    {{ surrogate_key(['contract_id', 'line_id', 'period']) }} as forecast_key,
    contract_id,
    line_id,
    line_kind,
    period,
    status,
    cast(decided_count as bigint) as students_decided,
    cast(open_count as bigint) as students_pending,
    cast(held_count as bigint) as students_held,
    cast(on_pace_count as bigint) as students_on_pace,
    cast(behind_count as bigint) as students_behind,
    cast(pace_unknown_count as bigint) as students_pace_unknown,
    rate_basis,
    cast(met_count as bigint) as met_numerator,
    cast(measured_count as bigint) as met_denominator,
    cast(expected_rate as decimal(9, 6)) as expected_rate,
    cast(low_rate as decimal(9, 6)) as low_rate,
    cast(high_rate as decimal(9, 6)) as high_rate,
    cast(decided_amount as decimal(18, 2)) as decided_amount,
    cast(open_maximum_amount as decimal(18, 2)) as pending_maximum_amount,
    cast(decided_amount + cast(round(to_come, 2) as decimal(18, 2)) as decimal(18, 2)) as expected_amount,
    cast(decided_amount + cast(round(low_to_come, 2) as decimal(18, 2)) as decimal(18, 2)) as low_amount,
    cast(decided_amount + cast(round(high_to_come, 2) as decimal(18, 2)) as decimal(18, 2)) as high_amount,
    cast(payable_amount as decimal(18, 2)) as payable_amount,
    cast(
        payable_amount + cast(
            round(
                case
                    when line_kind = 'BASE' then least(wanted, base_room)
                    when wanted <= 0 or outcome_wanted <= outcome_room then wanted
                    else wanted * outcome_room / outcome_wanted
                end, 2
            ) as decimal(18, 2)
        ) as decimal(18, 2)
    ) as expected_payable_amount,
    {{ as_of_date() }} as as_of_date
from roomed
