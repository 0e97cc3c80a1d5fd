{# Half-open spans [starts, ends) of one owner never overlap, and none is empty. A NULL end is open. #}
{% test no_overlapping_spans(model, owner, starts, ends) %}
with spans as (
    select
        {{ starts }} as starts_on,
        {{ ends }} as ends_on,
        lead({{ starts }}) over (partition by {{ owner | join(', ') }} order by {{ starts }}) as next_starts_on
    from {{ model }}
)

select *
from spans
where
    ends_on <= starts_on
    or (next_starts_on is not null and (ends_on is null or ends_on > next_starts_on))
{% endtest %}
