-- One row per contract, dimension and category that could have students, empty ones too: a group nobody of was served is a finding, and a
-- row that vanished is none. Categories are the fixed lists, whatever the district's students have, and what the contract itself names.
with contracts as (
    select
        contract_id,
        contract_version,
        provider_id
    from {{ ref('int_payment__contract') }}
),

fixed as (
    {%- for dimension, categories in {
        'gender': ['female', 'male'],
        'economic_disadvantage': ['yes', 'no'],
        'english_learner': ['yes', 'no'],
        'iep': ['yes', 'no'],
        'baseline_band': ['quintile_1', 'quintile_2', 'quintile_3', 'quintile_4', 'quintile_5'],
        'school_attendance_band': ['below_80', '80_to_90', '90_to_95', 'above_95'],
        'cohort_entry': ['original', 'late', 'substitute'],
    }.items() %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    {%- for category in categories %}
    select
        '{{ dimension }}' as dimension,
        '{{ category }}' as category
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
),

-- The races the district's roster has at all, whether or not any of those students is tutored.
races as (
    select distinct race_ethnicity as category
    from {{ ref('input__student') }}
    where race_ethnicity is not null
)

select
    contracts.contract_id,
    fixed.dimension,
    fixed.category
from contracts
cross join fixed
union
select
    contracts.contract_id,
    'race_ethnicity' as dimension,
    races.category
from contracts
cross join races
union
select
    contracts.contract_id,
    'provider' as dimension,
    contracts.provider_id as category
from contracts
where contracts.provider_id is not null
union
select
    contracts.contract_id,
    'school' as dimension,
    schools.school_id as category
from contracts
inner join {{ source('documents', 'contract_school') }} as schools
    on
        contracts.contract_id = schools.contract_id
        and contracts.contract_version = schools.version
union
select
    contracts.contract_id,
    'grade' as dimension,
    grades.grade as category
from contracts
inner join {{ source('documents', 'contract_grade') }} as grades
    on
        contracts.contract_id = grades.contract_id
        and contracts.contract_version = grades.version
union
select
    contract_id,
    dimension,
    category
from {{ ref('int_improvement__student_group') }}
