"""Explain: everything that made one payment line what it is, from the amount down to the archived file and line. Reads, never decides.

Every number here was worked out by the models and is only looked up; nothing is computed a second time. The account shows rows of
students: it is for the district's own staff, on the district's own home.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import duckdb

from obc_pipeline import fingerprint
from obc_pipeline.documents import Documents, load
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.explain.clauses import Clause, clauses
from obc_pipeline.explain.keys import Row, find_line, rows
from obc_pipeline.explain.order import STEP_OF_REASON, STEPS
from obc_pipeline.explain.places import Places
from obc_pipeline.home import Home
from obc_pipeline.ledger import inspect_ledger
from obc_pipeline.ledger.proposal import open_to_read, why_run_is_old
from obc_pipeline.run import reading_limits

RESTRICTED = "Restricted: shows rows of students. For the district's own staff; do not send it on."

# What becomes of the cents at each cap, in the order of domain §4.3: column of int_settlement__capped, what the cap is called.
_CAP_STAGES = (
    ("after_per_student_cents", "PER_STUDENT", "per_student_cap"),
    ("after_max_paid_cents", "MAX_PAID_OUTCOMES", "max_paid_outcomes"),
    ("after_line_cents", "LINE", "line_cap"),
    ("after_pool_cents", "POOL", "contingent_pool_cap"),
    ("after_base_nte_cents", "NOT_TO_EXCEED", "nte_ceiling"),
    ("after_contingent_nte_cents", "NOT_TO_EXCEED", "nte_ceiling"),
)


def explain(home: Home, key: str, documents: Documents | None = None) -> dict[str, Any]:
    """The account of one line.

    key: line_key, or CONTRACT|LINE|STUDENT. Raises ArgumentWrong, HomeBusy, NoFinishedRun, DocumentsInvalid.
    """
    documents = documents or load(home)
    last = fingerprint.read_last_run(home)
    if last is None or not home.warehouse.exists():
        raise ArgumentWrong(
            f"no run has finished in {home.path}, so there is nothing to explain; start one with `obc run --home {home.path}`"
        )
    with open_to_read(home) as connection:
        line = find_line(connection, key)
        reader = _Account(connection, home, documents, line)
        account: dict[str, Any] = {
            "notice": RESTRICTED,
            "run": {
                "run_id": last.result["run_id"],
                "as_of": last.result["as_of"],
                "evidence_cutoff_at": last.result["evidence_cutoff_at"],
            },
            "why_old": why_run_is_old(home, last),
            "line": reader.amounts(),
            "rule": reader.rule(),
            "clauses": [_clause(clause) for clause in reader.clauses.values()],
            "factors": reader.factors(),
            "cohort": reader.cohort(),
            "obligations": reader.obligations(),
            "sessions": reader.sessions(),
            "tests": reader.tests(),
            "roster": reader.roster(),
            "rulings": reader.rulings(),
            "caps": reader.caps(),
        }
    account["ledger"] = _ledger(home, line)
    return account


class _Account:
    """Reads the parts of one line's account. `line` is a row of fct_settlement_line, or of what was last posted."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: Home, documents: Documents, line: Row) -> None:
        self._connection, self._line = connection, line
        self._places = Places(home, documents.sources, reading_limits(documents))
        self.is_base = line["line_kind"] in ("BASE", "INSTALMENT")
        self._ref = line["student_key"] or (f"unknown:{line['student_id']}" if line["student_id"] else "~cohort~")
        self.clauses = clauses(home, line["contract_id"], line["contract_version"], None if self.is_base else line["line_id"])
        # Of the base payment itself only what it rests on; of an outcome, everything the decision looked at.
        self._evidence = self._one("intermediate.int_payment__decision") if not self.is_base else None
        self._base = self._base_row() if self.is_base else None

    def _rows(self, sql: str, *values: Any) -> list[Row]:
        return rows(self._connection, sql, *values)

    def _one(self, table: str) -> Row | None:
        found = self._rows(
            f"select * from {table} where contract_id = ? and line_id = ? and student_ref = ?",
            self._line["contract_id"],
            self._line["line_id"],
            self._ref,
        )
        return found[0] if found else None

    def _base_row(self) -> Row | None:
        found = self._rows(
            "select * from payable.fct_base_payment where contract_id = ? and student_id is not distinct from ?",
            self._line["contract_id"],
            self._line["student_id"],
        )
        of_line = [row for row in found if row.get("line_id", self._line["line_id"]) == self._line["line_id"]]
        return of_line[0] if of_line else None

    def amounts(self) -> Row:
        """The line itself, and where its amount stands between earned and posted."""
        names = (
            "line_key", "contract_id", "contract_version", "line_id", "line_kind", "student_id", "student_key", "school_id", "period",
            "is_settled", "decision", "tier", "earned_amount", "payable_amount", "cap_applied", "reason_code", "reason",
        )  # fmt: skip
        decided = self._decided()
        return {name: self._line.get(name) for name in names} | {"resolves_by": decided.get("resolves_by") if decided else None}

    def _decided(self) -> Row | None:
        found = self._rows(
            "select * from payable.fct_payment_decision where contract_id = ? and line_id = ? and student_id is not distinct from ?",
            self._line["contract_id"],
            self._line["line_id"],
            self._line["student_id"],
        )
        return found[0] if found else None

    def rule(self) -> list[Row]:
        """The steps in their order: passed, decided, or not reached. A base payment has no such order: one step, its reason."""
        reason = self._line.get("reason_code")
        step = None if self.is_base or self._line["line_kind"] == "COHORT" else STEP_OF_REASON.get(reason or "")
        if step is None:
            return [
                {
                    "step": None,
                    "question": "What is this payment for?",
                    "outcome": "decided",
                    "why": self._line.get("reason"),
                    "reason_code": reason,
                }
            ]
        told = self._words_of_steps()
        depends = self._evidence is not None and (self._evidence.get("requires_line") or self._evidence.get("excludes_line"))
        pays = self._line.get("decision") in ("EARNED", "DISTRICT_DEFAULT")
        reached = 14 if depends and pays else step
        return [
            {
                "step": number,
                "question": question,
                "outcome": "decided" if number == step else "passed" if number <= reached else "not reached",
                "why": (self._line.get("reason") if number == step else told.get(number)) if number <= reached else None,
                "reason_code": reason if number == step else None,
            }
            for number, question in STEPS.items()
            if number < 14 or depends
        ]

    def _words_of_steps(self) -> dict[int, str]:
        """What was found at the steps that were passed."""
        e = self._evidence
        if e is None:
            return {}
        left = f"left on {e['end_on']} ({e['end_reason']})" if e["end_on"] else "stays to the end"
        return {
            1: f"on the roster from {e['first_start_on']}, {e['assignment_days']} days of the line's period",
            2: f"{left}; not excluded",
            3: "no open dispute, no overlap of vendors",
            4: f"the {e['end_window']} window closed on {e['end_closes_on']}",
            5: f"{e['unknown_cause_sessions']} missed sessions without a known cause; data were due on {e['data_due_on']}",
            6: "a valid result is in"
            if e["measure_status"] == "MEASURED"
            else f"none came by {e['data_due_on']} ({_words(e['measure_reason'])})",
            7: "no breach of the provider within its cure days",
            8: "not both",
            9: "no provider obligation that voids the outcome is breached",
            10: "no district obligation that pays a default is breached",
            11: f"{_plain(e['dosage_numerator'])} of {_plain(e['dosage_required'])}, {e['dosage_min_rate_numerator']}/{e['dosage_min_rate_denominator']} needed",
            12: f"measured: {_plain(e['metric_value'])}",
            13: "a tier was reached",
            14: "no",
        }

    def factors(self) -> Row | None:
        """The three factors with numerators and denominators; NULL is unknown, never "not met". None for base payments."""
        e = self._evidence
        if e is None:
            return None
        return {
            "attendance": {
                "is_met": e["is_attendance_met"],
                "numerator": e["dosage_numerator"],
                "denominator": e["dosage_required"],
                "unit": e["dosage_unit"],
                "counted_over": e["dosage_basis"],
                "attended": e["dosage_attended"],
                "credited_lost_to_district": e["dosage_credited"],
                "needed": f"{e['dosage_min_rate_numerator']}/{e['dosage_min_rate_denominator']}",
                "clause": self._at("dosage_gate"),
            },
            "provider": {
                "is_met": e["is_provider_met"],
                "breach": e["provider_breach"],
                "cure_ends_on": e["cure_ends_on"],
                "district_breach": e["district_breach"],
            },
            "outcome": {
                "is_met": e["is_outcome_met"],
                "metric": e["metric"],
                "value": e["metric_value"],
                "threshold": e["threshold_value"],
                "tier": e["tier"],
                "measured": e["measure_status"],
                "measured_because": e["measure_reason"],
                "vendor_share": e["vendor_share"],
                "uplift": e.get("uplift_multiplier"),
                "clause": self._at(f"tiers.{e['tier']}" if e["tier"] else "penalty" if e["is_penalty"] else "tiers"),
            },
        }

    def cohort(self) -> Row | None:
        """What a line paid once for all its students was judged on; None for every other line."""
        if self._line["line_kind"] != "COHORT":
            return None
        found = self._rows(
            """select student_count, disputed_count, pending_count, both_default_count, provider_failed_count, numerator, denominator, met_share,
                      threshold_value, tier, outcome_amount, penalty_amount, default_amount
               from intermediate.int_payment__cohort where contract_id = ? and line_id = ?""",
            self._line["contract_id"],
            self._line["line_id"],
        )
        return found[0] if found else None

    def obligations(self) -> list[Row]:
        """Every duty of both parties that was judged for this line and student."""
        if self.is_base:
            return []
        found = self._rows(
            """select obligation_id, party, scope, metric, numerator, denominator, comparator, value_numerator, value_denominator, is_met,
                      obligation_status, consequence, measured_through_on, cure_ends_on, is_ruled
               from intermediate.int_payment__obligation where contract_id = ? and line_id = ? and student_ref = ? order by party desc, obligation_id""",
            self._line["contract_id"],
            self._line["line_id"],
            self._ref,
        )
        return [row | {"clause": self._at(f"obligation.{row['obligation_id']}")} for row in found]

    def sessions(self) -> Row:
        """Every session of the student under this contract: counted or not, and why; where its row stands."""
        found = self._rows(
            _SESSIONS_OF_BASE if self.is_base else _SESSIONS_OF_LINE,
            *([] if self.is_base else [self._line["line_id"]]),
            self._line["contract_id"],
            self._ref,
        )
        places = self._places.find((row["file_id"], row["row_number"]) for row in found)
        listed = [row | {"place": _place(places.get((row["file_id"], row["row_number"])))} for row in found]
        return {
            "counted": sum(row["counts"] == "counted" for row in listed),
            "by_verdict": dict(sorted(Counter(row["counts"] for row in listed).items(), key=lambda item: (-item[1], item[0]))),
            "rows": listed,
        }

    def tests(self) -> list[Row]:
        """Every test that could have been the baseline or the end test: chosen or not, and why."""
        if self.is_base:
            return []
        found = self._rows(
            """select test_role, window_id, is_counted, choice_reason, choice_rank, test_id, tested_on, score, score_se, is_growth_event,
                      is_progress_monitoring, rapid_guessing_share, norms_reference, file_id, row_number
               from intermediate.int_assessment__candidate where contract_id = ? and line_id = ? and student_ref = ?
               order by test_role, is_counted desc, choice_rank nulls last, tested_on, test_id""",
            self._line["contract_id"],
            self._line["line_id"],
            self._ref,
        )
        places = self._places.find((row["file_id"], row["row_number"]) for row in found)
        return [row | {"place": _place(places.get((row["file_id"], row["row_number"])))} for row in found]

    def roster(self) -> list[Row]:
        """The roster rows of the student under this contract."""
        found = self._rows(
            """select line_id, school_id, start_on, end_on, end_reason, vendor_share, file_id, row_number
               from input_layer.input__roster_assignment
               where contract_id = ? and student_id is not distinct from ? and (line_id is null or ? or line_id = ?) order by start_on, file_id, row_number""",
            self._line["contract_id"],
            self._line["student_id"],
            self.is_base,
            self._line["line_id"],
        )
        places = self._places.find((row["file_id"], row["row_number"]) for row in found)
        return [row | {"place": _place(places.get((row["file_id"], row["row_number"])))} for row in found]

    def rulings(self) -> list[Row]:
        """The rulings that name the student, or this contract as a whole and nobody in particular."""
        found = self._rows(
            """select subject, key, value, ruled_on, ruled_by, student_key is not null as is_about_student, file_id, row_number
               from intermediate.int_payment__ruling
               where (student_key = ? and (contract_id is null or contract_id = ?))
                  or (student_key is null and contract_id = ? and (key is null or key = ?
                      or key in (select session_id from intermediate.int_tutoring_session__cause where contract_id = ? and student_key = ?)))
               order by ruled_on, subject, key""",
            self._line["student_key"],
            *[self._line["contract_id"]] * 2,
            self._line["line_id"],
            self._line["contract_id"],
            self._line["student_key"],
        )
        places = self._places.find((row["file_id"], row["row_number"]) for row in found)
        return [row | {"place": _place(places.get((row["file_id"], row["row_number"])))} for row in found]

    def caps(self) -> list[Row]:
        """Each cap that was looked at, what it left of the amount, and where it is written. Empty when the line is no longer settled."""
        found = self._rows("select * from intermediate.int_settlement__capped where line_key = ?", self._line["line_key"])
        if not found:
            return []
        before, told = found[0]["earned_cents"], []
        # Base and outcomes meet the ceiling apart; no other cap is the base's.
        own_ceiling = "after_base_nte_cents" if self.is_base else "after_contingent_nte_cents"
        for column, cap, term in _CAP_STAGES:
            after = found[0][column]
            is_own = column == own_ceiling if cap == "NOT_TO_EXCEED" else not self.is_base
            if is_own and (term in self.clauses or after != before):
                told.append(
                    {"cap": cap, "before_cents": before, "after_cents": after, "cut_cents": before - after, "clause": self._at(term)}
                )
            before = after
        return told

    def _at(self, term: str) -> str | None:
        clause = self.clauses.get(term)
        return f"{clause.file}:{clause.line}" if clause else None


