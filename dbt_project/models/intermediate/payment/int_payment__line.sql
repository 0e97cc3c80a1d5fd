-- One row per contract and rate-card line, as the version has it that is in force when the line's end window closes (domain §4.5).
with version_windows as (
    select
        contract.contract_id,
        contract.version,
        contract.effective_from,
        contract.effective_to,
        contract_window.window_id,
        contract_window.closes_on
    from {{ source('documents', 'contract') }} as contract
    inner join {{ source('documents', 'contract_window') }} as contract_window
        on
            contract.contract_id = contract_window.contract_id
            and contract.version = contract_window.version
),

-- Each version judges itself by its own closing date; the newest that is in force then governs. Where an amendment moves the
-- closing date so that none is, the newest version does.
governing as (
    select
        contract_id,
        window_id,
        coalesce(
            max(version) filter (
                where
                coalesce(effective_from <= closes_on, true)
                and coalesce(closes_on < effective_to, true)
            ),
            max(version)
        ) as version
    from version_windows
    group by contract_id, window_id
),

-- The most one student (with COHORT_THRESHOLD, all of them) can earn on the line, before uplift and the vendor's share.
top_price as (
    select
        line.contract_id,
        line.version,
        line.line_id,
        max(case when line.tier_mode = 'CUMULATIVE' then 1 else 0 end) as is_cumulative,
        max(tier.price_amount) as best_price_amount,
        sum(tier.price_amount) as sum_price_amount,
        max(case when line.price_unit = 'PER_POINT_ABOVE_TARGET' then tier.price_amount * line.points_max end) as points_price_amount
    from {{ source('documents', 'rate_card_line') }} as line
    inner join {{ source('documents', 'rate_card_tier') }} as tier
        on
            line.contract_id = tier.contract_id
            and line.version = tier.version
            and line.line_id = tier.line_id
    where tier.kind = 'TIER'
    group by line.contract_id, line.version, line.line_id
)

select
    line.contract_id,
    cast(line.version as integer) as contract_version,
    line.line_id,
    cast(contract.school_year_end - 1 as varchar) || '-' || cast(contract.school_year_end as varchar) as period,
    cast(contract.school_year_end as integer) as school_year_end,
    contract.provider_id,
    contract.subject,
    line.outcome_name,
    line.outcome_class,
    line.instrument,
    line.metric,
    line.source_column,
    line.comparator,
    line.tier_mode,
    coalesce(line.price_unit, 'PER_STUDENT_OUTCOME') as price_unit,
    line.student_threshold,
    cast(line.points_max as integer) as points_max,
    line.requires_line,
    line.excludes_line,
    line.validator,
    line.missing_test_rule,
    coalesce(line.retest_rule, 'INSTRUMENT_OFFICIAL') as retest_rule,
    line.norms_reference,
    line.rapid_guessing_max_share,
    line.expected_rate_no_tutoring,
    line.end_window,
    end_window.opens_on as end_opens_on,
    end_window.closes_on as end_closes_on,
    -- State results come later than the window's own due date; the line then states its own.
    coalesce(line.data_due_on, end_window.data_due_on) as data_due_on,
    line.baseline_window,
    baseline_window.opens_on as baseline_opens_on,
    baseline_window.closes_on as baseline_closes_on,
    baseline_window.late_baseline_until,
    contract.service_start_on,
    contract.service_end_on,
    -- Dosage and obligations are judged on the sessions up to the close of the line's own window: a mid-year line never waits for May.
    least(contract.service_end_on, end_window.closes_on) as dosage_ends_on,
    {{ days_between('contract.service_start_on', 'contract.service_end_on') }} + 1 as service_days,
    line.dosage_unit,
    line.dosage_denominator,
    cast(line.dosage_min_rate_numerator as bigint) as dosage_min_rate_numerator,
    cast(line.dosage_min_rate_denominator as bigint) as dosage_min_rate_denominator,
    -- A contract that sets no gate writes a minimum of 0.
    coalesce(line.dosage_min_rate_numerator, 0) > 0 as has_dosage_gate,
    cast(contract.required_sessions as bigint) as required_sessions,
    cast(contract.required_minutes as bigint) as required_minutes,
    cast(contract.sessions_per_week as integer) as sessions_per_week,
    cast(contract.min_session_minutes as integer) as min_session_minutes,
    cast(contract.max_group_size as integer) as max_group_size,
    cast(contract.data_submission_sla_hours as integer) as data_submission_sla_hours,
    contract.both_default_rule,
    contract.district_default_share,
    contract.district_default_scope,
    cast(
        coalesce(
            top_price.points_price_amount,
            case when top_price.is_cumulative = 1 then top_price.sum_price_amount else top_price.best_price_amount end,
            0
        )
        as decimal(18, 2)
    ) as maximum_price_amount
from governing
inner join {{ source('documents', 'contract') }} as contract
    on
        governing.contract_id = contract.contract_id
        and governing.version = contract.version
inner join {{ source('documents', 'rate_card_line') }} as line
    on
        governing.contract_id = line.contract_id
        and governing.version = line.version
        and governing.window_id = line.end_window
inner join {{ source('documents', 'contract_window') }} as end_window
    on
        line.contract_id = end_window.contract_id
        and line.version = end_window.version
        and line.end_window = end_window.window_id
left join {{ source('documents', 'contract_window') }} as baseline_window
    on
        line.contract_id = baseline_window.contract_id
        and line.version = baseline_window.version
        and line.baseline_window = baseline_window.window_id
left join top_price
    on
        line.contract_id = top_price.contract_id
        and line.version = top_price.version
        and line.line_id = top_price.line_id
