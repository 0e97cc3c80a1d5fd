-- Students who became persistently absent, with and without a follow-up in the weeks after, and their attendance before and well after. To
-- compare like with like, attendance after is taken from the end of the weeks in which a follow-up could come, for both: who had none
-- until then is compared from then on. The first time of each student only.
with setting as (
    select
        follow_up_weeks,
        action_window_weeks
    from {{ source('documents', 'improvement_setting') }}
),

first_episodes as (
    select
        episodes.contract_id,
        episodes.student_id,
        episodes.turned_on,
        {{ add_days('episodes.turned_on', '-7 * setting.action_window_weeks') }} as before_from_on,
        {{ add_days('episodes.turned_on', '7 * setting.follow_up_weeks') }} as after_from_on,
        {{ add_days('episodes.turned_on', '7 * (setting.follow_up_weeks + setting.action_window_weeks) - 1') }} as after_to_on
    from {{ ref('int_improvement__absence_episode') }} as episodes
    cross join setting
    where episodes.episode_number = 1
),

whole as (
    select first_episodes.*
    from first_episodes
    inner join {{ ref('int_payment__contract') }} as contracts
        on first_episodes.contract_id = contracts.contract_id
    where
        first_episodes.after_to_on <= {{ as_of_date() }}
        and first_episodes.after_to_on <= {{ add_days(week_start('contracts.service_end_on'), 6) }}
),

followed as (
    select
        whole.contract_id,
        whole.student_id,
        min(done.followed_up_on) as followed_up_on,
        min_by(done.kind, done.followed_up_on) as kind
    from whole
    inner join {{ ref('input__ci_follow_up') }} as done
        on
            whole.contract_id = done.contract_id
            and whole.student_id = done.student_id
            and done.followed_up_on >= whole.turned_on
            and done.followed_up_on < whole.after_from_on
    group by whole.contract_id, whole.student_id
),

attended as (
    select
        whole.contract_id,
        whole.student_id,
        count(case when causes.session_on <= whole.turned_on and causes.is_attended then 1 end) as before_numerator,
        count(case when causes.session_on <= whole.turned_on then 1 end) as before_denominator,
        count(case when causes.session_on >= whole.after_from_on and causes.is_attended then 1 end) as after_numerator,
        count(case when causes.session_on >= whole.after_from_on then 1 end) as after_denominator
    from whole
    inner join {{ ref('int_tutoring_session__cause') }} as causes
        on
            whole.contract_id = causes.contract_id
            and whole.student_id = causes.student_id
            and causes.session_on > whole.before_from_on
            and causes.session_on <= whole.after_to_on
    where
        causes.is_scheduled
        and {{ is_chargeable('causes.absence_cause') }}
    group by whole.contract_id, whole.student_id
)

select
    attended.contract_id,
    attended.student_id,
    followed.followed_up_on is not null as is_followed_up,
    followed.kind,
    attended.before_numerator,
    attended.before_denominator,
    attended.after_numerator,
    attended.after_denominator,
    cast(attended.after_numerator as double) / attended.after_denominator
    - cast(attended.before_numerator as double) / attended.before_denominator as change
from attended
left join followed
    on
        attended.contract_id = followed.contract_id
        and attended.student_id = followed.student_id
where
    attended.before_denominator > 0
    and attended.after_denominator > 0
