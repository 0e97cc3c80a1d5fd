"""The payment decision in plain Python, written from the contract terms and the domain notes (sections 3 to 5), for checking the models.

Exact fractions, loops and first-match returns; no SQL, no shared code. Rows are dictionaries with the column names of the input layer.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

Row = dict[str, Any]
FAR = dt.date(9999, 12, 31)
BY_DATE = ("ROSTER_BY_DATE", "DATA_FEED_BY_DATE")
DAY = dt.timedelta(days=1)


@dataclass
class World:
    """Everything the models read, as rows."""

    contract: list[Row] = field(default_factory=list)
    contract_window: list[Row] = field(default_factory=list)
    contract_excluded_reason: list[Row] = field(default_factory=list)
    rate_card_line: list[Row] = field(default_factory=list)
    rate_card_tier: list[Row] = field(default_factory=list)
    obligation: list[Row] = field(default_factory=list)
    roster: list[Row] = field(default_factory=list)
    result: list[Row] = field(default_factory=list)
    metric: list[Row] = field(default_factory=list)
    session: list[Row] = field(default_factory=list)
    ruling: list[Row] = field(default_factory=list)
    rate_card_uplift: list[Row] = field(default_factory=list)
    contract_instalment: list[Row] = field(default_factory=list)
    program: list[Row] = field(default_factory=list)
    file: list[Row] = field(default_factory=list)
    enrollment: list[Row] = field(default_factory=list)
    calendar: list[Row] = field(default_factory=list)
    coverage: list[Row] = field(default_factory=list)
    absence: list[Row] = field(default_factory=list)


def cents(value: Fraction) -> Decimal:
    """Rounded once to cents, half up: a tie goes away from zero."""
    exact = abs(value) * 100
    whole = exact.numerator // exact.denominator
    if exact - whole >= Fraction(1, 2):
        whole += 1
    return (Decimal(whole) / 100 * (1 if value >= 0 else -1)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def fraction(value: Any) -> Fraction:
    return Fraction(str(value))


class Judge:
    """Decides every contract, line and student of a world, as of a date."""

    def __init__(self, world: World, as_of: dt.date) -> None:
        self.world = world
        self.as_of = as_of
        self.rulings = self._standing_rulings()
        self._own_default: dict[tuple[str, str, str], bool] = {}

    # ---- terms -------------------------------------------------------------------------------------------------------------------

    def governing(self, contract_id: str, window_id: str) -> tuple[Row, Row]:
        """The contract version and window in force when the window closes; the newest version where none is."""
        found = []
        for window in self.world.contract_window:
            if window["contract_id"] == contract_id and window["window_id"] == window_id:
                terms = self._version(contract_id, window["version"])
                in_force = terms["effective_from"] <= window["closes_on"] < (terms["effective_to"] or FAR)
                found.append((in_force, terms["version"], terms, window))
        _, _, terms, window = max(found, key=lambda item: item[:2])
        return terms, window

    def lines(self) -> Iterable[tuple[Row, Row, Row]]:
        """Each line that governs, with its contract version and its end window."""
        for line in self.world.rate_card_line:
            terms, window = self.governing(line["contract_id"], line["end_window"])
            if terms["version"] == line["version"]:
                yield line, terms, window

    def _version(self, contract_id: str, version: int) -> Row:
        return next(row for row in self.world.contract if row["contract_id"] == contract_id and row["version"] == version)

    def _standing_rulings(self) -> list[Row]:
        newest: dict[tuple[Any, ...], Row] = {}
        for row in sorted(self.world.ruling, key=lambda row: (row["ruled_on"], row["ruling_id"])):
            about_somebody_unknown = row["student_id"] is not None and row["student_key"] is None
            if row["ruled_on"] <= self.as_of and not about_somebody_unknown:
                newest[row["subject"], row["contract_id"], row["student_key"], row["key"]] = row
        return list(newest.values())

    # ---- assignment --------------------------------------------------------------------------------------------------------------

    def roster_rows(self, contract_id: str, line_id: str, student_id: str) -> list[Row]:
        return [
            row
            for row in self.world.roster
            if row["contract_id"] == contract_id
            and row["student_id"] == student_id
            and row["line_id"] in (None, line_id)
            and (row["end_on"] is None or row["end_on"] > row["start_on"])
        ]

    def assigned_days(self, rows: list[Row], first: dt.date, last: dt.date) -> set[dt.date]:
        days = set()
        day = first
        while day <= last:
            if any(row["start_on"] <= day < (row["end_on"] or FAR) for row in rows):
                days.add(day)
            day += DAY
        return days

    def share(self, contract_id: str, student_key: str | None, row: Row) -> Fraction | None:
        ruled = [
            (ruling["ruled_on"], ruling["value"])
            for ruling in self.rulings
            if ruling["subject"] == "OVERLAP" and ruling["contract_id"] == contract_id and ruling["student_key"] == student_key
        ]
        if ruled:
            return fraction(max(ruled)[1])
        return None if row["vendor_share"] is None else fraction(row["vendor_share"])

    def is_overlapping(self, contract_id: str, student_key: str) -> bool:
        """Whether on some day of service two contracts of the subject claim the student without shares that add up to at most 1."""
        newest = {row["contract_id"]: row for row in sorted(self.world.contract, key=lambda row: row["version"])}
        subject = newest[contract_id]["subject"]
        claims = []
        for row in self.world.roster:
            terms = newest[row["contract_id"]]
            if row["student_key"] == student_key and terms["subject"] == subject:
                start = max(row["start_on"], terms["service_start_on"])
                end = min(row["end_on"] or FAR, terms["service_end_on"] + DAY)
                if start < end:
                    claims.append((row["contract_id"], start, end, self.share(row["contract_id"], student_key, row)))
        for _, day, _, _ in claims:
            shares: dict[str, list[Fraction | None]] = {}
            for other, start, end, share in claims:
                if start <= day < end:
                    shares.setdefault(other, []).append(share)
            if len(shares) > 1 and contract_id in shares:
                best = [max((one for one in stated if one is not None), default=None) for stated in shares.values()]
                if any(one is None for one in best) or sum(one for one in best if one is not None) > 1:
                    return True
        return False

    # ---- tests -------------------------------------------------------------------------------------------------------------------

    def counted_test(self, line: Row, window: Row, student_key: str | None, closes_on: dt.date) -> tuple[str, Row | None]:
        """COUNTED, AMBIGUOUS, INVALID or MISSING, and the test."""
        if student_key is None:
            return "MISSING", None
        attempts = [
            row
            for row in self.world.result
            if row["student_key"] == student_key
            and row["instrument"] == line["instrument"]
            and row["window_id"] == window["window_id"]
            and (row["tested_on"] is None or row["tested_on"] <= self.as_of)
        ]
        is_map = line["instrument"].startswith("NWEA")
        is_state = line["instrument"].startswith("STATE")
        reasons = [self._unusable(row, line, window["opens_on"], closes_on, is_state) for row in attempts]
        usable = [row for row, reason in zip(attempts, reasons, strict=True) if reason is None]
        invalid = [reason for reason in reasons if reason not in (None, "NOT_TESTED", "OUTSIDE_WINDOW")]
        if line["retest_rule"] != "INSTRUMENT_OFFICIAL":
            # The first or last usable test, whatever the publisher marked; Star's progress monitoring still comes last.
            by_day = sorted(usable, key=lambda row: row["tested_on"], reverse=line["retest_rule"] == "LAST_VALID")
            is_star = line["instrument"].startswith("RENAISSANCE")
            chosen = sorted(by_day, key=lambda row: is_star and row["test_type"] == "PROGRESS_MONITORING")[:1]
        elif is_map:
            flagged = [row for row in attempts if row["is_valid"] and self._right_norms(row, line) and row["is_growth_event"]]
            if flagged:
                chosen = [row for row in usable if row["is_growth_event"]]
                if len(chosen) > 1:
                    return "AMBIGUOUS", None
                invalid += ["passed over"] * (len(usable) - len(chosen))
            else:
                unflagged = [row for row in usable if row["is_growth_event"] is None]
                invalid += ["passed over"] * (len(usable) - len(unflagged))
                chosen = sorted(unflagged, key=lambda row: (fraction(row["score_se"]), -row["tested_on"].toordinal()))[:1]
        else:
            real = [row for row in usable if row["test_type"] != "PROGRESS_MONITORING"] or usable
            first = window["window_id"] == "FALL"
            chosen = sorted(real, key=lambda row: row["tested_on"] or FAR, reverse=not first)[:1]
        if chosen:
            return "COUNTED", chosen[0]
        return ("INVALID" if invalid else "MISSING"), None

    def _right_norms(self, row: Row, line: Row) -> bool:
        return line["norms_reference"] is None or row["norms_reference"] == line["norms_reference"]

    def _unusable(self, row: Row, line: Row, opens_on: dt.date, closes_on: dt.date, is_state: bool) -> str | None:
        if not row["is_valid"]:
            return str(row["invalid_reason"])
        if not self._right_norms(row, line):
            return "OTHER_NORMS"
        if not is_state and not opens_on <= row["tested_on"] <= closes_on:
            return "OUTSIDE_WINDOW"
        limit, guessed = line["rapid_guessing_max_share"], row["rapid_guessing_share"]
        if limit is not None and guessed is not None and fraction(guessed) >= fraction(limit):
            return "RAPID_GUESSING"
        return None

    # ---- sessions ----------------------------------------------------------------------------------------------------------------

    def sessions(self, terms: Row, student_key: str | None, days: set[dt.date]) -> list[Row]:
        return [
            row
            for row in self.world.session
            if row["contract_id"] == terms["contract_id"]
            and row["student_key"] == student_key
            and row["session_on"] in days
            and row["session_on"] <= self.as_of
        ]

    def is_in_time(self, row: Row, due: dt.date) -> bool:
        if row["received_at"].date() <= due:
            return True
        return any(
            ruling["subject"] == "LATE_CHANGE"
            and ruling["value"] == "ACCEPTED"
            and ruling["contract_id"] in (None, row["contract_id"])
            and ruling["student_key"] in (None, row["student_key"])
            and ruling["key"] in (None, row["session_id"])
            for ruling in self.rulings
        )

    # ---- duties ------------------------------------------------------------------------------------------------------------------

    def missing_cause(self, contract_id: str, line_id: str, window_id: str, student_key: str | None) -> str | None:
        fitting = [
            ruling
            for ruling in self.rulings
            if ruling["subject"] == "MISSING_TEST_CAUSE"
            and ruling["contract_id"] in (None, contract_id)
            and ruling["student_key"] in (None, student_key)
            and ruling["key"] in (None, window_id, line_id)
        ]
        fitting.sort(key=lambda row: (row["student_key"] is not None, row["key"] is not None, row["ruled_on"], row["ruling_id"]))
        return fitting[-1]["value"] if fitting else None

    def windows(self, obligation: Row, line: Row) -> list[tuple[dt.date, dt.date]]:
        """First and last day of every week, month or term of the line's period that the obligation is measured in."""
        terms = next(row for row in self.world.contract if (row["contract_id"], row["version"]) == (line["contract_id"], line["version"]))
        first, last = terms["service_start_on"], terms["service_end_on"]
        closes = {
            row["closes_on"]
            for row in self.world.contract_window
            if (row["contract_id"], row["version"]) == (line["contract_id"], line["version"]) and first <= row["closes_on"] < last
        }

        def ends(day: dt.date) -> bool:
            if obligation["measurement_window"] == "WEEK":
                return day.weekday() == 6
            return (day + DAY).day == 1 if obligation["measurement_window"] == "MONTH" else day in closes

        found, begun, day = [], first, first
        while day <= last:
            if ends(day) or day == last:
                # A week or month runs to its own end; a term ends with service.
                end = day
                while obligation["measurement_window"] != "TERM" and not ends(end):
                    end += DAY
                found.append((begun, end))
                begun = day + DAY
            day += DAY
        return found

    def verdict_of_windows(self, obligation: Row, line: Row, students: list[str], last: dt.date) -> str:
        """The worst of its windows; windows without anything to count are none."""
        owed = Fraction(obligation["value_numerator"], obligation["value_denominator"])
        verdicts = set()
        for window in self.windows(obligation, line):
            counts = [self.duty(obligation, line, other, window) for other in students]
            numerator, denominator = sum(one for one, _ in counts), sum(other for _, other in counts)
            through = min(window[1], last)
            if denominator == 0:
                continue
            if Fraction(numerator, denominator) >= owed:
                verdicts.add("MET")
            elif through >= self.as_of:
                verdicts.add("UNKNOWN")
            else:
                verdicts.add("IN_CURE" if through + obligation["cure_days"] * DAY >= self.as_of else "BREACHED")
        return next((worst for worst in ("BREACHED", "IN_CURE", "UNKNOWN", "MET") if worst in verdicts), "UNKNOWN")

    def duty(self, obligation: Row, line: Row, student_id: str, within: tuple[dt.date, dt.date] | None = None) -> tuple[int, int]:
        """Numerator and denominator of one obligation for one student, of all sessions or of those in a window."""
        case = self.case(line, student_id)
        sessions = [row for row in case.sessions if within is None or within[0] <= row["session_on"] <= within[1]]
        attended = [row for row in sessions if row["is_attended"]]
        if obligation["metric"] == "SAME_TUTOR_SHARE":
            tutors = Counter(row["tutor_id"] for row in attended if row["tutor_id"] is not None)
            return max(tutors.values(), default=0), sum(tutors.values())
        if obligation["metric"] == "GROUP_SIZE_COMPLIANCE":
            known = [row for row in attended if row["group_size"] is not None]
            return sum(row["group_size"] <= case.terms["max_group_size"] for row in known), len(known)
        if obligation["metric"] == "DELIVERY_RATE":
            held = sum(row["is_held"] for row in sessions)
            provider = ("PROVIDER_CANCEL", "TUTOR_NO_SHOW", "PROVIDER_TECH")
            causes = provider if obligation["party"] == "PROVIDER" else ("DISTRICT_TECH", "DISTRICT_SCHEDULE")
            late = obligation["party"] == "DISTRICT"
            lost = sum(row["absence_cause"] in causes and (not late or self.is_in_time(row, case.due)) for row in sessions)
            return held, held + lost
        if obligation["metric"] in BY_DATE:
            if obligation["due_on"] >= self.as_of:
                return 0, 0
            came = [
                row["received_at"].date() for row in self.world.file if row["source"] == obligation["evidence_source"] and row["accepted"]
            ]
            return int(bool(came) and min(came) <= obligation["due_on"]), 1
        assert obligation["metric"] == "ASSESSMENT_ADMINISTERED"
        if line["outcome_class"] == "ATTENDANCE":
            return 0, 0
        if case.window["closes_on"] >= self.as_of:
            return 0, 0
        if "DISTRICT" in case.causes:
            return 0, 1
        return (0, 0) if case.has_unknown_cause else (1, 1)

    def verdict(self, obligation: Row, line: Row, student_id: str) -> str:
        """MET, BREACHED, IN_CURE or UNKNOWN (not measured, or not over yet)."""
        case = self.case(line, student_id)
        ruled = [
            ruling
            for ruling in self.rulings
            if ruling["subject"] == "OBLIGATION_EVIDENCE"
            and ruling["contract_id"] == line["contract_id"]
            and ruling["key"] == obligation["obligation_id"]
            and ruling["student_key"] in (None, case.student_key)
        ]
        through = case.window["closes_on"] if obligation["metric"] == "ASSESSMENT_ADMINISTERED" else case.last_day
        if obligation["metric"] in BY_DATE:
            through = obligation["due_on"]
        others = [student_id]
        if obligation["scope"] == "STUDENT":
            counts = [self.duty(obligation, line, student_id)]
            if obligation["metric"] not in ("ASSESSMENT_ADMINISTERED", *BY_DATE) and case.end_on is not None:
                through = min(case.end_on - DAY, case.last_day)
        else:
            others = [other for other in self.students(line["contract_id"]) if self.case(line, other).rows]
            if obligation["scope"] == "SCHOOL":
                others = [other for other in others if self.case(line, other).school_id == case.school_id]
            counts = [self.duty(obligation, line, other) for other in others]
        numerator, denominator = sum(one for one, _ in counts), sum(other for _, other in counts)
        if not ruled and obligation.get("measurement_window", "CONTRACT_TO_DATE") != "CONTRACT_TO_DATE":
            return self.verdict_of_windows(obligation, line, others, through)
        if ruled:
            ruled.sort(key=lambda row: (row["student_key"] is not None, row["ruled_on"], row["ruling_id"]))
            is_met = ruled[-1]["value"] == "MET"
        elif denominator == 0:
            return "UNKNOWN"
        else:
            is_met = Fraction(numerator, denominator) >= Fraction(obligation["value_numerator"], obligation["value_denominator"])
        if is_met:
            return "MET"
        if through >= self.as_of:
            return "UNKNOWN"
        return "IN_CURE" if through + obligation["cure_days"] * DAY >= self.as_of else "BREACHED"

    def students(self, contract_id: str) -> list[str]:
        return sorted({row["student_id"] for row in self.world.roster if row["contract_id"] == contract_id})

    def duties(self, line: Row, party: str, consequences: tuple[str, ...]) -> list[Row]:
        return [
            row
            for row in self.world.obligation
            if row["contract_id"] == line["contract_id"]
            and row["version"] == line["version"]
            and row["party"] == party
            and row["consequence"] in consequences
        ]

    def own_default(self, line: Row, student_id: str) -> bool:
        """Whether the district failed this student on this line."""
        key = (line["contract_id"], line["line_id"], student_id)
        if key not in self._own_default:
            case = self.case(line, student_id)
            breached = [
                duty["metric"]
                for duty in self.duties(line, "DISTRICT", ("DEFAULT_PAY",))
                if self.verdict(duty, line, student_id) == "BREACHED"
            ]
            of_tests = "DISTRICT" in case.causes or "ASSESSMENT_ADMINISTERED" in breached
            if line["missing_test_rule"] != "DISTRICT_DEFAULT_IF_DISTRICT_CAUSE":
                of_tests = False
            by_another = any(metric != "ASSESSMENT_ADMINISTERED" for metric in breached)
            self._own_default[key] = case.terms["district_default_share"] is not None and (of_tests or by_another)
        return self._own_default[key]

    def district_failed(self, line: Row, student_id: str) -> bool:
        case = self.case(line, student_id)
        reached = [other for other in self.students(line["contract_id"]) if self.case(line, other).rows]
        if case.terms["district_default_scope"] == "SCHOOL":
            reached = [other for other in reached if self.case(line, other).school_id == case.school_id]
        elif case.terms["district_default_scope"] != "CONTRACT":
            reached = [student_id]
        return any(self.own_default(line, other) for other in reached)

    # ---- one case ----------------------------------------------------------------------------------------------------------------

    def case(self, line: Row, student_id: str) -> Case:
        key = (line["contract_id"], line["line_id"], student_id)
        cases: dict[tuple[str, str, str], Case] = self.__dict__.setdefault("_cases", {})
        if key not in cases:
            cases[key] = Case(self, line, student_id)
        return cases[key]

    def decide(self, line: Row, student_id: str) -> tuple[str, Decimal]:
        """The result and the amount, with what other lines of the same student have to say about it."""
        decision, amount = self.decide_alone(line, student_id)
        if decision not in ("EARNED", "DISTRICT_DEFAULT"):
            return decision, amount
        others = {other["line_id"]: other for other, _, _ in self.lines() if other["contract_id"] == line["contract_id"]}
        verdicts = {}
        for field_name in ("requires_line", "excludes_line"):
            other = others.get(line.get(field_name))
            verdicts[field_name] = self.decide(other, student_id)[0] if other else "NO_LINE"
        open_now = [verdict.startswith(("HELD_", "PENDING_")) for verdict in verdicts.values()]
        required, excluded = verdicts["requires_line"], verdicts["excludes_line"]
        if line.get("requires_line") and not open_now[0] and required not in ("EARNED", "DISTRICT_DEFAULT"):
            return "NOT_EARNED_OUTCOME", Decimal("0.00")
        if excluded in ("EARNED", "DISTRICT_DEFAULT"):
            return "NOT_EARNED_OUTCOME", Decimal("0.00")
        return ("PENDING_DATA", Decimal("0.00")) if any(open_now) else (decision, amount)

    def decide_cohort(self, line: Row) -> tuple[str, Decimal]:
        """The result and the amount of a line that is paid once for all its students."""
        nothing = Decimal("0.00")
        cases = [(student_id, self.decide_alone(line, student_id)[0]) for student_id in self.students(line["contract_id"])]
        cases = [(student_id, result) for student_id, result in cases if result != "OUT_OF_SCOPE" and not result.startswith("EXCLUDED_")]
        results = [result for _, result in cases]
        if not cases:
            return "OUT_OF_SCOPE", nothing
        terms, window = self.governing(line["contract_id"], line["end_window"])
        if "HELD_DISPUTE" in results:
            return "HELD_DISPUTE", nothing
        if self.as_of <= window["closes_on"]:
            return "PENDING_WINDOW", nothing
        for waiting in ("PENDING_DATA", "HELD_BOTH_DEFAULT"):
            if waiting in results:
                return waiting, nothing
        if set(results) == {"NOT_EARNED_PROVIDER"}:
            return "NOT_EARNED_PROVIDER", nothing
        counted = len(cases)
        if line["missing_test_rule"] == "EXCLUDE_FROM_DENOM":
            counted -= sum(result.startswith("NOT_MEASURED_") for result in results)
        whole_default = terms["district_default_scope"] == "CONTRACT" and "DISTRICT_DEFAULT" in results
        if whole_default:
            met = sum(self._met_all_three(line, student_id, result) for student_id, result in cases)
        else:
            met = sum(result in ("EARNED", "DISTRICT_DEFAULT") for result in results)
        some_case = self.case(line, cases[0][0])
        tiers, strict = some_case.tiers("TIER"), line["comparator"] == ">"
        share = Fraction(met, counted) if counted else None
        reached = [price for threshold, price in tiers if share is not None and (share > threshold or (share == threshold and not strict))]
        worth = sum(reached, Fraction(0)) if line["tier_mode"] == "CUMULATIVE" else max(reached, default=Fraction(0))
        if whole_default:
            prices = [price for _, price in tiers]
            top = sum(prices, Fraction(0)) if line["tier_mode"] == "CUMULATIVE" else max(prices)
            default = cents(top * fraction(terms["district_default_share"] or 0))
            if worth <= default:
                return "DISTRICT_DEFAULT", default
        if share is None:
            return "NOT_MEASURED_MISSING", nothing
        if reached:
            return "EARNED", cents(worth)
        losses = [price for threshold, price in some_case.tiers("PENALTY") if share < threshold]
        return ("PENALTY", cents(min(losses))) if losses else ("NOT_EARNED_OUTCOME", nothing)

    def _met_all_three(self, line: Row, student_id: str, result: str) -> bool:
        case = self.case(line, student_id)
        if case.measure != "MEASURED" or case.earned_price() is None or not case.is_dose_enough():
            return False
        return result != "NOT_EARNED_PROVIDER"

    def decide_alone(self, line: Row, student_id: str) -> tuple[str, Decimal]:
        """The result and the amount: the order of tests, the first that matches returns."""
        case = self.case(line, student_id)
        nothing = Decimal("0.00")
        if not case.rows or not case.days:
            return "OUT_OF_SCOPE", nothing
        if case.is_excluded():
            return f"EXCLUDED_{case.last_row['end_reason']}", nothing
        if case.student_key is None:
            return "PENDING_DATA", nothing
        if self.is_disputed(line, case.student_key) or self.is_overlapping(line["contract_id"], case.student_key):
            return "HELD_DISPUTE", nothing
        if case.measure == "AMBIGUOUS":
            return "HELD_DISPUTE", nothing
        if self.as_of <= case.window["closes_on"]:
            return "PENDING_WINDOW", nothing
        if not any(row["contract_id"] == line["contract_id"] for row in self.world.session):
            return "PENDING_DATA", nothing
        is_due = self.as_of > case.due
        if not is_due and any(row["absence_cause"] == "UNKNOWN" for row in case.sessions):
            return "PENDING_DATA", nothing
        if not is_due and case.measure != "MEASURED":
            return "PENDING_DATA", nothing

        verdicts = [self.verdict(duty, line, student_id) for duty in self.duties(line, "PROVIDER", ("VOID_OUTCOME", "VOID_ALL"))]
        provider_failed = "BREACHED" in verdicts or "PROVIDER" in case.causes
        district_failed = self.district_failed(line, student_id)
        if "IN_CURE" in verdicts and not provider_failed:
            return "PENDING_DATA", nothing

        top = case.top_price()
        share = case.share if case.share is not None else Fraction(1)
        default = top * fraction(case.terms["district_default_share"] or 0) * case.uplift() * share
        if provider_failed and district_failed:
            rule = case.terms["both_default_rule"]
            if rule == "PROVIDER_LOSES":
                return "NOT_EARNED_PROVIDER", nothing
            return ("DISTRICT_DEFAULT", cents(default / 2)) if rule == "SPLIT" else ("HELD_BOTH_DEFAULT", nothing)
        if provider_failed:
            return "NOT_EARNED_PROVIDER", nothing

        price = case.earned_price() if case.measure == "MEASURED" else None
        earned = cents(price * case.uplift() * share) if price is not None and case.is_dose_enough() else nothing
        if district_failed:
            return ("EARNED", earned) if earned > cents(default) else ("DISTRICT_DEFAULT", cents(default))
        if not case.is_dose_enough():
            return ("PENDING_DATA" if case.nothing_required() else "INELIGIBLE_DOSAGE"), nothing
        if case.measure != "MEASURED":
            return f"NOT_MEASURED_{case.measure}", nothing
        if price is not None:
            return "EARNED", earned
        penalty = case.penalty()
        return ("PENALTY", cents(penalty * share)) if penalty is not None else ("NOT_EARNED_OUTCOME", nothing)

    def is_disputed(self, line: Row, student_key: str) -> bool:
        return any(
            ruling["subject"] == "DISPUTE"
            and ruling["value"] == "OPEN"
            and ruling["contract_id"] == line["contract_id"]
            and ruling["student_key"] in (None, student_key)
            and ruling["key"] in (None, line["line_id"])
            for ruling in self.rulings
        )

    def base(self, contract_id: str, student_id: str) -> Decimal:
        """Base payment of one student: per student served by sessions attended, or per session."""
        versions = [row for row in self.world.contract if row["contract_id"] == contract_id]
        judged_on = min(self.as_of, versions[0]["service_end_on"])
        terms = next(row for row in versions if row["effective_from"] <= judged_on < (row["effective_to"] or FAR))
        due = max(
            row["data_due_on"]
            for row in self.world.contract_window
            if row["contract_id"] == contract_id and row["version"] == terms["version"]
        )
        rows = [row for row in self.world.roster if row["contract_id"] == contract_id and row["student_id"] == student_id]
        key = rows[0]["student_key"]
        for line, line_terms, _ in self.lines():
            voids = self.duties(line, "PROVIDER", ("VOID_ALL",))
            concerned = line_terms["contract_id"] == contract_id and self.case(line, student_id).rows
            if concerned and any(self.verdict(duty, line, student_id) == "BREACHED" for duty in voids):
                return Decimal("0.00")
        sessions = [
            row
            for row in self.world.session
            if key is not None
            and row["contract_id"] == contract_id
            and row["student_key"] == key
            and row["is_creditable"]
            and row["session_on"] <= self.as_of
            and self.is_in_time(row, due)
        ]
        if not sessions or len(sessions) < terms["base_earning_min_sessions"]:
            return Decimal("0.00")
        rates = {row["version"]: fraction(row["base_rate_amount"]) for row in versions}
        paid = sorted(row["contract_version"] for row in sessions)[: terms["required_sessions"]]
        total = sum((rates[version] for version in paid), Fraction(0))
        if terms["base_model"] == "PER_SESSION":
            return cents(total)
        if terms["base_model"] == "PER_HOUR":
            return self._by_minutes(sessions, rates, terms["required_minutes"])
        if terms["base_proration"] == "BY_SESSIONS_ATTENDED":
            return cents(total / terms["required_sessions"])
        rate = rates[max(row["contract_version"] for row in sessions)]
        if terms["base_proration"] == "NONE":
            return cents(rate)
        days = len(self.assigned_days(rows, terms["service_start_on"], min(terms["service_end_on"], self.as_of)))
        all_days = (terms["service_end_on"] - terms["service_start_on"]).days + 1
        return cents(rate * -(-days // 7) / -(-all_days // 7))

    def _by_minutes(self, sessions: list[Row], rates: dict[int, Fraction], required: int) -> Decimal:
        left, total = Fraction(required), Fraction(0)
        for row in sorted(sessions, key=lambda row: row["contract_version"]):
            minutes = min(left, fraction(row["attended_minutes"]))
            left -= minutes
            total += minutes * rates[row["contract_version"]] / 60
        return cents(total)

    def instalments(self, contract_id: str) -> dict[str, Decimal]:
        """What is owed for the contract by date, numbered in order; 0 before its day and when all payment is void."""
        owed = []
        for terms in self.world.contract:
            if terms["contract_id"] != contract_id or terms["base_model"] != "FIXED_INSTALMENT":
                continue
            schedule = sorted(
                (row["paid_on"], row["instalment_number"], fraction(row["share"]))
                for row in self.world.contract_instalment
                if row["contract_id"] == contract_id and row["version"] == terms["version"] and row["payment_type"] == "BASE"
            )
            so_far, rate = Fraction(0), fraction(terms["base_rate_amount"])
            for paid_on, _, share in schedule:
                amount = cents(rate * (so_far + share)) - cents(rate * so_far)
                so_far += share
                if terms["effective_from"] <= paid_on < (terms["effective_to"] or FAR):
                    owed.append((paid_on, amount))
        void = any(
            self.verdict(duty, line, student_id) == "BREACHED"
            for line, _, _ in self.lines()
            if line["contract_id"] == contract_id
            for duty in self.duties(line, "PROVIDER", ("VOID_ALL",))
            for student_id in self.students(contract_id)
            if self.case(line, student_id).rows
        )
        return {
            f"INSTALMENT-{number}": Decimal("0.00") if void or paid_on > self.as_of else amount
            for number, (paid_on, amount) in enumerate(sorted(owed), start=1)
        }


class Case:
    """One contract line and student: assignment, sessions, tests, dose."""

    def __init__(self, judge: Judge, line: Row, student_id: str) -> None:
        self.judge, self.line = judge, line
        self.terms, self.window = judge.governing(line["contract_id"], line["end_window"])
        self.due: dt.date = line["data_due_on"] or self.window["data_due_on"]
        self.rows = judge.roster_rows(line["contract_id"], line["line_id"], student_id)
        everywhere = [row for row in judge.world.roster if row["student_id"] == student_id and row["contract_id"] == line["contract_id"]]
        self.student_key: str | None = everywhere[0]["student_key"]
        self.last_day = min(self.terms["service_end_on"], self.window["closes_on"])
        self.days = judge.assigned_days(self.rows, self.terms["service_start_on"], self.last_day)
        self.measure, self.causes, self.has_unknown_cause, self.value = "MISSING", [], False, None
        self.sessions: list[Row] = []
        if not self.rows:
            return
        self.last_row = max(self.rows, key=lambda row: (row["end_on"] or FAR, row["start_on"]))
        self.end_on, self.school_id = self.last_row["end_on"], self.last_row["school_id"]
        self.share = judge.share(line["contract_id"], self.student_key, self.last_row)
        self.sessions = judge.sessions(self.terms, self.student_key, self.days)
        self._measure()

    def _attendance(self) -> Fraction | None:
        """The rate of attendance in the line's period, None without anything to count."""
        judge = self.judge
        if self.line["metric"] == "TUTORING_ATTENDANCE_RATE":
            own = ("ABSENT_SCHOOL", "PRESENT_SCHOOL_SKIPPED", "UNKNOWN")
            counted = [row for row in self.sessions if row["is_attended"] or row["absence_cause"] in own]
            came = [row for row in counted if row["is_attended"] and not row["is_attendance_conflict"] and judge.is_in_time(row, self.due)]
            return Fraction(len(came), len(counted)) if counted else None
        days = set()
        for stay in judge.world.enrollment:
            if stay["student_key"] != self.student_key:
                continue
            for known in (row for row in judge.world.coverage if row["school_id"] == stay["school_id"]):
                days |= {
                    row["calendar_on"]
                    for row in judge.world.calendar
                    if row["school_id"] == stay["school_id"]
                    and row["is_in_session"]
                    and stay["enrolled_on"] <= row["calendar_on"] < (stay["exited_on"] or FAR)
                    and row["calendar_on"] <= min(known["covered_to_on"], judge.as_of)
                }
        present, total = Fraction(0), 0
        for day in days & self.days:
            shares = [
                row["absent_share"] for row in judge.world.absence if row["student_key"] == self.student_key and row["attendance_on"] == day
            ]
            if None in shares:
                continue
            total += 1
            present += 1 - max((fraction(share) for share in shares), default=Fraction(0))
        return present / total if total else None

    def uplift(self) -> Fraction:
        """The largest multiplier of the programs the student was in on the first day on the roster; 1 without."""
        first = min(row["start_on"] for row in self.rows)
        programs = {
            row["program"]
            for row in self.judge.world.program
            if row["student_key"] == self.student_key and row["begin_on"] <= first < (row["end_on"] or FAR)
        }
        return max(
            (
                fraction(row["multiplier"])
                for row in self.judge.world.rate_card_uplift
                if all(row[name] == self.line[name] for name in ("contract_id", "version", "line_id")) and row["program"] in programs
            ),
            default=Fraction(1),
        )

    def _measure(self) -> None:
        judge, line = self.judge, self.line
        if line["outcome_class"] == "ATTENDANCE":
            rate = self._attendance()
            if rate is not None and judge.as_of > self.due:
                self.measure, self.value = "MEASURED", rate
            return
        needed = [(line["end_window"], *judge.counted_test(line, self.window, self.student_key, self.window["closes_on"]))]
        if line["baseline_window"]:
            window = next(
                row
                for row in judge.world.contract_window
                if row["contract_id"] == line["contract_id"]
                and row["version"] == line["version"]
                and row["window_id"] == line["baseline_window"]
            )
            came_late = min(row["start_on"] for row in self.rows) > window["closes_on"]
            until = (came_late and window["late_baseline_until"]) or window["closes_on"]
            needed.append((line["baseline_window"], *judge.counted_test(line, window, self.student_key, until)))
        statuses = [status for _, status, _ in needed]
        end, baseline = needed[0][2], needed[1][2] if len(needed) > 1 else None
        for window_id, status, _ in needed:
            if status in ("MISSING", "INVALID"):
                cause = judge.missing_cause(line["contract_id"], line["line_id"], window_id, self.student_key)
                self.causes += [cause] if cause else []
                self.has_unknown_cause |= cause is None and status == "MISSING"
        values = [
            row["value"]
            for row in judge.world.metric
            if end and row["assessment_result_key"] == end["assessment_result_key"] and row["source_column"] == line["source_column"]
        ]
        for worst in ("AMBIGUOUS", "INVALID", "MISSING"):
            if worst in statuses:
                self.measure = worst
                return
        norms = {row["norms_reference"] for row in (end, baseline) if row} - {None}
        if len(norms) > 1:
            self.measure = "INVALID"
            return
        if line["metric"] == "ASSESSMENT_COMPLETED":
            values = [1]
        if values:
            self.measure, self.value = "MEASURED", fraction(values[0])

    def is_excluded(self) -> bool:
        excluded = {
            row["end_reason"]
            for row in self.judge.world.contract_excluded_reason
            if row["contract_id"] == self.line["contract_id"] and row["version"] == self.line["version"]
        }
        if self.end_on is None or self.end_on > self.judge.as_of or self.last_row["end_reason"] not in excluded:
            return False
        if self.end_on <= self.window["opens_on"]:
            return True
        if self.line["outcome_class"] == "ATTENDANCE":
            return bool(self.end_on <= self.window["closes_on"])
        tested = self.judge.counted_test(self.line, self.window, self.student_key, self.window["closes_on"])[0] == "COUNTED"
        return self.end_on <= self.window["closes_on"] and not tested

    def is_dose_enough(self) -> bool:
        """Creditable sessions in time, plus those lost to the district, of the required ones, against the minimum rate."""
        attended = sum(row["is_creditable"] and self.judge.is_in_time(row, self.due) for row in self.sessions)
        lost = sum(
            row["absence_cause"] in ("DISTRICT_TECH", "DISTRICT_SCHEDULE") and self.judge.is_in_time(row, self.due) for row in self.sessions
        )
        minimum = Fraction(self.line["dosage_min_rate_numerator"], self.line["dosage_min_rate_denominator"])
        if minimum == 0:
            return True
        if self.line["dosage_denominator"] == "REQUIRED":
            service = (self.terms["service_end_on"] - self.terms["service_start_on"]).days + 1
            share = Fraction(self.terms["required_sessions"] * len(self.days), service)
            required = -(-share.numerator // share.denominator)
            dose = min(required, attended + lost)
        else:
            out = {"DISTRICT_TECH", "DISTRICT_SCHEDULE", "PROVIDER_CANCEL", "TUTOR_NO_SHOW", "PROVIDER_TECH"}
            out |= {"ASSESSMENT_DAY", "CLOSURE", "WITHDRAWN"}
            required = sum(
                row["is_scheduled"]
                and row["absence_cause"] not in out
                and row["not_creditable_reason"] not in ("OVER_RATIO", "UNDER_MINUTES")
                and not self.is_excused(row)
                for row in self.sessions
            )
            dose = min(required, attended)
        return required > 0 and Fraction(dose, required) >= minimum

    def is_excused(self, session: Row) -> bool:
        """Whether the line leaves the session out because the school had excused the student that day."""
        return self.line["dosage_denominator"] == "SCHEDULED_NET_OF_EXCUSED" and bool(session["is_excused_absence"])

    def nothing_required(self) -> bool:
        """Whether the gate cannot be judged because no session was scheduled at all."""
        if self.line["dosage_denominator"] == "REQUIRED" or self.line["dosage_min_rate_numerator"] == 0:
            return False
        return not any(
            row["is_scheduled"]
            and row["absence_cause"] in (None, "ABSENT_SCHOOL", "PRESENT_SCHOOL_SKIPPED", "UNKNOWN")
            and row["not_creditable_reason"] not in ("OVER_RATIO", "UNDER_MINUTES")
            and not self.is_excused(row)
            for row in self.sessions
        )

    def tiers(self, kind: str) -> list[tuple[Fraction, Fraction]]:
        return sorted(
            (fraction(row["threshold"]), fraction(row["price_amount"]))
            for row in self.judge.world.rate_card_tier
            if row["contract_id"] == self.line["contract_id"]
            and row["version"] == self.line["version"]
            and row["line_id"] == self.line["line_id"]
            and row["kind"] == kind
        )

    def top_price(self) -> Fraction:
        prices = [price for _, price in self.tiers("TIER")]
        if self.line["price_unit"] == "COHORT_THRESHOLD":
            return Fraction(0)
        if self.line["price_unit"] == "PER_POINT_ABOVE_TARGET":
            return prices[0] * self.line["points_max"]
        return sum(prices, Fraction(0)) if self.line["tier_mode"] == "CUMULATIVE" else max(prices)

    def earned_price(self) -> Fraction | None:
        """What the value earns before the vendor's share; None when it reaches no tier."""
        assert self.value is not None
        strict = self.line["comparator"] == ">"
        if self.line["price_unit"] == "COHORT_THRESHOLD":
            target = fraction(self.line["student_threshold"])
            return Fraction(0) if self.value > target or (self.value == target and not strict) else None
        if self.line["price_unit"] == "PER_POINT_ABOVE_TARGET":
            ((target, price),) = self.tiers("TIER")
            if self.value < target or (self.value == target and strict):
                return None
            return price * min(self.value - target, self.line["points_max"])
        reached = [price for threshold, price in self.tiers("TIER") if self.value > threshold or (self.value == threshold and not strict)]
        if not reached:
            return None
        return sum(reached, Fraction(0)) if self.line["tier_mode"] == "CUMULATIVE" else reached[-1]

    def penalty(self) -> Fraction | None:
        assert self.value is not None
        if self.line["price_unit"] == "COHORT_THRESHOLD":
            return None
        return min((price for threshold, price in self.tiers("PENALTY") if self.value < threshold), default=None)
