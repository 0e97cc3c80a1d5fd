"""What each provider is owed, worked out by hand from the files the senders sent.

This calculation shares no code with the pipeline and none with the generator of the synthetic district. It opens the files
in `landing/` of a home that nothing has taken in yet, reads the contracts, and goes through the roster student by student in
the order of `domain.md` §4.2, with plain loops and exact decimals. It is meant to be read by the person who signs the payment.

It knows the layouts of the example district's senders only, and files without errors: a file that surprises it stops it.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

CENT = Decimal("0.01")
DISTRICT_CAUSES = ("DISTRICT_TECH", "DISTRICT_SCHEDULE")


@dataclass
class Owed:
    """The result. Amounts are US dollars.

    decisions: (contract, line, student) -> (decision in the words of §4.1, amount of the line).
    base:      (contract, student) -> base amount.
    dose:      (contract, line, student) -> (sessions that count, sessions required), for whoever wants to check a line.
    """

    decisions: dict[tuple[str, str, str], tuple[str, Decimal]] = field(default_factory=dict)
    base: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    dose: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)


@dataclass
class Session:
    """One session of one student, after corrections and re-joins have been put together."""

    session_id: str
    on: date
    tutor: str
    group_size: int
    minutes: int
    is_held: bool
    is_attended: bool
    is_online: bool
    first_received: datetime
    is_contradictory: bool = False


@dataclass
class Sitting:
    """One test that may count: when it was taken, the row it came from, and why it is not usable, if so."""

    on: date | None
    row: dict[str, str]
    invalid: bool = False


@dataclass
class Evidence:
    """Everything the senders said, put in order."""

    as_of: date
    known_students: set[str]
    absent_days: set[tuple[str, date]]
    roster: list[dict[str, str]]
    rulings: dict[tuple[str, str, str, str], str]
    sessions: dict[str, dict[str, list[Session]]]
    map_tests: dict[tuple[str, str], list[Sitting]]
    star_tests: dict[str, list[Sitting]]
    state_tests: dict[str, Sitting]


def payment_by_hand(home: Path | str) -> Owed:
    """Every line of every contract of the home, and every base amount. Files are read where they landed."""
    home = Path(home)
    contracts = [_yaml(path) for path in sorted((home / "contracts").glob("*.yml"))]
    evidence = _read(home, [contract["provider_id"] for contract in contracts])
    owed = Owed()
    for contract in contracts:
        for assignment in evidence.roster:
            if assignment["contract_id"] == contract["contract_id"]:
                _one_student(owed, contract, assignment, evidence)
    return owed


# ---- the decision, §4.2 ------------------------------------------------------------------------------------------------


def _one_student(owed: Owed, contract: dict[str, Any], assignment: dict[str, str], evidence: Evidence) -> None:
    student, contract_id = assignment["student_id"], contract["contract_id"]
    if (contract_id, student) in owed.base:
        raise ValueError("a student stands twice on one contract's roster: this calculation does not merge assignments")
    sessions = [s for s in evidence.sessions[contract["provider_id"]].get(student, []) if _is_served(s, contract, assignment)]
    owed.base[contract_id, student] = _base(contract, assignment, sessions, evidence)
    for line in contract["rate_card"]:
        if assignment["line_id"] in ("", line["line_id"]):
            owed.decisions[contract_id, line["line_id"], student] = _decide(owed, contract, line, assignment, sessions, evidence)


def _decide(
    owed: Owed, contract: dict[str, Any], line: dict[str, Any], assignment: dict[str, str], sessions: list[Session], evidence: Evidence
) -> tuple[str, Decimal]:
    student, contract_id = assignment["student_id"], contract["contract_id"]
    windows = {window["window_id"]: window for window in contract["windows"]}
    end = windows[line["end_window"]]
    period = _dosage_period(contract, end, assignment)
    nothing = Decimal("0.00")
    if student not in evidence.known_students:
        return "PENDING_DATA", nothing

    # 1. Not on the roster for this line: nobody is, who was not assigned on a single day that the line looks at.
    if period is None:
        return "OUT_OF_SCOPE", nothing

    # 2. Left before the end window for a reason that the contract leaves out.
    tests, problem = _tests(contract, line, assignment, evidence, windows)
    ended_on = _day(assignment["end_on"])
    if ended_on and assignment["end_reason"] in contract["excluded_reasons"]:
        end_test_is_missing = problem == ("MISSING", line["end_window"])
        if ended_on <= end["opens_on"] or (ended_on <= end["closes_on"] and end_test_is_missing):
            return f"EXCLUDED_{assignment['end_reason']}", nothing

    # 3. An open dispute.
    for key in ("", line["line_id"]):
        if evidence.rulings.get(("DISPUTE", contract_id, student, key)) == "OPEN":
            return "HELD_DISPUTE", nothing

    # 4. The end window is still open.
    if evidence.as_of <= end["closes_on"]:
        return "PENDING_WINDOW", nothing

    # 5. Attendance: compared in whole numbers, never by a divided rate.
    data_due = line.get("data_due_on", end["data_due_on"])
    is_dosage_met = _is_dosage_met(owed, contract, line, assignment, sessions, period, data_due, evidence)

    # 6. No valid tests yet, and they may still come.
    if problem and evidence.as_of <= data_due:
        return "PENDING_DATA", nothing

    # 7. Whose fault.
    cause = _cause_of_missing(contract_id, line, student, problem, evidence)
    inside = [s for s in sessions if period[0] <= s.on <= period[1]]
    provider_failed = cause == "PROVIDER" or any(_is_breached(o, contract, student, inside, evidence) for o in contract["obligations"])
    district_pays = line["missing_test_rule"] == "DISTRICT_DEFAULT_IF_DISTRICT_CAUSE" and any(
        o["party"] == "DISTRICT" and o["consequence"] == "DEFAULT_PAY" for o in contract["obligations"]
    )
    district_failed = cause == "DISTRICT" and district_pays

    # 8-10. Both, the provider, the district.
    if provider_failed and district_failed:
        return "HELD_BOTH_DEFAULT", nothing
    if provider_failed:
        return "NOT_EARNED_PROVIDER", nothing
    share = Decimal(assignment["vendor_share"] or "1")
    outcome, amount = _outcome(line, tests, problem, is_dosage_met, share)
    if district_failed:
        top = max(Decimal(str(tier["price"])) for tier in line["tiers"])
        default = _cents(top * Decimal(str(contract["district_default_share"])) * share)
        return ("EARNED", amount) if amount > default else ("DISTRICT_DEFAULT", default)

    # 11-13. Dosage, measurement, tier.
    return outcome, amount


def _outcome(
    line: dict[str, Any], tests: list[Sitting], problem: tuple[str, str] | None, is_dosage_met: bool, share: Decimal
) -> tuple[str, Decimal]:
    nothing = Decimal("0.00")
    if not is_dosage_met:
        return "INELIGIBLE_DOSAGE", nothing
    if problem:
        return f"NOT_MEASURED_{problem[0]}", nothing
    value = Decimal(tests[-1].row[line["source_column"]])
    reached = [tier for tier in line["tiers"] if value >= Decimal(str(tier["threshold"]))]
    if reached:
        return "EARNED", _cents(Decimal(str(max(reached, key=lambda tier: tier["threshold"])["price"])) * share)
    penalty = line.get("penalty")
    if penalty and value < Decimal(str(penalty["threshold"])):
        return "PENALTY", _cents(Decimal(str(penalty["price"])) * share)
    return "NOT_EARNED_OUTCOME", nothing


# ---- dosage and base ---------------------------------------------------------------------------------------------------


def _dosage_period(contract: dict[str, Any], end_window: dict[str, Any], assignment: dict[str, str]) -> tuple[date, date] | None:
    """First and last day on which sessions of this student count for a line; None when there is no such day."""
    first = max(contract["service_start"], _day(assignment["start_on"]) or contract["service_start"])
    last = min(contract["service_end"], end_window["closes_on"])
    ended_on = _day(assignment["end_on"])
    if ended_on:
        last = min(last, ended_on - timedelta(days=1))
    return (first, last) if first <= last else None


def _is_dosage_met(
    owed: Owed,
    contract: dict[str, Any],
    line: dict[str, Any],
    assignment: dict[str, str],
    sessions: list[Session],
    period: tuple[date, date],
    data_due: date,
    evidence: Evidence,
) -> bool:
    student, contract_id = assignment["student_id"], contract["contract_id"]
    service_days = (contract["service_end"] - contract["service_start"]).days + 1
    days = (period[1] - period[0]).days + 1
    required = -(-contract["required_sessions"] * days // service_days)  # rounded up
    too_late = datetime.combine(data_due + timedelta(days=1), time(), UTC)
    inside = [s for s in sessions if period[0] <= s.on <= period[1] and s.first_received < too_late]
    attended = sum(_is_creditable(s, contract, student, evidence) for s in inside)
    credited = sum(_is_lost_to_district(s, contract_id, student, evidence) for s in inside)
    dose = min(required, attended + credited)
    owed.dose[contract_id, line["line_id"], student] = (attended + credited, required)
    part, whole = (int(number) for number in line["dosage_gate"]["min_rate"].split("/"))
    return dose * whole >= part * required


def _is_served(session: Session, contract: dict[str, Any], assignment: dict[str, str]) -> bool:
    """Inside the service dates and the assignment, whose last day is the day before `end_on`."""
    started_on, ended_on = _day(assignment["start_on"]), _day(assignment["end_on"])
    in_assignment = (started_on is None or session.on >= started_on) and (ended_on is None or session.on < ended_on)
    return in_assignment and contract["service_start"] <= session.on <= contract["service_end"]


def _is_creditable(session: Session, contract: dict[str, Any], student: str, evidence: Evidence) -> bool:
    """Attended, long enough, in a small enough group, and not on a day on which the school has the student absent."""
    if not _is_attended(session, contract["contract_id"], student, evidence) or session.is_contradictory:
        return False
    if session.minutes < contract.get("min_session_minutes", 0):
        return False
    if session.group_size > contract.get("max_group_size", session.group_size):
        return False
    if (student, session.on) in evidence.absent_days and not session.is_online:
        return evidence.rulings.get(("ATTENDANCE_CONFLICT", contract["contract_id"], student, session.session_id)) == "PRESENT"
    return True


def _is_attended(session: Session, contract_id: str, student: str, evidence: Evidence) -> bool:
    """The provider says so, and nobody ruled that the student was absent after all."""
    return session.is_attended and evidence.rulings.get(("ATTENDANCE_CONFLICT", contract_id, student, session.session_id)) != "ABSENT"


def _is_lost_to_district(session: Session, contract_id: str, student: str, evidence: Evidence) -> bool:
    """A missed session counts as attended only where somebody ruled that the district caused it: the provider's word alone is a claim.

    A ruling that names no student is about the session, so it explains sessions that were not held, not single absences.
    """
    if _is_attended(session, contract_id, student, evidence):
        return False
    ruled = evidence.rulings.get(("ABSENCE_CAUSE", contract_id, student, session.session_id))
    if ruled is None and not session.is_held:
        ruled = evidence.rulings.get(("ABSENCE_CAUSE", contract_id, "", session.session_id))
    return ruled in DISTRICT_CAUSES


def _base(contract: dict[str, Any], assignment: dict[str, str], sessions: list[Session], evidence: Evidence) -> Decimal:
    student = assignment["student_id"]
    if student not in evidence.known_students:
        return Decimal("0.00")
    attended = sum(_is_creditable(s, contract, student, evidence) for s in sessions)
    required = contract["required_sessions"]
    rate = Decimal(str(contract["base_rate"]))
    if attended < contract.get("base_earning_min_sessions", 1):
        return Decimal("0.00")
    if contract["base_model"] == "PER_STUDENT_SERVED" and contract["base_proration"] == "BY_SESSIONS_ATTENDED":
        return _cents(rate * min(attended, required) / required)
    if contract["base_model"] == "PER_SESSION":
        return _cents(rate * min(attended, required))
    raise ValueError(f"base model {contract['base_model']} is not in the example district's contracts")


def _is_breached(obligation: dict[str, Any], contract: dict[str, Any], student: str, sessions: list[Session], evidence: Evidence) -> bool:
    """A provider obligation that voids the outcome, judged on the sessions this student attended in the line's period."""
    if obligation["party"] != "PROVIDER" or obligation["consequence"] not in ("VOID_OUTCOME", "VOID_ALL"):
        return False
    attended = [s for s in sessions if _is_attended(s, contract["contract_id"], student, evidence)]
    part, whole = (int(number) for number in obligation["value"].split("/"))
    if obligation["metric"] == "SAME_TUTOR_SHARE":
        kept = max(Counter(s.tutor for s in attended).values(), default=0)
    elif obligation["metric"] == "GROUP_SIZE_COMPLIANCE":
        kept = sum(s.group_size <= contract["max_group_size"] for s in attended)
    else:
        raise ValueError(f"obligation {obligation['metric']} voids an outcome, but is not in the example district's contracts")
    return bool(attended) and kept * whole < part * len(attended)  # nothing attended: unknown, so no breach