def _ledger(home: Home, line: Row) -> Row:
    """What was posted of this line, in order."""
    ledger = inspect_ledger(home, line["contract_id"])
    entries = [entry for entry in ledger.entries if entry.line_key == line["line_key"]]
    return {
        "posted_cents": ledger.balances.get(line["line_key"], 0),
        "damages": [str(damage) for damage in ledger.damages],
        "entries": [
            {
                name: getattr(entry, name)
                for name in (
                    "statement_number", "entry_seq", "entry_kind", "amount", "reason_code", "run_id", "as_of_date", "evidence_cutoff_at",
                    "posted_at", "approved_by", "adjusts_entry_hash", "entry_hash",
                )
            }
            for entry in entries
        ],
    }  # fmt: skip


def _place(place: Any) -> Row | None:
    if place is None:
        return None
    return {
        "source": place.source,
        "delivery": place.delivery,
        "member": place.member,
        "line": place.line_number,
        "sha256": place.sha256,
        "received_at": place.received_at,
        "problem": place.problem,
        "text": str(place),
    }


def _clause(clause: Clause) -> Row:
    return {"term": clause.term, "file": clause.file, "line": clause.line, "words": clause.words}


def _words(code: object) -> str:
    return str(code or "unknown").lower().replace("_", " ")


