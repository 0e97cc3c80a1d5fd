-- One row per priced outcome, tier and contract version; a line without tiers has one row with NULL tier.
select
    lines.contract_id,
    lines.version as contract_version,
    lines.line_id,
    lines.outcome_name,
    lines.outcome_class,
    lines.instrument,
    lines.metric,
    lines.source_column,
    lines.baseline_window,
    lines.end_window,
    lines.comparator,
    lines.tier_mode,
    tiers.kind as tier_kind,
    tiers.tier_number,
    cast(tiers.threshold as decimal(18, 6)) as threshold,
    cast(tiers.price_amount as decimal(18, 2)) as price_amount,
    lines.dosage_min_rate_numerator,
    lines.dosage_min_rate_denominator,
    lines.dosage_denominator,
    cast(lines.expected_rate_no_tutoring as decimal(9, 6)) as expected_rate_no_tutoring
from {{ source('documents', 'rate_card_line') }} as lines
left join {{ source('documents', 'rate_card_tier') }} as tiers
    on
        lines.contract_id = tiers.contract_id
        and lines.version = tiers.version
        and lines.line_id = tiers.line_id
