-- One row per contract and student ever assigned to it, with what the student was on the day of the first assignment. What changes later
-- (school, programs, grade) does not move a student from one group to another, so a group's figures stay comparable through the year.
with rosters as (
    select
        spans.contract_id,
        spans.student_id,
        max(spans.student_key) as student_key,
        min_by(spans.school_id, spans.start_on) as roster_school_id,
        min(spans.start_on) as roster_on
    from {{ ref('int_student_assignment__span') }} as spans
    group by spans.contract_id, spans.student_id
),

substitutes as (
    select distinct
        contract_id,
        student_id
    from {{ ref('input__roster_assignment') }}
    where substituted_for_student_key is not null
),

assigned as (
    select
        rosters.*,
        contracts.provider_id,
        lower(contracts.subject) as subject,
        contracts.school_year_end,
        contracts.service_start_on,
        substitutes.student_id is not null as is_substitute
    from rosters
    inner join {{ ref('int_payment__contract') }} as contracts
        on rosters.contract_id = contracts.contract_id
    left join substitutes
        on
            rosters.contract_id = substitutes.contract_id
            and rosters.student_id = substitutes.student_id
),

programs as (
    select
        assigned.contract_id,
        assigned.student_id,
        max(case when stints.program in ('EL', 'ELL', 'MLL') then 1 else 0 end) as is_english_learner,
        max(case when stints.program in ('IEP', 'SWD') then 1 else 0 end) as is_iep,
        max(case when stints.program in ('ECONOMIC_DISADVANTAGE', 'FRL', 'LOW_INCOME') then 1 else 0 end) as is_economically_disadvantaged
    from assigned
    inner join {{ ref('input__program_status') }} as stints
        on
            assigned.student_key = stints.student_key
            and coalesce(stints.begin_on <= assigned.roster_on, true)
            and coalesce(stints.end_on > assigned.roster_on, true)
    group by assigned.contract_id, assigned.student_id
),

-- Without a side file nobody is known to be in a program or not.
has_programs as (
    select count(*) > 0 as is_known
    from {{ ref('input__program_status') }}
),

schools as (
    select
        assigned.contract_id,
        assigned.student_id,
        min(enrollments.school_id) as school_id
    from assigned
    inner join {{ ref('input__school_enrollment') }} as enrollments
        on
            assigned.student_key = enrollments.student_key
            and assigned.roster_on >= enrollments.enrolled_on
            and (enrollments.exited_on is null or assigned.roster_on < enrollments.exited_on)
    group by assigned.contract_id, assigned.student_id
),

-- The pair of tests of the contract's first line that has a baseline of its own, else of its first line with a pair at all.
baseline_line as (
    select
        contract_id,
        min_by(pair_key, (case when left(baseline_window, 6) = 'PRIOR_' then '2' else '1' end) || line_id) as pair_key
    from {{ ref('int_improvement__outcome_line') }}
    where pair_key is not null
    group by contract_id
),

baselines as (
    select
        assigned.contract_id,
        assigned.student_id,
        pairs.baseline_quintile,
        pairs.baseline_score
    from assigned
    inner join baseline_line
        on assigned.contract_id = baseline_line.contract_id
    inner join {{ ref('int_improvement__growth_pair') }} as pairs
        on
            assigned.student_key = pairs.student_key
            and assigned.school_year_end = pairs.school_year_end
            and baseline_line.pair_key = pairs.pair_key
),

-- How the first four weeks of tutoring went: the arrangement the student was given, before anybody changed it.
first_sessions as (
    select
        causes.contract_id,
        causes.student_id,
        causes.delivery_mode,
        causes.group_size,
        {{ time_slot('causes.scheduled_start_at') }} as time_slot
    from {{ ref('int_tutoring_session__cause') }} as causes
    inner join assigned
        on
            causes.contract_id = assigned.contract_id
            and causes.student_id = assigned.student_id
    where
        causes.session_on >= assigned.roster_on
        and causes.session_on < {{ add_days('greatest(assigned.roster_on, assigned.service_start_on)', 28) }}
),

arranged as (
    select
        contract_id,
        student_id,
        mode(delivery_mode order by delivery_mode) as delivery_mode,
        mode(group_size order by group_size) as group_size,
        mode(time_slot order by time_slot) filter (where time_slot <> 'unknown') as time_slot
    from first_sessions
    group by contract_id, student_id
)

select
    assigned.contract_id,
    assigned.student_id,
    assigned.student_key,
    assigned.provider_id,
    assigned.subject,
    assigned.school_year_end,
    assigned.roster_on,
    coalesce(school.district_id, '{{ var("district_id") }}') as district_id,
    coalesce(schools.school_id, assigned.roster_school_id, student.school_id) as school_id,
    {{ grade_years_before('student.grade_level', 'district.school_year_end - assigned.school_year_end') }} as grade_level,
    student.race_ethnicity,
    student.gender,
    case when has_programs.is_known then coalesce(programs.is_english_learner, 0) = 1 end as is_english_learner,
    case when has_programs.is_known then coalesce(programs.is_iep, 0) = 1 end as is_iep,
    case when has_programs.is_known then coalesce(programs.is_economically_disadvantaged, 0) = 1 end as is_economically_disadvantaged,
    baselines.baseline_score,
    case
        when baselines.baseline_quintile is null then 'unknown'
        else 'quintile_' || cast(baselines.baseline_quintile as varchar)
    end as baseline_band,
    coalesce(attendance.school_attendance_band, 'unknown') as school_attendance_band,
    case
        when assigned.is_substitute then 'substitute'
        when assigned.roster_on > assigned.service_start_on then 'late'
        else 'original'
    end as cohort_entry,
    coalesce(lower(arranged.delivery_mode), 'unknown') as delivery_mode,
    case
        when arranged.group_size is null then 'unknown'
        when arranged.group_size <= 1 then 'one_to_one'
        when arranged.group_size <= 4 then '2_to_4'
        else 'over_4'
    end as group_size_band,
    coalesce(arranged.time_slot, 'unknown') as time_slot
from assigned
cross join has_programs
cross join {{ source('documents', 'district') }} as district
left join programs
    on
        assigned.contract_id = programs.contract_id
        and assigned.student_id = programs.student_id
left join schools
    on
        assigned.contract_id = schools.contract_id
        and assigned.student_id = schools.student_id
left join baselines
    on
        assigned.contract_id = baselines.contract_id
        and assigned.student_id = baselines.student_id
left join arranged
    on
        assigned.contract_id = arranged.contract_id
        and assigned.student_id = arranged.student_id
left join {{ ref('input__student') }} as student
    on assigned.student_key = student.student_key
left join {{ ref('input__school') }} as school
    on coalesce(schools.school_id, assigned.roster_school_id, student.school_id) = school.school_id
left join {{ ref('int_improvement__prior_attendance') }} as attendance
    on
        assigned.student_key = attendance.student_key
        and assigned.school_year_end = attendance.school_year_end
