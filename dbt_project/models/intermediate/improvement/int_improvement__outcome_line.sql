-- One row per contract and rate-card line: which pair of tests it is about, and from what value on one student counts as having met it.
-- A line without a baseline of its own (a state test) is paired with the same test of the school year before. Lines that no test measures
-- (attendance, taking the test) have no pair.
with thresholds as (
    select
        contract_id,
        version,
        line_id,
        min(threshold) as threshold
    from {{ source('documents', 'rate_card_tier') }}
    where kind = 'TIER'
    group by contract_id, version, line_id
),

lines as (
    select
        line.contract_id,
        line.line_id,
        line.provider_id,
        lower(line.subject) as subject,
        line.school_year_end,
        line.outcome_name,
        line.outcome_class,
        line.instrument,
        line.metric,
        coalesce(line.comparator, '>=') as comparator,
        line.norms_reference,
        line.end_window,
        line.service_start_on,
        line.has_dosage_gate,
        coalesce(line.baseline_window, 'PRIOR_' || line.end_window) as baseline_window,
        case
            when line.price_unit = 'COHORT_THRESHOLD' then line.student_threshold
            else thresholds.threshold
        end as threshold,
        coalesce(line.outcome_class, 'GROWTH') <> 'ATTENDANCE' and line.metric <> 'ASSESSMENT_COMPLETED' as has_pair
    from {{ ref('int_payment__line') }} as line
    left join thresholds
        on
            line.contract_id = thresholds.contract_id
            and line.contract_version = thresholds.version
            and line.line_id = thresholds.line_id
)

select
    contract_id,
    line_id,
    provider_id,
    subject,
    school_year_end,
    outcome_name,
    outcome_class,
    instrument,
    metric,
    comparator,
    cast(threshold as decimal(18, 6)) as threshold,
    baseline_window,
    end_window,
    norms_reference,
    service_start_on,
    has_dosage_gate,
    has_pair,
    case
        when has_pair
            then {{ surrogate_key(['subject', 'instrument', 'metric', 'baseline_window', 'end_window', 'norms_reference']) }}
    end as pair_key
from lines
