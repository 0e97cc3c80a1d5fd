-- Is a student more often in school on days with tutoring than on the student's other days, weekday by weekday? The regression of being
-- present on a tutoring day, with an effect of each student and each weekday taken out first: both are made free of students' and
-- weekdays' means in turn, which for students who all have about as many Mondays as Fridays is done after a few rounds. The interval takes
-- students as drawn, days of one student as going together.
{%- set rounds = 6 %}
with cells as (
    select
        contract_id,
        school_id,
        student_key,
        weekday,
        n_days,
        present_days,
        is_tutoring_day,
        case when is_tutoring_day then 1.0e0 else 0.0e0 end as tutoring_0,
        present_days / n_days as present_0
    from {{ ref('int_improvement__school_day_cell') }}
),

{% for round in range(rounds) %}
within_students_{{ round }} as (
    select
        *,
        tutoring_{{ round }} - sum(n_days * tutoring_{{ round }}) over (partition by contract_id, school_id, student_key)
        / sum(n_days) over (partition by contract_id, school_id, student_key) as tutoring_{{ round }}_within,
        present_{{ round }} - sum(n_days * present_{{ round }}) over (partition by contract_id, school_id, student_key)
        / sum(n_days) over (partition by contract_id, school_id, student_key) as present_{{ round }}_within
    from {{ 'cells' if loop.first else 'within_weekdays_' ~ (round - 1) }}
),

within_weekdays_{{ round }} as (
    select
        contract_id,
        school_id,
        student_key,
        weekday,
        n_days,
        present_days,
        is_tutoring_day,
        tutoring_{{ round }}_within
        - sum(n_days * tutoring_{{ round }}_within) over (partition by contract_id, school_id, weekday)
        / sum(n_days) over (partition by contract_id, school_id, weekday) as tutoring_{{ round + 1 }},
        present_{{ round }}_within
        - sum(n_days * present_{{ round }}_within) over (partition by contract_id, school_id, weekday)
        / sum(n_days) over (partition by contract_id, school_id, weekday) as present_{{ round + 1 }}
    from within_students_{{ round }}
),
{% endfor %}
fitted as (
    select
        within_weekdays_{{ rounds - 1 }}.*,
        tutoring_{{ rounds }} as tutoring,
        present_{{ rounds }} as present,
        sum(n_days * tutoring_{{ rounds }} * present_{{ rounds }}) over (partition by contract_id, school_id) as product,
        sum(n_days * power(tutoring_{{ rounds }}, 2)) over (partition by contract_id, school_id) as square
    from within_weekdays_{{ rounds - 1 }}
),

-- Where tutoring follows the weekday alone, or is every day, nothing is left to compare.
estimated as (
    select
        fitted.*,
        case when square > 0.5 then product / square end as effect
    from fitted
),

students as (
    select
        contract_id,
        school_id,
        student_key,
        max(effect) as effect,
        max(square) as square,
        sum(n_days * tutoring * (present - effect * tutoring)) as score,
        sum(case when is_tutoring_day then present_days else 0 end) as tutoring_present_days,
        sum(case when is_tutoring_day then n_days else 0 end) as tutoring_days,
        sum(case when is_tutoring_day then 0 else present_days end) as other_present_days,
        sum(case when is_tutoring_day then 0 else n_days end) as other_days
    from estimated
    group by contract_id, school_id, student_key
)

select
    contract_id,
    school_id,
    count(*) as n_students,
    count(case when tutoring_days > 0 and other_days > 0 then 1 end) as n_students_with_both,
    sum(tutoring_present_days) as tutoring_present_days,
    sum(tutoring_days) as tutoring_days,
    sum(other_present_days) as other_present_days,
    sum(other_days) as other_days,
    round(max(effect), 12) as effect,
    round(sqrt(sum(power(score, 2)) * count(*) / nullif(count(*) - 1, 0)) / max(square), 12) as standard_error
from students
group by contract_id, school_id