# ---- tests, §5.3 -------------------------------------------------------------------------------------------------------


def _tests(
    contract: dict[str, Any], line: dict[str, Any], assignment: dict[str, str], evidence: Evidence, windows: dict[str, Any]
) -> tuple[list[Sitting], tuple[str, str] | None]:
    """The baseline and end test that count (the end test alone for proficiency), or what is wrong and in which window."""
    found: list[Sitting] = []
    for window_id in (line.get("baseline_window"), line["end_window"]):
        if window_id is None:
            continue
        is_end = window_id == line["end_window"]
        test = _test(line, assignment, evidence, windows[window_id], is_end)
        if test is None:
            return found, ("MISSING", window_id)
        if test.invalid:
            return found, ("INVALID", window_id)
        found.append(test)
    if not found[-1].row[line["source_column"]]:
        return found, ("MISSING", line["end_window"])
    return found, None


def _test(line: dict[str, Any], assignment: dict[str, str], evidence: Evidence, window: dict[str, Any], is_end: bool) -> Sitting | None:
    student, instrument = assignment["student_id"], line["instrument"]
    if instrument == "STATE_TEST_MATH":
        return evidence.state_tests.get(student)
    last_day = window["closes_on"]
    if not is_end and (_day(assignment["start_on"]) or last_day) > last_day:
        last_day = window.get("late_baseline_until", last_day)
    if instrument == "NWEA_MAP_MATH":
        inside = [t for t in evidence.map_tests.get((student, window["window_id"]), []) if window["opens_on"] <= _known(t.on) <= last_day]
        if len(inside) > 1:
            raise ValueError("two growth tests of one student in one term: a person has to look at it")
        limit = line.get("rapid_guessing_max_share")
        for test in inside:
            percent = Decimal(test.row["RapidGuessingPercentage"] or "0")
            test.invalid = limit is not None and percent >= Decimal(str(limit)) * 100
        return inside[0] if inside else None
    if instrument == "RENAISSANCE_STAR_READING":
        inside = [t for t in evidence.star_tests.get(student, []) if window["opens_on"] <= _known(t.on) <= last_day]
        active = [t for t in inside if not t.invalid]
        return (active[-1] if is_end else active[0]) if active else (inside[-1] if inside else None)
    raise ValueError(f"instrument {instrument} is not in the example district's contracts")


