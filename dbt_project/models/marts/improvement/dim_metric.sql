-- What can be asked about: process metrics of any contract, and each contract's priced lines.
with process_metrics as (
    {%- for metric_id, label, unit, better, columns in [
        ('tutoring_attendance', 'Tutoring attendance', 'student-sessions', 'UP', 'is_attended of sessions that were the student\'s to attend'),
        ('delivery', 'Delivery', 'student-sessions', 'UP', 'is_held of sessions scheduled on days not closed'),
        ('provider_loss', 'Lost through the provider', 'student-sessions', 'DOWN', 'absence_cause of sessions scheduled on days not closed'),
        ('district_loss', 'Lost through the district', 'student-sessions', 'DOWN', 'absence_cause of sessions scheduled on days not closed'),
        ('skip_in_school', 'Skipped while in school', 'student-sessions', 'DOWN', 'absence_cause of sessions on days present in school'),
        ('same_tutor', 'Same tutor', 'student-sessions', 'UP', 'tutor_id of sessions attended: the student\'s most frequent one'),
        ('group_size', 'Group size kept', 'student-sessions', 'UP', 'group_size of sessions attended, against max_group_size'),
        ('duration', 'Length kept', 'student-sessions', 'UP', 'attended_minutes of sessions attended, against min_session_minutes'),
        ('creditable_sessions', 'Creditable sessions against required', 'sessions', 'UP', 'is_creditable, against required_sessions spread over school days'),
        ('school_attendance', 'School attendance', 'student-days', 'UP', 'absent_share of days of membership the feed covers'),
        ('exit_ticket_response', 'Exit tickets answered', 'student-sessions', 'UP', 'responses of sessions attended while tickets were asked for'),
    ] %}
    select
        cast(null as varchar) as contract_id,
        '{{ metric_id }}' as metric_id,
        '{{ label }}' as label,
        '{{ unit }}' as unit,
        '{{ better }}' as better_direction,
        '{{ columns | replace("'", "''") }}' as source_columns
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

ticket_metrics as (
    select distinct
        cast(null as varchar) as contract_id,
        'exit_ticket_' || construct as metric_id,
        'Exit ticket, ' || construct || ': favourable' as label,
        'responses' as unit,
        'UP' as better_direction,
        'value_scaled of the items of the construct, favourable from 0.75' as source_columns
    from {{ source('documents', 'exit_ticket_item') }}
    where
        not coalesce(is_free_text, false)
        and construct is not null
),

priced_lines as (
    select
        contract_id,
        lower(line_id) as metric_id,
        outcome_name as label,
        'students' as unit,
        'UP' as better_direction,
        coalesce(source_column, metric) as source_columns
    from {{ ref('int_payment__line') }}
)

select
    contract_id,
    metric_id,
    label,
    'PROCESS' as measure_kind,
    unit,
    better_direction,
    source_columns
from process_metrics

union all

select
    contract_id,
    metric_id,
    label,
    'PROCESS' as measure_kind,
    unit,
    better_direction,
    source_columns
from ticket_metrics

union all

select
    contract_id,
    metric_id,
    label,
    'PAYMENT' as measure_kind,
    unit,
    better_direction,
    source_columns
from priced_lines
