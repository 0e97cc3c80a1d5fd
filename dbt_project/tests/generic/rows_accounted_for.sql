{# Nothing is lost between two models: they have the same number of rows (of the other one, those matching `other_where`).
   Rows that cannot be used are kept and marked, never dropped by a join. #}
{% test rows_accounted_for(model, other, other_where='true', where_kept='true') %}
with counts as (
    select
        (select count(*) from {{ model }} where {{ where_kept }}) as row_count,
        (select count(*) from {{ other }} where {{ other_where }}) as other_row_count
)

select *
from counts
where row_count <> other_row_count
{% endtest %}