def _cause_of_missing(contract_id: str, line: dict[str, Any], student: str, problem: tuple[str, str] | None, evidence: Evidence) -> str:
    if problem is None or problem[0] != "MISSING":
        return ""
    for key in (problem[1], line["line_id"], ""):
        if ruled := evidence.rulings.get(("MISSING_TEST_CAUSE", contract_id, student, key)):
            return ruled
    return ""


# ---- the senders' files ------------------------------------------------------------------------------------------------


def _read(home: Path, providers: list[str]) -> Evidence:
    landing, settings, data_map = home / "landing", _yaml(home / "obc.yml"), _yaml(home / "data_map.yml")
    return Evidence(
        as_of=settings["as_of"],
        known_students={row["identifier"] for row in _rows(_newest(landing / "oneroster"), "users.csv") if row["role"] == "student"},
        absent_days=_absent_days(landing, data_map),
        roster=list(_rows(_newest(landing / "contract_roster"))),
        rulings=_rulings(landing),
        sessions={
            provider: _sessions(landing, data_map["sources"][f"sessions_{provider}"], f"sessions_{provider}") for provider in providers
        },
        map_tests=_map_tests(landing),
        star_tests=_star_tests(landing),
        state_tests=_state_tests(landing, settings["district"]["school_year_end"]),
    )


