{# Whom a line is for, as text: '' where it is for no student. An id the district does not know could be spelled like one it knows. #}
{% macro settled_student(student_id, student_key) -%}
    case when {{ student_id }} is null then '' when {{ student_key }} is null then 'unknown:' || {{ student_id }} else {{ student_id }} end
{%- endmacro %}

{# The name of what is paid, the same in every run: the ledger holds balances by it, so it may never be made in another way. #}
{% macro line_key(contract_id, line_id, student_id, student_key, period) -%}
    md5({{ contract_id }} || '|' || {{ line_id }} || '|' || {{ settled_student(student_id, student_key) }} || '|' || {{ period }})
{%- endmacro %}
