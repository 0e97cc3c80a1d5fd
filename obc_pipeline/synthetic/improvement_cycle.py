"""The year's continuous improvement: who met when, what was agreed, what people said, and who was followed up.

The district and its vendors meet every two weeks but for one gap at the new year. Of the actions one moved its metric
(students of one school are fetched from class), one did not (reminders), two are too new to be judged, and one names no metric.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np

from obc_pipeline.synthetic import headers
from obc_pipeline.synthetic.chance import Ints, stream
from obc_pipeline.synthetic.landing import Landing, csv_bytes
from obc_pipeline.synthetic.people import Schools, Students
from obc_pipeline.synthetic.school_year import SchoolYear
from obc_pipeline.synthetic.tutoring import COMPLETED, ESCORT_FROM, MATH, READING, Tutoring

_ARRIVALS = (datetime(2026, 2, 3, 15, 0), datetime(2026, 6, 18, 15, 0))
_COORDINATION, _REVIEW, _SCHOOL_REVIEW = "district_vendor_coordination", "district_data_review", "district_vendor_school_review"
_FIRST_MEETING, _LAST_MEETING, _LEFT_OUT = date(2025, 10, 8), date(2026, 6, 3), date(2025, 12, 31)
_REMINDERS_FROM, _NEW_SCHEDULE_FROM, _NEWSLETTER_FROM = date(2026, 3, 30), date(2026, 6, 15), date(2025, 11, 10)
_CHECK_AFTER = timedelta(days=30)


def write_meetings(landing: Landing) -> None:
    """The list as kept in February and in June."""
    meetings = sorted((*_coordination(), *_reviews()), key=lambda meeting: (meeting[4], meeting[0]))
    for arrived_at in _ARRIVALS:
        held = [meeting for meeting in meetings if meeting[4] < arrived_at.date()]
        landing.put("ci_meeting", f"meetings_{arrived_at:%Y%m%d}.csv", arrived_at, csv_bytes(headers.CI_MEETING, held))


def _coordination() -> Iterator[tuple[str, str, str, str, date, str, bool]]:
    on, number = _FIRST_MEETING, 0
    while on <= _LAST_MEETING:
        if on != _LEFT_OUT:
            yield _meeting_id(on), _COORDINATION, "", "", on, "District academics team; Vendor program coordinator", number % 2 == 1
        on, number = on + timedelta(days=14), number + 1


def _reviews() -> Iterator[tuple[str, str, str, str, date, str, bool]]:
    for year, month in ((2025, 10), (2025, 11), (2025, 12), (2026, 1), (2026, 2), (2026, 3), (2026, 4), (2026, 5)):
        first = date(year, month, 1)
        thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 7)
        yield f"DR-{thursday:%Y%m%d}", _REVIEW, "", "", thursday, "District data team; District academics team", True
    for month in (2, 3, 4):
        roles = "District academics coordinator; School program coordinator; Vendor program coordinator"
        yield f"SR-2026{month:02d}", _SCHOOL_REVIEW, MATH.contract_id, "", date(2026, month, 24), roles, True


def _meeting_id(on: date) -> str:
    return f"DV-{on:%Y%m%d}"


def write_actions(landing: Landing, schools: Schools) -> None:
    """The log as kept in February and in June."""
    actions = list(_actions(schools))
    for arrived_at in _ARRIVALS:
        raised = [action for action in actions if str(action["raised_on"]) < f"{arrived_at:%Y-%m-%d}"]
        rows = [[action.get(column) for column in headers.CI_ACTION] for action in raised]
        landing.put("ci_action", f"actions_{arrived_at:%Y%m%d}.csv", arrived_at, csv_bytes(headers.CI_ACTION, rows))


def _actions(schools: Schools) -> Iterator[dict[str, object]]:
    skipping, turnover = schools.school_ids[schools.skipping_school], schools.school_ids[schools.turnover_school]
    yield _agreed(
        "A-01", date(2025, 11, 5), _NEWSLETTER_FROM, READING.contract_id,
        trend_text="Families say they do not know what their children do in tutoring",
        why_1="Nobody writes to them", hmw_text="How might we let families see a week of tutoring?",
        action_text="A newsletter to families every other week", owner_party="JOINT", owner_role="Lumen program coordinator", status="DONE",
    )  # fmt: skip
    yield _agreed(
        "A-02", date(2026, 2, 25), ESCORT_FROM, MATH.contract_id, school_id=skipping,
        trend_text="Students are in school and not in their session",
        why_1="They stay in class when the session begins", why_2="Nobody tells the teacher that it begins",
        why_3="The schedule hangs in the office only", why_4="It changes every week", why_5="Rooms are given out week by week",
        hmw_text="How might we make sure that nobody has to remember the session?",
        action_text="An aide fetches students from class and walks them to the session", owner_party="SCHOOL",
        owner_role="School program coordinator", status="DONE", metric_id="skip_in_school", wanted_direction="DOWN",
    )  # fmt: skip
    yield _agreed(
        "A-03", date(2026, 3, 25), _REMINDERS_FROM, MATH.contract_id, school_id=turnover,
        trend_text="Tutoring attendance is below the target since winter",
        why_1="Students stay away since their tutor changed", why_2="They do not know the new tutor",
        hmw_text="How might we bring students back?", action_text="Text reminders to families on the evening before",
        owner_party="PROVIDER", owner_role="Brightpath program coordinator", status="STARTED", metric_id="tutoring_attendance",
        wanted_direction="UP",
    )  # fmt: skip
    yield _agreed(
        "A-04", date(2026, 6, 3), _NEW_SCHEDULE_FROM, MATH.contract_id,
        trend_text="Sessions are lost to testing and assemblies", why_1="Sessions lie in the periods that are moved first",
        hmw_text="How might we protect the session's period?", action_text="Sessions move to the advisory period",
        owner_party="DISTRICT", owner_role="District academics team", status="STARTED", metric_id="district_loss", wanted_direction="DOWN",
    )  # fmt: skip
    yield _agreed(
        "A-05", date(2026, 5, 20), None, MATH.contract_id, school_id=turnover,
        trend_text="Half of the groups had three tutors", why_1="Tutors are hired by the semester",
        hmw_text="How might we keep a group with its tutor for the year?", action_text="Tutors are hired for the year",
        owner_party="PROVIDER", owner_role="Brightpath program coordinator", status="PLANNED", metric_id="same_tutor", wanted_direction="UP",
    )  # fmt: skip


def _agreed(action_id: str, raised_on: date, started_on: date | None, contract_id: str, **more: object) -> dict[str, object]:
    """An action of the coordination meeting of that day, to be judged a month after its start."""
    due_on = raised_on + timedelta(days=21)
    return {
        "action_id": action_id,
        "raised_on": raised_on,
        "meeting_id": _meeting_id(raised_on),
        "workgroup_id": _COORDINATION,
        "contract_id": contract_id,
        "due_on": due_on,
        "started_on": started_on,
        "check_on": (started_on or due_on) + _CHECK_AFTER,
        **more,
    }


# Theme, kinds, role, sentiments, first and last day, where: 0 everywhere, 1 the school where students skip, 2 the one of the new tutors.
_THEMES = (
    ("sessions are canceled", "INTERVIEW", "teacher", -1, date(2025, 12, 10), date(2026, 1, 16), 0),
    ("likes the tutor", "SURVEY", "student", 1, date(2025, 10, 20), date(2026, 5, 8), 0),
    ("new tutor", "FOCUS_GROUP", "student", -1, date(2026, 1, 12), date(2026, 4, 24), 2),
    ("nobody calls me from class", "FOCUS_GROUP", "student", -1, date(2025, 11, 3), date(2026, 2, 20), 1),
    ("is fetched from class", "OBSERVATION", "tutor", 1, date(2026, 3, 9), date(2026, 5, 8), 1),
    ("too easy", "SURVEY", "student", -1, date(2025, 10, 20), date(2026, 5, 8), 0),
    ("more confident", "INTERVIEW", "parent", 1, date(2026, 1, 12), date(2026, 5, 8), 0),
    ("room is loud", "OBSERVATION", "tutor", 0, date(2025, 10, 20), date(2026, 5, 8), 0),
)
_GROUPS = ("", "", "", "english_learner=yes", "iep=yes", "economic_disadvantage=yes")
_SENTENCES = (
    "Said in the second part of the conversation.",
    "Came up twice, without being asked.",
    "The group agreed.",
    "One voice, the others were silent.",
)


def write_notes(landing: Landing, schools: Schools, seed: int) -> None:
    """About eighty coded statements, each theme in its months and at its school."""
    rng = stream(seed, "notes")
    middle, elementary = schools.of_level(1), schools.of_level(0)
    rows = []
    for theme, kind, role, sentiment, first, last, place in _THEMES:
        for _ in range(10):
            is_math = place > 0 or rng.random() < 0.6
            school = {1: schools.skipping_school, 2: schools.turnover_school}.get(place, int(rng.choice(middle if is_math else elementary)))
            on = date.fromordinal(int(rng.integers(first.toordinal(), last.toordinal() + 1)))
            on -= timedelta(days=max(0, on.weekday() - 4))
            contract_id = MATH.contract_id if is_math else READING.contract_id
            said = sentiment if rng.random() < 0.85 else 0
            count = int(rng.integers(6, 25)) if kind == "SURVEY" else int(rng.integers(4, 9)) if kind == "FOCUS_GROUP" else 1
            group, text = _GROUPS[int(rng.integers(len(_GROUPS)))], _SENTENCES[int(rng.integers(len(_SENTENCES)))]
            rows.append((on, kind, contract_id, schools.school_ids[school], role, group, theme, said, count, text))
    rows.sort()
    for arrived_at in _ARRIVALS:
        known = [(f"N-{number:03d}", *row) for number, row in enumerate(rows, start=1) if row[0] < arrived_at.date()]
        landing.put("ci_note", f"notes_{arrived_at:%Y%m%d}.csv", arrived_at, csv_bytes(headers.CI_NOTE, known))


_FOLLOW_UPS = (
    ("CALL", "School program coordinator"),
    ("MEETING", "Counselor"),
    ("VISIT", "Counselor"),
    ("SCHEDULE_CHANGE", "Brightpath program coordinator"),
)
_FOLLOWED_UP, _MISSES = 0.6, 3


def write_follow_ups(landing: Landing, students: Students, math: Tutoring, year: SchoolYear, seed: int) -> None:
    """Six in ten of those who missed three sessions in a row are followed up within a week. It changes nothing: the truth is no effect."""
    rng = stream(seed, "follow-ups")
    rows = []
    for assignment, turned_on in _turned_absent(math):
        if rng.random() >= _FOLLOWED_UP:
            continue
        later = turned_on + int(rng.integers(1, 6))
        on = date.fromordinal(int(year.ordinals[min(int(np.searchsorted(year.ordinals, later)), len(year.ordinals) - 1)]))
        kind, role = _FOLLOW_UPS[int(rng.integers(len(_FOLLOW_UPS)))]
        rows.append((on, f"{students.number[math.roster.student[assignment]]:08d}", kind, role))
    rows = sorted(set(rows))
    for arrived_at in _ARRIVALS:
        known = [(MATH.contract_id, student, on, kind, role, "") for on, student, kind, role in rows if on < arrived_at.date()]
        landing.put("ci_follow_up", f"follow_ups_{arrived_at:%Y%m%d}.csv", arrived_at, csv_bytes(headers.CI_FOLLOW_UP, known))


def _turned_absent(math: Tutoring) -> Iterator[tuple[int, int]]:
    """Assignment and the ordinal of the third held session in a row that was missed; once per run of misses, three months apart at least."""
    visits, sessions = math.visits, math.sessions
    held = np.flatnonzero(sessions.status[visits.session] == COMPLETED)
    on: Ints = sessions.on[visits.session[held]]
    order = np.lexsort((on, visits.assignment[held]))
    missed_in_a_row, before, last_turn = 0, -1, -1_000
    for place in order:
        assignment, is_present, day = int(visits.assignment[held[place]]), bool(visits.is_present[held[place]]), int(on[place])
        if assignment != before:
            missed_in_a_row, before, last_turn = 0, assignment, -1_000
        missed_in_a_row = 0 if is_present else missed_in_a_row + 1
        if missed_in_a_row == _MISSES and day - last_turn > 90:
            last_turn = day
            yield assignment, day
