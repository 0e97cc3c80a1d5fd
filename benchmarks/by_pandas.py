"""The script a good analyst would write in pandas for the same payable result: base and outcome amount per contract, line and student.

It takes from each file only the columns it needs, knows this district's senders and contracts by heart, trusts every file, keeps
nothing it received, and explains nothing. Whole columns at a time; money in whole cents. `python -m benchmarks.by_pandas HOME`.
"""

# pandas has no exact types of its own: what a selection returns is Series, DataFrame or scalar to a checker.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportReturnType=false

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

DISTRICT_CAUSES = ("DISTRICT_TECH", "DISTRICT_SCHEDULE")
ATTENDED = ("present", "late")
SHARE_PARTS = 1_000_000  # vendor shares in millionths, so that amounts are rounded once and in whole numbers

Engine = Literal["c", "pyarrow"]


@dataclass
class Payable:
    """decisions: contract_id, line_id, student_id, decision, cents. base: contract_id, student_id, cents. Cents are int64 US cents."""

    decisions: pd.DataFrame
    base: pd.DataFrame

    def per_contract(self) -> dict[str, dict[str, str]]:
        """contract -> base and outcome amount in US dollars, as text."""
        found: dict[str, dict[str, str]] = {}
        for name, rows in (("base", self.base), ("outcome", self.decisions)):
            for contract_id, cents in rows.groupby("contract_id")["cents"].sum().items():
                found.setdefault(str(contract_id), {})[name] = str(Decimal(int(cents)).scaleb(-2))
        return found


class Files:
    """The landed files. `engine` is pandas' CSV reader: its default, or the one of pyarrow, which uses all cores."""

    def __init__(self, home: Path, engine: Engine) -> None:
        self._landing = home / "landing"
        self._engine: Engine = engine

    def by_arrival(self, source: str) -> list[Path]:
        """Every file of a source, first come first."""
        paths = [path for path in (self._landing / source).rglob("*") if path.is_file()]
        return sorted(paths, key=lambda path: (path.stat().st_mtime, str(path)))

    def newest(self, source: str, columns: Sequence[str], member: str | None = None) -> pd.DataFrame:
        """The last file of a source that sends everything each time."""
        return self._read(self.by_arrival(source)[-1], columns, member)

    def every(self, source: str, columns: Sequence[str], member: str | None = None) -> pd.DataFrame:
        """All files of a source, with `file` (0 = first) and `received_at` (UTC)."""
        frames = []
        for number, path in enumerate(self.by_arrival(source)):
            frame = self._read(path, columns, member)
            frame["file"] = number
            frame["received_at"] = pd.Timestamp(int(path.stat().st_mtime), unit="s", tz="UTC")
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def _read(self, path: Path, columns: Sequence[str], member: str | None) -> pd.DataFrame:
        if member is None:
            return self._read_csv(path, columns)
        with zipfile.ZipFile(path) as container:
            if self._engine == "pyarrow":  # it wants to seek
                return self._read_csv(BytesIO(container.read(member)), columns)
            with container.open(member) as packed:
                return self._read_csv(packed, columns)

    def _read_csv(self, source: Path | IO[bytes], columns: Sequence[str]) -> pd.DataFrame:
        return pd.read_csv(source, usecols=list(columns), dtype=str, keep_default_na=False, engine=self._engine)[list(columns)]