def _absent_days(landing: Path, data_map: dict[str, Any]) -> set[tuple[str, date]]:
    """Days absent from morning to evening. Each file is the whole year so far: the newest counts."""
    codes = data_map["sources"]["sis_attendance"]["attendance_codes"]
    all_day = {code["code"] for code in codes if code["status"] == "ABSENT" and code.get("absent_share", 1) == 1}
    rows = _rows(_newest(landing / "sis_attendance"))
    return {(row["Student_Number"], _us_day(row["Att_Date"])) for row in rows if row["Att_Code"] in all_day}


def _rulings(landing: Path) -> dict[tuple[str, str, str, str], str]:
    """The newest ruling on each matter."""
    ruled = {}
    for row in sorted(_rows(_newest(landing / "ruling")), key=lambda row: (row["ruled_on"], row["ruling_id"])):
        ruled[row["subject"], row["contract_id"], row["student_id"], row["key"]] = row["value"]
    return ruled


def _sessions(landing: Path, source: dict[str, Any], name: str) -> dict[str, list[Session]]:
    """Per student. The newest file that has a session of a student says what happened; the first one says when it was reported."""
    is_full = source["layout"] == "full"
    newest: dict[tuple[str, ...], tuple[Path, list[dict[str, str]]]] = {}
    first_received: dict[tuple[str, ...], datetime] = {}
    for path in _by_arrival(landing / name):
        for row in _rows(path):
            if is_full:
                key = (row["student_id"], row["session_id"])
            else:
                key = (row["student_id"], row["tutor_id"], row["session_date"], row["session_topic"])
            first_received.setdefault(key, _arrival(path))
            if key not in newest or newest[key][0] != path:
                newest[key] = (path, [])
            if row not in newest[key][1]:  # the same row twice is one row
                newest[key][1].append(row)
    by_student: dict[str, list[Session]] = defaultdict(list)
    for key, (_, rows) in newest.items():
        by_student[key[0]].append((_full_session if is_full else _datas_session)(rows, first_received[key]))
    return by_student


