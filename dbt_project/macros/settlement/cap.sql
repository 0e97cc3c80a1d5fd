{# Caps in whole cents. Nothing here divides but integer_divide, and nothing passes through a float. #}

{# An integer wide enough for the product of two amounts in cents. #}
{% macro wide_integer() -%}
    {{ return(adapter.dispatch('wide_integer', 'obc')()) }}
{%- endmacro %}

{% macro default__wide_integer() -%}
    hugeint
{%- endmacro %}

{% macro spark__wide_integer() -%}
    decimal(38, 0)
{%- endmacro %}

{# US dollars as whole cents, and back. #}
{% macro cents(amount) -%}
    cast({{ amount }} * 100 as bigint)
{%- endmacro %}

{% macro dollars(cents) -%}
    cast(cast({{ cents }} as decimal(16, 0)) * cast(0.01 as decimal(2, 2)) as decimal(18, 2))
{%- endmacro %}

{# One cap, as CTEs `<name>_summed`, `<name>_shared`, `<name>_placed` and `<name>`.

   Rows of `source` have line_key, cents and cap_applied. Within the groups of `group_by` the positive rows are cut down to
   `positive_limit` where they are more: each keeps floor(cents x limit / sum), and the cents left over go one by one to the rows with the
   largest remainders, ties by line_key, so that the rows sum exactly to the limit (domain §4.3). No row gains, none gets below 0,
   negative rows stay as they are.

   positive_limit: cents, an expression over the columns of `source` and positive_cents, negative_cents, positive_count of the group;
                   NULL where the cap does not apply.
   cap:            what cap_applied says of a row that this cap is the first to cut. #}
{% macro cap_stage(name, source, group_by, positive_limit, cap) -%}
{{ name }}_summed as (
    select
        {{ source }}.*,
        cast(sum(case when cents > 0 then cents else 0 end) over (partition by {{ group_by | join(', ') }}) as bigint) as positive_cents,
        cast(sum(case when cents < 0 then cents else 0 end) over (partition by {{ group_by | join(', ') }}) as bigint) as negative_cents,
        cast(sum(case when cents > 0 then 1 else 0 end) over (partition by {{ group_by | join(', ') }}) as bigint) as positive_count
    from {{ source }}
),

{{ name }}_limited as (
    select
        *,
        cast({{ positive_limit }} as bigint) as limit_cents
    from {{ name }}_summed
),

{{ name }}_shared as (
    select
        *,
        case
            when cents > 0 and limit_cents < positive_cents
                then cast({{ integer_divide('cast(cents as ' ~ wide_integer() ~ ') * limit_cents', 'positive_cents') }} as bigint)
        end as shared_cents
    from {{ name }}_limited
),

{{ name }}_placed as (
    select
        *,
        limit_cents - sum(shared_cents) over (partition by {{ group_by | join(', ') }}) as left_over_cents,
        row_number() over (
            partition by {{ group_by | join(', ') }}
            order by
                cast(cents as {{ wide_integer() }}) * limit_cents
                - cast(shared_cents as {{ wide_integer() }}) * positive_cents desc nulls last,
                line_key
        ) as place
    from {{ name }}_shared
),

{{ name }}_cut as (
    select
        *,
        case
            when shared_cents is null then cents
            when place <= left_over_cents then shared_cents + 1
            else shared_cents
        end as cents_after
    from {{ name }}_placed
),

{{ name }} as (
    select
        contract_id,
        line_id,
        line_key,
        student_ref,
        is_base,
        earned_cents,
        per_student_cap_cents,
        max_paid_outcomes,
        line_cap_cents,
        pool_cap_cents,
        nte_ceiling_cents,
        {%- for stage in ['per_student', 'max_paid', 'line', 'pool', 'base_nte', 'contingent_nte'] %}
        {{ 'cents_after' if stage == name else 'after_' ~ stage ~ '_cents' }} as after_{{ stage }}_cents,
        {%- endfor %}
        cents_after as cents,
        coalesce(cap_applied, case when cents_after < cents then '{{ cap }}' end) as cap_applied
    from {{ name }}_cut
)
{%- endmacro %}