def payable(home: Path | str, engine: Engine = "c") -> Payable:
    """Everything owed on the contracts of a home whose files still lie in `landing/`."""
    home = Path(home)
    files = Files(home, engine)
    settings, data_map = _yaml(home / "obc.yml"), _yaml(home / "data_map.yml")
    rulings = _rulings(files)
    roster = _roster(files)
    absent_days = _absent_days(files, data_map)
    tests = {
        "NWEA_MAP_MATH": _map_tests(files),
        "RENAISSANCE_STAR_READING": _star_tests(files),
        "STATE_TEST_MATH": _state_tests(files, settings["district"]["school_year_end"]),
    }
    decisions, base = [], []
    for path in sorted((home / "contracts").glob("*.yml")):
        contract = _yaml(path)
        students = roster[roster["contract_id"] == contract["contract_id"]].reset_index(drop=True)
        if students["student_id"].duplicated().any():
            raise ValueError("a student stands twice on one contract's roster: this script does not merge assignments")
        source = f"sessions_{contract['provider_id']}"
        is_full = data_map["sources"][source]["layout"] == "full"
        sessions = _full_sessions(files, source) if is_full else _datas_sessions(files, source)
        sessions = _served(sessions, students, contract, absent_days, rulings)
        base.append(_base(contract, students, sessions))
        for line in contract["rate_card"]:
            assigned = students[students["line_id"].isin(["", line["line_id"]])].reset_index(drop=True)
            decided = _line(contract, line, assigned, sessions, tests[line["instrument"]], rulings, pd.Timestamp(settings["as_of"]))
            decisions.append(decided)
    return Payable(pd.concat(decisions, ignore_index=True), pd.concat(base, ignore_index=True))


# ---- lists of the district ---------------------------------------------------------------------------------------------


def _rulings(files: Files) -> pd.DataFrame:
    """The newest ruling per subject, contract, student and key."""
    columns = ["ruling_id", "ruled_on", "subject", "contract_id", "student_id", "key", "value"]
    rulings = files.newest("ruling", columns).sort_values(["ruled_on", "ruling_id"])
    return rulings.drop_duplicates(["subject", "contract_id", "student_id", "key"], keep="last")


def _roster(files: Files) -> pd.DataFrame:
    """Who is assigned from when to when (`end_on` exclusive), the provider's share in millionths, and whether the district knows the id."""
    columns = ["contract_id", "student_id", "line_id", "start_on", "end_on", "end_reason", "vendor_share"]
    roster = files.newest("contract_roster", columns)
    users = files.newest("oneroster", ["role", "identifier"], "users.csv")
    roster["is_known"] = roster["student_id"].isin(users.loc[users["role"] == "student", "identifier"])
    roster["start_on"] = pd.to_datetime(roster["start_on"].replace("", None))
    roster["end_on"] = pd.to_datetime(roster["end_on"].replace("", None))
    roster["share"] = (roster["vendor_share"].replace("", "1").astype(float) * SHARE_PARTS).round().astype("int64")
    return roster


def _absent_days(files: Files, data_map: dict[str, Any]) -> pd.DataFrame:
    """Student and day, where the student was absent all day."""
    codes = data_map["sources"]["sis_attendance"]["attendance_codes"]
    all_day = [code["code"] for code in codes if code["status"] == "ABSENT" and code.get("absent_share", 1) == 1]
    events = files.newest("sis_attendance", ["Student_Number", "Att_Date", "Att_Code"])
    events = events.loc[events["Att_Code"].isin(all_day), ["Student_Number", "Att_Date"]].drop_duplicates()
    events.columns = ["student_id", "on"]
    events["on"] = pd.to_datetime(events["on"], format="%m/%d/%Y")
    return events


# ---- sessions ----------------------------------------------------------------------------------------------------------


