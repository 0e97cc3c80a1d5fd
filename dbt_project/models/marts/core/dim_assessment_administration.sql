-- One row per instrument, school year and window in which anyone was tested.
select
    {{ surrogate_key(['instrument', 'school_year_end', 'window_id']) }} as assessment_administration_key,
    instrument,
    subject,
    school_year_end,
    window_id,
    min(tested_on) as first_tested_on,
    max(tested_on) as last_tested_on,
    cast(count(*) as integer) as test_count,
    cast(count(case when is_valid then 1 end) as integer) as valid_test_count,
    cast(count(distinct student_id) as integer) as n_students
from {{ ref('input__assessment_result') }}
group by instrument, subject, school_year_end, window_id
