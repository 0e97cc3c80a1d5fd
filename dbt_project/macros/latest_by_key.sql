{# "supersedes = key" (architecture.md, One file's life): the newest file that has a key gives its rows. #}

{# 1 for the newest row of a key. For small tables; a window over a wide one sorts all its columns. #}
{% macro recency_of_key(key) -%}
    row_number() over (
        partition by {{ key | join(', ') }}
        order by _file_rank desc, _row_number desc, _file_id desc
    )
{%- endmacro %}

{# A query for the rows of `relation` that a newer row of the same key replaces, as _file_id and _row_number, to be anti-joined. Keys that
   occur once, almost all of them, are only counted, never sorted. The key's columns are never NULL. #}
{% macro replaced_rows(relation, key) -%}
    select
        _file_id,
        _row_number
    from (
        select
            several._file_id,
            several._row_number,
            row_number() over (
                partition by {% for column in key %}several.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
                order by several._file_rank desc, several._row_number desc, several._file_id desc
            ) as recency
        from {{ relation }} as several
        inner join (
            select {{ key | join(', ') }}
            from {{ relation }}
            group by {{ key | join(', ') }}
            having count(*) > 1
        ) as repeated
            on
                {%- for column in key %}
                {% if not loop.first %}and {% endif %}several.{{ column }} = repeated.{{ column }}
                {%- endfor %}
    ) as ranked
    where recency > 1
{%- endmacro %}