def _full_sessions(files: Files, source: str) -> pd.DataFrame:
    """One row per session and student: the newest file that has it counts; a student who came twice has two rows, added up."""
    columns = [
        "session_id", "student_id", "tutor_id", "session_date", "actual_start_at", "actual_end_at", "student_joined_at", "student_left_at",
        "session_duration_minutes", "session_status", "attendance_status", "delivery_mode", "group_size",
    ]  # fmt: skip
    key = ["student_id", "session_id"]
    rows = _newest_per_key(files.every(source, columns), key)
    rows = rows.drop_duplicates([*columns, "first_received_at"])
    rows["minutes"] = pd.to_numeric(rows["session_duration_minutes"].replace("", "0")).astype("int64")
    again = rows.duplicated(key, keep=False)
    # Two different accounts of the same minutes: somebody has to look at them.
    same_minutes = rows.loc[again].duplicated([*key, "student_joined_at", "student_left_at"], keep=False)
    contradictory = pd.MultiIndex.from_frame(rows.loc[again].loc[same_minutes, key])
    rows.loc[again, "minutes"] = rows.loc[again].groupby(key)["minutes"].transform("sum")
    sessions = rows.drop_duplicates(key).copy()
    started, ended = (pd.to_datetime(sessions[name].replace("", None), utc=True) for name in ("actual_start_at", "actual_end_at"))
    length = (ended - started).dt.total_seconds() // 60
    sessions["minutes"] = np.minimum(sessions["minutes"], length.fillna(np.inf))
    sessions["is_clear"] = ~pd.MultiIndex.from_frame(sessions[key]).isin(contradictory)
    sessions["on"] = pd.to_datetime(sessions["session_date"])
    sessions["group_size"] = sessions["group_size"].astype("int64")
    sessions["is_held"] = sessions["session_status"] == "completed"
    sessions["is_attended"] = sessions["is_held"] & sessions["attendance_status"].isin(ATTENDED)
    sessions["is_online"] = sessions["delivery_mode"] == "online"
    return sessions


def _datas_sessions(files: Files, source: str) -> pd.DataFrame:
    """Attended sessions only, without an id: student, tutor, start and topic name one."""
    columns = ["student_id", "session_topic", "session_date", "session_duration", "session_ratio", "tutor_id"]
    key = ["student_id", "tutor_id", "session_date", "session_topic"]
    rows = _newest_per_key(files.every(source, columns), key)
    rows = rows.drop_duplicates([*columns, "first_received_at"])
    sessions = rows.drop_duplicates(key).copy()
    sessions["is_clear"] = ~rows.duplicated(key, keep=False).reindex(sessions.index)
    sides = sessions["session_ratio"].str.split(":", n=1, expand=True).astype("int64")
    sessions["group_size"] = sides.max(axis=1)
    sessions["minutes"] = sessions["session_duration"].astype("int64")
    sessions["on"] = pd.to_datetime(sessions["session_date"].str[:10])
    return sessions.assign(session_id="", is_held=True, is_attended=True, is_online=False)


