{# A law of one row: the expression is TRUE for every row; NULL fails, unless `is_null_allowed`. #}
{% test expression_is_true(model, expression, is_null_allowed=false) %}
select 1 as broken
from {{ model }}
where not coalesce({{ expression }}, {{ 'true' if is_null_allowed else 'false' }})
{% endtest %}
