"""What the two providers send: session logs in two layouts, and exit tickets from two survey tools."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa

from obc_pipeline.synthetic import headers
from obc_pipeline.synthetic.landing import Landing, Table, dates, words
from obc_pipeline.synthetic.school_year import SERVICE_END, SERVICE_START, at
from obc_pipeline.synthetic.surveys import EFFICACY, FREE_TEXTS, FREQUENCY_LABELS, IDENTITY_LABELS, Answers
from obc_pipeline.synthetic.tutoring import REASONS, STATUSES, Tutoring

# Two weeks in March whose files came only on the Monday after.
_LATE_FROM, _LATE_TO = date(2026, 3, 2), date(2026, 3, 12)

GOOGLE_FORM_HEADER: tuple[str, ...] = (
    "Timestamp",
    "Student number",
    "Session code",
    "Tutor code",
    "Working on math today felt like something I do, not just something I am told to do.",
    "How sure are you that you could solve a problem like today's on your own? (1 to 7)",
    "During the session my mind was on other things.",
    "Would you want another session like this one?",
    "Is there anything you want us to know?",
)
QUALTRICS_HEADER: tuple[str, ...] = (
    *("StartDate", "EndDate", "Status", "Progress", "Duration (in seconds)", "Finished", "RecordedDate", "ResponseId"),
    *("DistributionChannel", "UserLanguage", "student_number", "session_code", "tutor_code", "Q1", "Q2", "Q3", "Q4", "Q5", "Q6"),
)
_QUALTRICS_QUESTIONS: tuple[str, ...] = (
    *("Start Date", "End Date", "Response Type", "Progress", "Duration (in seconds)", "Finished", "Recorded Date", "Response ID"),
    *("Distribution Channel", "User Language", "student_number", "session_code", "tutor_code"),
    "I see myself as a reader.",
    "How sure are you that you could read the next page alone?",
    "Today's reading was boring to me.",
    "Did you read out loud today?",
    "I would tell a friend to come here.",
    "Write anything you like.",
)


def register_visits(landing: Landing, tutoring: Tutoring, name: str) -> None:
    """A table of everything a log may say about each visit, times in UTC."""
    visits, sessions, roster = tutoring.visits, tutoring.sessions, tutoring.roster
    session = visits.session
    numbers = pa.table(
        {
            "ix": np.arange(len(session)),
            "session": session,
            "student": roster.student[visits.assignment],
            "school": sessions.school[session],
            "on_date": dates(sessions.on[session]),
            "start_minute": sessions.start_minute[session],
            "tutor": sessions.tutor[session],
            "status": sessions.status[session],
            "session_minutes": sessions.minutes[session],
            "group_size": sessions.group_size[session],
            "is_online": sessions.is_online[session],
            "is_present": visits.is_present,
            "is_late": visits.is_late,
            "minutes": visits.minutes,
            "reason": visits.reason,
        }
    )
    landing.connection.register("visit_numbers", numbers)
    landing.connection.execute(
        f"""create table {name} as
            select n.* exclude (tutor, reason), s.local_id, h.school_id,
                   '{tutoring.program.tutor_prefix}-' || h.school_id || '-' || printf('%03d', n.tutor % 1000) as tutor_id,
                   '{tutoring.program.tutor_prefix}-S' || printf('%07d', n.session) as session_id,
                   {words(REASONS)}[n.reason + 1] as reason,
                   n.on_date + to_minutes(n.start_minute) as local_start,
                   n.on_date + to_minutes(n.start_minute)
                     + case when n.on_date between date '2025-11-02' and date '2026-03-07' then interval 6 hour else interval 5 hour end as utc_start
            from visit_numbers as n join student as s on s.ix = n.student join school as h on h.ix = n.school order by n.ix"""
    )
    landing.connection.unregister("visit_numbers")


def write_full_sessions(landing: Landing, program_id: str, topic: str = "math", slot_minutes: int = 45) -> None:
    """Two CSVs a week, each within 48 hours; about 0.3 % of visits are first reported absent and corrected in the next file."""
    landing.connection.execute(_full_rows(program_id, topic, slot_minutes))
    planned = _dates(landing, "version <> 'corrected'")
    corrected = _dates(landing, "version = 'corrected'")
    previous, before = "", (date.max, date.min)
    for first, last, arrived_at in _deliveries():
        inside = f"on_date between date '{first}' and date '{last}'"
        rows = f"from full_row where ({inside} and version <> 'corrected')"
        rows += f" or ({previous} and version = 'corrected')" if previous else ""
        values = {column: column for column in headers.SESSIONS_FULL}
        table = Table(headers.SESSIONS_FULL, values, f"{rows} order by ix, interval_number, copy")
        if any(first <= on <= last for on in planned) or any(before[0] <= on <= before[1] for on in corrected):
            landing.csv("sessions_brightpath", f"brightpath_sessions_{first:%Y%m%d}-{last:%Y%m%d}.csv", arrived_at, table)
        previous, before = inside, (first, last)


def _dates(landing: Landing, condition: str) -> list[date]:
    return [row[0] for row in landing.connection.execute(f"select distinct on_date from full_row where {condition}").fetchall()]


def _deliveries() -> list[tuple[date, date, datetime]]:
    """First day, last day and arrival of each file: Monday and Tuesday on Wednesday, Wednesday and Thursday on Friday, and one to close."""
    found, monday = [], SERVICE_START - timedelta(days=SERVICE_START.weekday())
    while monday <= SERVICE_END:
        for first, last, sent in ((0, 1, 2), (2, 4, 4)):
            days = monday + timedelta(days=first), monday + timedelta(days=last), monday + timedelta(days=sent)
            arrived_at = at(days[2], 14)
            if _LATE_FROM <= days[0] <= _LATE_TO:
                arrived_at = at(monday + timedelta(days=7), 15, 10 * sent)
            found.append((days[0], days[1], arrived_at))
        monday += timedelta(days=7)
    return [*found, (monday, monday, at(monday, 15))]


def _full_rows(program_id: str, topic: str, slot_minutes: int) -> str:
    """SQL for table `full_row`: as first sent, as corrected, in one interval or two, a few rows twice."""
    present = "(v.is_present and version <> 'first')"
    utc = "strftime({}, '%Y-%m-%dT%H:%M:%SZ')"
    began = "v.utc_start + to_minutes(v.ix % 4)"
    joined = (
        f"case when interval_number = 0 then {began} else v.utc_start + to_minutes(v.session_minutes - v.minutes + v.minutes // 2 + 2) end"
    )
    stayed = "case when not is_split then v.minutes when interval_number = 0 then v.minutes // 2 else v.minutes - v.minutes // 2 end"
    claimed = (
        "case when v.status <> 0 then v.reason when v.reason = 'absent_school' then ['absent_school', 'absent_school', 'skipped'][1 + v.ix % 3] "
        "when v.reason = 'skipped' then ['skipped', 'skipped', 'absent_school', ''][1 + v.ix % 4] else '' end"
    )
    return f"""create table full_row as
        with copied as (
            select v.*, k.version, i.n as interval_number, c.n as copy, v.is_present and v.minutes >= 36 and v.ix % 223 = 11 as is_split
            from visit_math as v,
                 (values ('only'), ('first'), ('corrected')) as k (version),
                 (values (0), (1)) as i (n), (values (0), (1)) as c (n)
            where case when v.is_present and v.ix % 331 = 7 then k.version <> 'only' else k.version = 'only' end
        )
        select v.ix, v.version, v.interval_number, v.copy, v.on_date,
            v.session_id, v.local_id as student_id, case when v.status = 0 then v.tutor_id end as tutor_id, '{topic}' as session_topic,
            strftime(v.on_date, '%Y-%m-%d') as session_date, {utc.format("v.utc_start")} as scheduled_start_at,
            {slot_minutes} as scheduled_duration_minutes,
            case when v.status = 0 then {utc.format("v.utc_start")} end as actual_start_at,
            case when v.status = 0 then {utc.format("v.utc_start + to_minutes(v.session_minutes)")} end as actual_end_at,
            case when {present} then {utc.format(joined)} end as student_joined_at,
            case when {present} then {utc.format(f"{joined} + to_minutes({stayed})")} end as student_left_at,
            case when {present} then {stayed} when v.status = 0 then 0 end as session_duration_minutes,
            {words(STATUSES)}[v.status + 1] as session_status,
            case when v.status = 0 then case when {present} then case when v.is_late then 'late' else 'present' end else 'absent' end end
                as attendance_status,
            case when {present} then null when version = 'first' then null else nullif({claimed}, '') end as absence_reason,
            case when v.is_online then 'online' else 'in-person' end as delivery_mode,
            v.group_size, '1:' || v.group_size as session_ratio, '{program_id}' as program_id, v.school_id,
            case when {present} then 2 + v.ix % 4 end as participation_level
        from copied as v
        where (v.interval_number = 0 or (v.is_split and v.version <> 'first'))
          and (v.copy = 0 or (v.ix % 509 = 5 and not v.is_split and v.version = 'only'))
        order by v.ix, v.version"""


def write_datas_sessions(landing: Landing) -> None:
    """One DATAS file a month, attended sessions only; some rows come a month late, a few stand twice."""
    values = {
        "student_id": "local_id",
        "session_topic": "case when ix % 2 = 0 then 'ela' else 'reading' end",
        "session_date": "strftime(local_start, '%Y-%m-%d %H:%M:%S')",
        "session_duration": "minutes",
        "session_ratio": "'1:' || group_size",
        "tutor_id": "tutor_id",
    }
    months = [date(2025, month, 1) for month in (10, 11, 12)] + [date(2026, month, 1) for month in (1, 2, 3, 4, 5)]
    for number, month in enumerate(months):
        late = "ix % 97 = 3" if number < len(months) - 1 else "false"
        rows = f"from visit_reading, (values (0), (1)) as c (copy) where is_present and (copy = 0 or ix % 401 = 5) and ((date_trunc('month', on_date) = date '{month}' and not ({late}))"
        rows += f" or (date_trunc('month', on_date) = date '{months[number - 1]}' and ix % 97 = 3))" if number else ")"
        arrived_at = at((month + timedelta(days=32)).replace(day=3), 9)
        landing.csv(
            "sessions_lumen", f"{month:%Y-%m}/sessions.csv", arrived_at, Table(headers.SESSIONS_DATAS, values, rows + " order by ix, copy")
        )


def write_google_forms(landing: Landing, answers: Answers) -> None:
    """The week's responses each Monday morning; headers are the questions' full text."""
    landing.connection.register("answer_numbers", _answer_table(answers))
    labels = f"{words(IDENTITY_LABELS)}[{{}}]"
    values = {
        "Timestamp": "strftime(v.local_start + to_minutes(v.session_minutes + 2 + a.delay), '%-m/%-d/%Y %H:%M:%S')",
        "Student number": "v.local_id",
        "Session code": "v.session_id",
        "Tutor code": "v.tutor_id",
        GOOGLE_FORM_HEADER[4]: labels.format("a.identity"),
        GOOGLE_FORM_HEADER[5]: "cast(a.efficacy as varchar)",
        GOOGLE_FORM_HEADER[6]: labels.format("a.engagement"),
        GOOGLE_FORM_HEADER[7]: "case when a.satisfied then 'Yes' else 'No' end",
        GOOGLE_FORM_HEADER[8]: f"nullif({words(FREE_TEXTS)}[a.text + 1], '')",
    }
    monday = SERVICE_START - timedelta(days=SERVICE_START.weekday())
    while monday <= SERVICE_END:
        inside = f"v.on_date between date '{monday}' and date '{monday + timedelta(days=6)}'"
        rows = f"from answer_numbers as a join visit_math as v on v.ix = a.visit where {inside}"
        if landing.connection.execute(f"select count(*) {rows}").fetchall()[0][0]:
            name = f"exit_ticket_math_responses_{monday:%Y%m%d}.csv"
            table = Table(GOOGLE_FORM_HEADER, values, f"{rows} order by v.local_start, a.ix")
            landing.csv("exit_tickets_brightpath", name, at(monday + timedelta(days=7), 12), table)
        monday += timedelta(days=7)
    landing.connection.unregister("answer_numbers")


def write_qualtrics(landing: Landing, answers: Answers) -> None:
    """A month's responses under one name, with Qualtrics' three header rows; a preview row is flagged in Status."""
    landing.connection.register("answer_numbers", _answer_table(answers))
    labels = f"{words(FREQUENCY_LABELS)}[{{}}]"
    ended = "(v.local_start + to_minutes(v.session_minutes + 3 + a.delay))"
    stamp = "strftime({}, '%Y-%m-%d %H:%M:%S')"
    values = {
        "StartDate": stamp.format(f"{ended} - to_seconds(60 + a.ix % 90)"),
        "EndDate": stamp.format(ended),
        "Status": "'IP Address'",
        "Progress": "100",
        "Duration (in seconds)": "60 + a.ix % 90",
        "Finished": "'True'",
        "RecordedDate": stamp.format(ended),
        "ResponseId": "'R_' || substr(md5('response' || a.ix || v.session_id || v.local_id), 1, 15)",
        "DistributionChannel": "'anonymous'",
        "UserLanguage": "case when a.ix % 9 = 0 then 'ES' else 'EN' end",
        "student_number": "v.local_id",
        "tutor_code": "v.tutor_id",
        "Q1": labels.format("a.identity"),
        "Q2": "cast(a.efficacy as varchar)",
        "Q3": labels.format("a.engagement"),
        "Q4": "case when a.ix % 4 > 0 then 'Yes' else 'No' end",
        "Q5": labels.format("least(5, greatest(1, a.identity + case when a.satisfied then 1 else -2 end))"),
        "Q6": f"nullif({words(FREE_TEXTS)}[a.text + 1], '')",
    }
    months = [date(2025, month, 1) for month in (10, 11, 12)] + [date(2026, month, 1) for month in (1, 2, 3, 4, 5)]
    for month in months:
        rows = f"from answer_numbers as a join visit_reading as v on v.ix = a.visit where date_trunc('month', v.on_date) = date '{month}'"
        table = Table(QUALTRICS_HEADER, values, f"{rows} order by v.local_start, a.ix")
        arrived_at = at((month + timedelta(days=32)).replace(day=2), 12)
        landing.csv("exit_tickets_lumen", f"{month:%Y-%m}/Lumen exit ticket.csv", arrived_at, table, before=_qualtrics_header())
    landing.connection.unregister("answer_numbers")


def _qualtrics_header() -> bytes:
    def quoted(values: tuple[str, ...]) -> str:
        return ",".join('"' + value.replace('"', '""') + '"' for value in values)

    imports = tuple(f'{{"ImportId":"{name}"}}' for name in QUALTRICS_HEADER)
    return "".join(f"{line}\n" for line in (",".join(QUALTRICS_HEADER), quoted(_QUALTRICS_QUESTIONS), quoted(imports))).encode()


def _answer_table(answers: Answers) -> pa.Table:
    return pa.table(
        {
            "ix": np.arange(len(answers.visit)),
            "visit": answers.visit,
            "identity": answers.identity,
            "efficacy": np.clip(answers.efficacy, *EFFICACY),
            "engagement": answers.engagement,
            "satisfied": answers.is_satisfied,
            "text": answers.text,
            "delay": answers.delay_minutes,
        }
    )