def _newest_per_key(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Rows of the newest file that has their key, with the moment the key was first received."""
    by_key = rows.groupby(key, sort=False)
    rows["first_received_at"] = by_key["received_at"].transform("min")
    return rows[rows["file"] == by_key["file"].transform("max")].copy()


def _served(
    sessions: pd.DataFrame, students: pd.DataFrame, contract: dict[str, Any], absent_days: pd.DataFrame, rulings: pd.DataFrame
) -> pd.DataFrame:
    """Sessions within service and assignment, with what counts: `is_creditable`, or `is_credited` (lost, by the district's doing)."""
    served = sessions.merge(students[["student_id", "start_on", "end_on"]], on="student_id")
    on = served["on"]
    inside = (on >= pd.Timestamp(contract["service_start"])) & (on <= pd.Timestamp(contract["service_end"]))
    inside &= (served["start_on"].isna() | (on >= served["start_on"])) & (served["end_on"].isna() | (on < served["end_on"]))
    served = served[inside].merge(absent_days.assign(is_absent=True), on=["student_id", "on"], how="left")

    conflicts = _said(_ruled(rulings, "ATTENDANCE_CONFLICT", contract), served)
    served["is_attended"] = served["is_attended"] & (conflicts != "ABSENT")
    is_absent = served["is_absent"].eq(True) & ~served["is_online"] & (conflicts != "PRESENT")
    served["is_creditable"] = (
        served["is_attended"]
        & served["is_clear"]
        & (served["minutes"] >= contract.get("min_session_minutes", 0))
        & (served["group_size"] <= contract.get("max_group_size", np.inf))
        & ~is_absent
    )
    # A ruling that names no student is about the session: it explains one that was not held, not a single absence.
    causes = _ruled(rulings, "ABSENCE_CAUSE", contract)
    about_student, about_session = _said(causes, served), _said(causes, served.assign(student_id=""))
    cause = np.where((about_student == "") & ~served["is_held"], about_session, about_student)
    served["is_credited"] = ~served["is_attended"] & np.isin(cause, DISTRICT_CAUSES)
    return served


# ---- tests -------------------------------------------------------------------------------------------------------------


def _map_tests(files: Files) -> pd.DataFrame:
    """The growth tests in mathematics; of each term, those of the newest file."""
    metrics = ["FallToSpringConditionalGrowthPercentile", "FallToWinterConditionalGrowthPercentile"]
    columns = ["TermName", "StudentID", "Subject", "GrowthMeasureYN", "TestStartDate", "RapidGuessingPercentage", *metrics]
    rows = files.every("nwea_map", columns, "AssessmentResults.csv")
    rows = rows[(rows["Subject"] == "Mathematics") & (rows["GrowthMeasureYN"] == "TRUE")]
    rows = rows[rows["file"] == rows.groupby("TermName")["file"].transform("max")].copy()
    rows["window_id"] = rows["TermName"].str.split().str[0].str.upper()
    rows["on"] = pd.to_datetime(rows["TestStartDate"], format="%m/%d/%Y")
    # The file says percent, the contract a share: 30 is 0.30.
    rows["guessed"] = (rows["RapidGuessingPercentage"].replace("", "0").astype(float) / 100).round(6)
    return rows.rename(columns={"StudentID": "student_id"}).assign(is_usable=True, order=0)


def _star_tests(files: Files) -> pd.DataFrame:
    """Reading tests, oldest first, without progress monitoring; of each test, the row of the newest file."""
    columns = [
        "AssessmentID", "StudentIdentifier", "CompletedDate", "CompletedDateLocal", "AssessmentType", "AssessmentStatus",
        "StudentGrowthPercentileFallSpring",
    ]  # fmt: skip
    rows = files.every("renaissance_star", columns, "SR.csv").drop_duplicates("AssessmentID", keep="last")
    rows = rows[rows["AssessmentType"] != "Progress Monitoring"].copy()
    rows["on"] = pd.to_datetime(rows["CompletedDateLocal"].str[:10])
    rows = rows.sort_values(["on", "CompletedDate"]).rename(columns={"StudentIdentifier": "student_id"})
    return rows.assign(is_usable=rows["AssessmentStatus"] == "Active", order=np.arange(len(rows)), guessed=0.0)


def _state_tests(files: Files, school_year_end: int) -> pd.DataFrame:
    """This spring's mathematics results; who was absent has none, and one that was invalidated measures nothing."""
    columns = ["local_student_id", "school_year_end", "admin_window", "subject", "status", "level_number"]
    rows = files.every("state_assessment", columns)
    is_ours = (rows["school_year_end"] == str(school_year_end)) & (rows["admin_window"] == "Spring") & (rows["subject"] == "math")
    rows = rows[is_ours & rows["status"].isin(["scored", "invalid"])].drop_duplicates("local_student_id", keep="last")
    return rows.rename(columns={"local_student_id": "student_id"}).assign(is_usable=rows["status"] == "scored")


def _counted(line: dict[str, Any], window: dict[str, Any], students: pd.DataFrame, tests: pd.DataFrame, is_end: bool) -> pd.DataFrame:
    """Per student, in the order of `students`: `is_there`, `is_valid` and the metric's text of the test that counts in a window."""
    metric = line["source_column"]
    found = tests
    if line["instrument"] != "STATE_TEST_MATH":
        closes_on = pd.Timestamp(window["closes_on"])
        late_until = pd.Timestamp(closes_on if is_end else window.get("late_baseline_until", closes_on))
        last_days = pd.Series(closes_on, students.index).mask(students["start_on"] > closes_on, late_until)
        last_days.index = pd.Index(students["student_id"])
        found = tests[tests["student_id"].isin(students["student_id"])]
        inside = (found["on"] >= pd.Timestamp(window["opens_on"])) & (found["on"] <= found["student_id"].map(last_days))
        if "window_id" in found:
            inside &= found["window_id"] == window["window_id"]
        found = found[inside]
        found = found.assign(is_usable=found["is_usable"] & ~(found["guessed"] >= line.get("rapid_guessing_max_share", np.inf)))
        if "window_id" in found and found["student_id"].duplicated().any():
            raise ValueError("two growth tests of one student in one term: a person has to look at it")
        # A usable one goes before the others; among them the last of an end window, the first of a baseline window.
        found = found.sort_values(["is_usable", "order"], ascending=[False, not is_end]).drop_duplicates("student_id")
    found = found.set_index("student_id")[["is_usable", metric]].reindex(students["student_id"])
    return pd.DataFrame(
        {
            "is_there": found[metric].notna().to_numpy(),
            "is_valid": found["is_usable"].eq(True).to_numpy(),
            "metric": found[metric].fillna("").to_numpy(),
        }
    )


# ---- what is owed ------------------------------------------------------------------------------------------------------


def _base(contract: dict[str, Any], students: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    """For serving each student, by sessions that count, up to the number the contract requires."""
    served = sessions[sessions["is_creditable"]].groupby("student_id").size().reindex(students["student_id"], fill_value=0).to_numpy()
    required, rate = int(contract["required_sessions"]), _cents(contract["base_rate"])
    paid = np.minimum(served, required)
    if contract["base_model"] == "PER_SESSION":
        cents = rate * paid
    elif (contract["base_model"], contract.get("base_proration")) == ("PER_STUDENT_SERVED", "BY_SESSIONS_ATTENDED"):
        cents = _rounded(rate * paid, required)
    else:
        raise ValueError(f"base model {contract['base_model']} is not in this district's contracts")
    is_owed = students["is_known"].to_numpy() & (served >= contract.get("base_earning_min_sessions", 1))
    return students[["contract_id", "student_id"]].assign(cents=np.where(is_owed, cents, 0))


def _line(
    contract: dict[str, Any],
    line: dict[str, Any],
    students: pd.DataFrame,
    sessions: pd.DataFrame,
    tests: pd.DataFrame,
    rulings: pd.DataFrame,
    as_of: pd.Timestamp,
) -> pd.DataFrame:
    """One priced outcome for all students on the roster, in the order of the contract's questions: the first that applies decides."""
    windows = {window["window_id"]: window for window in contract["windows"]}
    end = windows[line["end_window"]]
    data_due = pd.Timestamp(line.get("data_due_on", end["data_due_on"]))
    first, last = _dosage_period(contract, end, students)
    period = sessions.merge(pd.DataFrame({"student_id": students["student_id"], "first": first, "last": last}), on="student_id")
    period = period[(period["on"] >= period["first"]) & (period["on"] <= period["last"])]
    has_dose = _has_dose(contract, line, students, period, (last - first).dt.days + 1, data_due)

    found = _counted(line, end, students, tests, True)
    missing_window = np.where(found["is_there"] & (found["metric"] != ""), "", line["end_window"])
    invalid = found["is_there"] & ~found["is_valid"]
    missing_window = np.where(invalid, "", missing_window)
    if baseline := line.get("baseline_window"):
        earlier = _counted(line, windows[baseline], students, tests, False)
        missing_window = np.where(earlier["is_there"], np.where(earlier["is_valid"], missing_window, ""), baseline)
        invalid = (earlier["is_there"] & ~earlier["is_valid"]) | (earlier["is_there"] & invalid)
    is_missing = missing_window != ""

    blamed = _blamed(_ruled(rulings, "MISSING_TEST_CAUSE", contract), students, missing_window, line["line_id"])
    provider_failed = (blamed == "PROVIDER") | _is_breached(contract, students, period)
    district_pays = line["missing_test_rule"] == "DISTRICT_DEFAULT_IF_DISTRICT_CAUSE" and any(
        (duty["party"], duty["consequence"]) == ("DISTRICT", "DEFAULT_PAY") for duty in contract["obligations"]
    )
    district_failed = (blamed == "DISTRICT") & district_pays

    share = students["share"].to_numpy()
    outcome, cents = _outcome(line, found["metric"], share)
    not_measured = np.where(is_missing, "NOT_MEASURED_MISSING", "NOT_MEASURED_INVALID")
    outcome = np.where(~has_dose, "INELIGIBLE_DOSAGE", np.where(is_missing | invalid, not_measured, outcome))
    cents = np.where(has_dose & ~is_missing & ~invalid, cents, 0)
    part_paid = Fraction(str(contract.get("district_default_share", 1)))
    default = _rounded(_top_cents(line) * part_paid.numerator * share, part_paid.denominator * SHARE_PARTS)
    pays_default = district_failed & (cents <= default)

    is_left_out = students["end_reason"].isin(contract["excluded_reasons"]).to_numpy()
    opens_on, closes_on = pd.Timestamp(end["opens_on"]), pd.Timestamp(end["closes_on"])
    left_before = (students["end_on"] <= opens_on) | ((students["end_on"] <= closes_on) & (missing_window == line["end_window"]))
    disputes = _ruled(rulings, "DISPUTE", contract)
    open_disputes = disputes[(disputes["value"] == "OPEN") & disputes["key"].isin(["", line["line_id"]])]
    always, never = np.ones(len(students), bool), np.zeros(len(students), bool)
    questions: list[tuple[Any, Any, Any]] = [
        (~students["is_known"], "PENDING_DATA", 0),
        (first > last, "OUT_OF_SCOPE", 0),
        (is_left_out & left_before, "EXCLUDED_" + students["end_reason"].to_numpy(), 0),
        (students["student_id"].isin(open_disputes["student_id"]), "HELD_DISPUTE", 0),
        (always if as_of <= closes_on else never, "PENDING_WINDOW", 0),
        ((is_missing | invalid) if as_of <= data_due else never, "PENDING_DATA", 0),
        (provider_failed & district_failed, "HELD_BOTH_DEFAULT", 0),
        (provider_failed, "NOT_EARNED_PROVIDER", 0),
        (pays_default, "DISTRICT_DEFAULT", default),
        (always, outcome, cents),
    ]
    applies = [np.asarray(question) for question, _, _ in questions]
    return pd.DataFrame(
        {
            "contract_id": contract["contract_id"],
            "line_id": line["line_id"],
            "student_id": students["student_id"],
            "decision": np.select(applies, [np.broadcast_to(np.asarray(name, object), len(students)) for _, name, _ in questions], ""),
            "cents": np.select(applies, [np.broadcast_to(amount, len(students)) for _, _, amount in questions], 0),
        }
    )


def _dosage_period(contract: dict[str, Any], end: dict[str, Any], students: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """First and last day on which sessions count for a line; the first is after the last where there is no such day."""
    begins = pd.Timestamp(contract["service_start"])
    ends = pd.Timestamp(min(contract["service_end"], end["closes_on"]))
    last_assigned = students["end_on"] - pd.Timedelta(days=1)
    return students["start_on"].fillna(begins).clip(lower=begins), last_assigned.fillna(ends).clip(upper=ends)


def _has_dose(
    contract: dict[str, Any], line: dict[str, Any], students: pd.DataFrame, period: pd.DataFrame, days: pd.Series, data_due: pd.Timestamp
) -> np.ndarray:
    """Whether enough sessions were attended or credited of those required for the days assigned; compared in whole numbers."""
    service_days = (contract["service_end"] - contract["service_start"]).days + 1
    required = -(-int(contract["required_sessions"]) * days.to_numpy() // service_days)
    on_time = period["first_received_at"] < (data_due + pd.Timedelta(days=1)).tz_localize("UTC")
    counts = period[on_time & (period["is_creditable"] | period["is_credited"])].groupby("student_id").size()
    dose = np.minimum(counts.reindex(students["student_id"], fill_value=0).to_numpy(), required)
    part, whole = (int(number) for number in line["dosage_gate"]["min_rate"].split("/"))
    return dose * whole >= part * required


def _is_breached(contract: dict[str, Any], students: pd.DataFrame, period: pd.DataFrame) -> np.ndarray:
    """Whether a provider's obligation that voids the outcome was broken in the sessions the student attended."""
    attended = period[period["is_attended"]]
    total = attended.groupby("student_id").size()
    broken = np.zeros(len(students), bool)
    for duty in contract["obligations"]:
        if duty["party"] != "PROVIDER" or duty["consequence"] not in ("VOID_OUTCOME", "VOID_ALL"):
            continue
        if duty["metric"] == "SAME_TUTOR_SHARE":
            kept = attended.groupby(["student_id", "tutor_id"]).size().groupby("student_id").max()
        elif duty["metric"] == "GROUP_SIZE_COMPLIANCE":
            kept = attended[attended["group_size"] <= contract["max_group_size"]].groupby("student_id").size()
        else:
            raise ValueError(f"obligation {duty['metric']} is not in this district's contracts")
        part, whole = (int(number) for number in duty["value"].split("/"))
        is_short = kept.reindex(total.index, fill_value=0) * whole < part * total
        broken |= is_short.reindex(students["student_id"], fill_value=False).to_numpy()
    return broken


def _blamed(causes: pd.DataFrame, students: pd.DataFrame, missing_window: np.ndarray, line_id: str) -> np.ndarray:
    """Whose fault a missing test was by a ruling on the window, the line or everything; blank when nobody said or nothing is missing."""
    ruled = causes.set_index(["student_id", "key"])["value"]
    blamed = np.full(len(students), "", object)
    for key in (missing_window, np.full(len(students), line_id), np.full(len(students), "")):
        said = ruled.reindex(pd.MultiIndex.from_arrays([students["student_id"], key])).fillna("").to_numpy()
        blamed = np.where((blamed == "") & (missing_window != ""), said, blamed)
    return blamed


def _outcome(line: dict[str, Any], metric: pd.Series, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest tier reached, else the penalty, else nothing, with its cents."""
    value = pd.to_numeric(metric.replace("", None)).to_numpy(float)
    words, cents = np.full(len(value), "NOT_EARNED_OUTCOME", object), np.zeros(len(value), "int64")
    if penalty := line.get("penalty"):
        is_low = value < penalty["threshold"]
        words[is_low] = "PENALTY"
        cents = np.where(is_low, _rounded(_cents(penalty["price"]) * share, SHARE_PARTS), cents)
    for tier in sorted(line["tiers"], key=lambda tier: tier["threshold"]):
        is_reached = value >= tier["threshold"]
        words[is_reached] = "EARNED"
        cents = np.where(is_reached, _rounded(_cents(tier["price"]) * share, SHARE_PARTS), cents)
    return words, cents


def _said(rulings: pd.DataFrame, served: pd.DataFrame) -> np.ndarray:
    """The value ruled for each row's student and session, blank where there is none."""
    said = rulings[["student_id", "key", "value"]].rename(columns={"key": "session_id"})
    return served[["student_id", "session_id"]].merge(said, how="left")["value"].fillna("").to_numpy(object)


def _top_cents(line: dict[str, Any]) -> int:
    return max(_cents(tier["price"]) for tier in line["tiers"])


def _ruled(rulings: pd.DataFrame, subject: str, contract: dict[str, Any]) -> pd.DataFrame:
    return rulings[(rulings["subject"] == subject) & (rulings["contract_id"] == contract["contract_id"])]


def _cents(dollars: object) -> int:
    return int(Decimal(str(dollars)).scaleb(2))


def _rounded(numerator: np.ndarray, denominator: int) -> np.ndarray:
    """A quotient of whole numbers, rounded half away from zero."""
    return np.sign(numerator) * ((2 * np.abs(numerator) + denominator) // (2 * denominator))


def _yaml(path: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    print(json.dumps(payable(sys.argv[1], "pyarrow" if "--pyarrow" in sys.argv else "c").per_contract()))