def _plain(number: Any) -> str:
    """A decimal without the zeros that say nothing."""
    if number is None:
        return "unknown"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# The same conditions as int_payment__session_count; a test holds the numbers against it. `counts` is the verdict on one session.
_SESSION_COLUMNS = """
    s.session_on, s.session_id, s.tutor_id, s.group_size, s.delivery_mode, s.attended_minutes, s.is_attended, s.is_creditable,
    s.not_creditable_reason, s.absence_cause, s.claimed_reason, s.is_cause_ruled, s.school_absent_share, s.received_at, s.file_id, s.row_number
"""
_SESSIONS_OF_LINE = f"""
with line as (select * from intermediate.int_payment__line where line_id = ?),
late as (select contract_id, student_key, session_id from intermediate.int_payment__accepted_late_change),
placed as (
    select s.*, line.data_due_on, line.line_id,
        exists (
            select 1 from intermediate.int_payment__assignment_span as span
            where span.contract_id = s.contract_id and span.line_id = line.line_id and span.student_ref = s.student_key
              and s.session_on >= span.start_on and s.session_on < span.end_on
        ) and s.session_on between line.service_start_on and line.dosage_ends_on as is_in_period,
        late.session_id is not null as is_accepted_late
    from intermediate.int_tutoring_session__cause as s
    inner join line on s.contract_id = line.contract_id
    left join late on s.contract_id = late.contract_id and s.student_key = late.student_key and s.session_id = late.session_id
    where s.contract_id = ? and s.student_key = ?
)
select {_SESSION_COLUMNS},
    case
        when not is_in_period then 'not counted: outside the line''s period'
        when is_creditable and coalesce(cast(received_at as date) > data_due_on, false) and not is_accepted_late
            then 'not counted: came after the data-due date'
        when is_creditable then 'counted'
        when is_attended then 'not counted: ' || lower(replace(not_creditable_reason, '_', ' '))
        when absence_cause in ('DISTRICT_TECH', 'DISTRICT_SCHEDULE')
            and (is_accepted_late or coalesce(cast(received_at as date) <= data_due_on, true)) then 'credited: lost to the district'
        else 'not counted: ' || coalesce(lower(replace(absence_cause, '_', ' ')), 'not attended')
    end as counts
from placed as s order by session_on, session_id
"""
_SESSIONS_OF_BASE = f"""
with due as (
    select w.contract_id, max(w.data_due_on) as data_due_on
    from documents.contract_window as w
    inner join intermediate.int_payment__contract as c on w.contract_id = c.contract_id and w.version = c.contract_version
    group by w.contract_id
),
late as (select contract_id, student_key, session_id from intermediate.int_payment__accepted_late_change)
select {_SESSION_COLUMNS},
    case
        when s.is_creditable and late.session_id is null and coalesce(cast(s.received_at as date) > due.data_due_on, false)
            then 'not counted: came after the data-due date'
        when s.is_creditable then 'counted'
        when s.is_attended then 'not counted: ' || lower(replace(s.not_creditable_reason, '_', ' '))
        else 'not counted: ' || coalesce(lower(replace(s.absence_cause, '_', ' ')), 'not attended')
    end as counts
from intermediate.int_tutoring_session__cause as s
left join due on s.contract_id = due.contract_id
left join late on s.contract_id = late.contract_id and s.student_key = late.student_key and s.session_id = late.session_id
where s.contract_id = ? and s.student_key = ? order by s.session_on, s.session_id
"""
