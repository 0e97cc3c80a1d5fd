{# None of the columns is ever NULL: one query for the whole model, where a test per column would cost each run a second. #}
{% test always_stated(model, columns) %}
select 1 as broken
from {{ model }}
where
    {% for column in columns -%}
    {{ column }} is null{{ ' or' if not loop.last }}
    {% endfor %}
{% endtest %}
