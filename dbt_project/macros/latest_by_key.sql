{# TRUE for the rows of the newest file that has this key: "supersedes = key" (architecture.md, One file's life).
   All rows of the key in that file stay, since one session may come as several intervals.
   Use it in a select list and filter on it one CTE later. #}
{% macro is_from_newest_file(key) -%}
    _file_rank = max(_file_rank) over (partition by {{ key | join(', ') }})
{%- endmacro %}

{# 1 for the newest row of a key. #}
{% macro recency_of_key(key) -%}
    row_number() over (
        partition by {{ key | join(', ') }}
        order by _file_rank desc, _row_number desc, _file_id desc
    )
{%- endmacro %}