def _full_session(rows: list[dict[str, str]], first_received: datetime) -> Session:
    row = rows[0]
    intervals = {(r["student_joined_at"], r["student_left_at"]) for r in rows}
    minutes = sum(int(r["session_duration_minutes"] or 0) for r in rows)
    if row["actual_start_at"] and row["actual_end_at"]:
        length = datetime.fromisoformat(row["actual_end_at"]) - datetime.fromisoformat(row["actual_start_at"])
        minutes = min(minutes, int(length.total_seconds()) // 60)
    return Session(
        session_id=row["session_id"],
        on=date.fromisoformat(row["session_date"]),
        tutor=row["tutor_id"],
        group_size=int(row["group_size"]),
        minutes=minutes,
        is_held=row["session_status"] == "completed",
        is_attended=row["session_status"] == "completed" and row["attendance_status"] in ("present", "late"),
        is_online=row["delivery_mode"] == "online",
        first_received=first_received,
        is_contradictory=len(intervals) < len(rows),
    )


def _datas_session(rows: list[dict[str, str]], first_received: datetime) -> Session:
    row = rows[0]
    return Session(
        session_id="",
        on=date.fromisoformat(row["session_date"][:10]),
        tutor=row["tutor_id"],
        group_size=max(int(side) for side in row["session_ratio"].split(":")),
        minutes=int(row["session_duration"]),
        is_held=True,
        is_attended=True,
        is_online=False,
        first_received=first_received,
        is_contradictory=len(rows) > 1,
    )


def _map_tests(landing: Path) -> dict[tuple[str, str], list[Sitting]]:
    """Mathematics tests that the publisher marks as the growth test, by student and term. The newest file of a term counts."""
    terms: dict[str, dict[tuple[str, str], list[Sitting]]] = {}
    for path in _by_arrival(landing / "nwea_map"):
        tests: dict[tuple[str, str], list[Sitting]] = defaultdict(list)
        term = ""
        for row in _rows(path, "AssessmentResults.csv"):
            term = row["TermName"]
            if row["Subject"] == "Mathematics" and row["GrowthMeasureYN"] == "TRUE":
                tests[row["StudentID"], term.split()[0].upper()].append(Sitting(_us_day(row["TestStartDate"]), row))
        terms[term] = tests
    return {key: tests for term in terms.values() for key, tests in term.items()}


def _star_tests(landing: Path) -> dict[str, list[Sitting]]:
    """Reading tests by student, oldest first, without progress monitoring. The newest file that has a test gives its row."""
    rows: dict[str, dict[str, str]] = {}
    for path in _by_arrival(landing / "renaissance_star"):
        rows.update({row["AssessmentID"]: row for row in _rows(path, "SR.csv")})
    by_student: dict[str, list[Sitting]] = defaultdict(list)
    for row in sorted(rows.values(), key=lambda row: (row["CompletedDateLocal"][:10], row["CompletedDate"])):
        if row["AssessmentType"] != "Progress Monitoring":
            taken_on = date.fromisoformat(row["CompletedDateLocal"][:10])
            by_student[row["StudentIdentifier"]].append(Sitting(taken_on, row, invalid=row["AssessmentStatus"] != "Active"))
    return by_student


def _state_tests(landing: Path, school_year_end: int) -> dict[str, Sitting]:
    """This spring's mathematics results. Who was absent or exempt has no test; an invalidated one is no measurement."""
    tests = {}
    for path in _by_arrival(landing / "state_assessment"):
        for row in _rows(path):
            is_ours = row["school_year_end"] == str(school_year_end) and row["admin_window"] == "Spring" and row["subject"] == "math"
            if is_ours and row["status"] in ("scored", "invalid"):
                tests[row["local_student_id"]] = Sitting(None, row, invalid=row["status"] == "invalid")
    return tests


def _by_arrival(folder: Path) -> list[Path]:
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: (path.stat().st_mtime, str(path)))


def _newest(folder: Path) -> Path:
    return _by_arrival(folder)[-1]


def _arrival(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _rows(path: Path, member: str | None = None) -> Iterator[dict[str, str]]:
    if member is None:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file, strict=True)
    else:
        with zipfile.ZipFile(path) as archive, archive.open(member) as packed:
            yield from csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8", newline=""), strict=True)


def _yaml(path: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _us_day(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()


def _known(on: date | None) -> date:
    if on is None:
        raise ValueError("a test without a date")
    return on


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
