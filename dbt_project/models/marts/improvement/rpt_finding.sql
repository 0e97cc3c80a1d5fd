-- What the data have to say, one finding per question. Rule: of the question's rows with status ok, those that differ from zero even after
-- as many looks as there were rows (Bonferroni, 5 %); of these the one that lies most of its own margins of error from zero. Findings are
-- ranked by that, what the parties can act on before what is context; a verdict that is a rule's has no interval and comes last. A question
-- without a finding keeps its row and says why.
with question as (
    select
        questions.question_order,
        questions.question,
        questions.is_to_act_on,
        questions.question_text
    from (
        values
        (1, 'growth_vs_expected', true, 'Do tutored students reach more than history would have had them reach?'),
        (2, 'action', true, 'Did what was agreed in meetings move what it should?'),
        (3, 'skipping', true, 'Who skips tutoring while in school?'),
        (4, 'outcome_gap', true, 'Which groups reach outcomes less often than the others?'),
        (5, 'attendance_gap', true, 'Which groups come to tutoring less often?'),
        (6, 'same_tutor', true, 'Where do students meet changing tutors?'),
        (7, 'provider_loss', true, 'Where are sessions lost through the provider?'),
        (8, 'change', false, 'What is behind the latest change?'),
        (9, 'vendors', true, 'Do providers differ, once their students are allowed for?'),
        (10, 'dose_response', false, 'Does more tutoring go with better results?'),
        (11, 'growth_by_proficiency', false, 'Do growth and proficiency go together?'),
        (12, 'follow_up', true, 'Do follow-ups bring absent students back?'),
        (13, 'external_factor', false, 'What outside goes with the ups and downs?'),
        (14, 'sel', false, 'Does what students say of themselves go with anything?'),
        (15, 'engagement', false, 'Does how sessions were found go with what follows?'),
        (16, 'roi', false, 'What do the leading indicators of return advise?'),
        (17, 'school_attendance', false, 'How does tutoring attendance compare with school attendance?')
    ) as questions (question_order, question, is_to_act_on, question_text)
),

blocked as (
    select distinct contract_id
    from {{ source('intake', 'contract_block') }}
),

-- Correlations are judged on Fisher's z, where their margins of error are even on both sides.
scaled as (
    select
        *,
        case when is_correlation then {{ fisher_z('estimate') }} else estimate end as distance,
        case when is_correlation then {{ fisher_z('ci_low') }} else ci_low end as distance_low,
        case when is_correlation then {{ fisher_z('ci_high') }} else ci_high end as distance_high
    from {{ ref('int_improvement__finding_candidate') }}
),

measured as (
    select
        *,
        -- How many of its own margins of error the estimate lies from zero: above 1, the 95 % interval leaves zero out.
        abs(distance)
        / nullif(greatest(case when distance > 0 then distance - distance_low else distance_high - distance end, 0), 0)
            as margins_from_zero,
        count(*) over (partition by question) as look_count
    from scaled
),

standing_out as (
    select
        *,
        row_number() over (
            partition by question
            order by margins_from_zero desc nulls last, row_key asc
        ) as preference
    from measured
    where
        question = 'roi'
        or {{ two_sided_p('1.9599640e0 * margins_from_zero') }} * look_count <= 0.05
),

found as (
    select * from standing_out
    where preference = 1
),

looked as (
    select
        question,
        max(look_count) as look_count
    from measured
    group by question
)

select
    question.question,
    question.question_text,
    case when question.is_to_act_on then 'to_act_on' else 'context' end as kind,
    case
        when found.question is not null
            then
                cast(rank() over (
                    order by
                        case when found.question is null then 1 else 0 end asc,
                        case when question.is_to_act_on then 0 else 1 end asc,
                        found.margins_from_zero desc nulls last,
                        question.question_order asc
                ) as integer)
    end as finding_rank,
    found.sentence,
    found.contract_id,
    found.mart,
    found.row_key,
    cast(found.estimate as decimal(18, 6)) as estimate,
    cast(found.ci_low as decimal(18, 6)) as ci_low,
    cast(found.ci_high as decimal(18, 6)) as ci_high,
    cast(found.n_students as integer) as n_students,
    cast(found.margins_from_zero as decimal(18, 6)) as margins_from_zero,
    cast(coalesce(looked.look_count, 0) as integer) as look_count,
    found.label,
    case
        when found.question is not null then 'ok'
        when looked.question is not null then 'nothing_stands_out'
        else 'not_enough_data'
    end as status,
    case
        when found.question is not null then null
        when looked.question is not null
            then
                'Of ' || cast(looked.look_count as varchar) || ' figures none differs from zero by more than chance among so many would.'
        else 'No figure of this question has enough data; its mart says what is missing.'
    end as what_is_missing,
    blocked.contract_id is not null as is_source_flagged,
    {{ as_of_date() }} as as_of_date
from question
left join found
    on question.question = found.question
left join looked
    on question.question = looked.question
left join blocked
    on found.contract_id = blocked.contract_id
