"""A small district with the example's documents, whose run is done by hand: a settlement of the promised shape, and a ledger."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from hashlib import md5
from pathlib import Path

import duckdb

from obc_pipeline import documents
from obc_pipeline.home import Home
from obc_pipeline.ledger import approve, post
from tests.ledger.small_home import CONTRACT, SmallHome, line_key

EXAMPLE = Path(documents.__file__).parent / "templates" / "example_district"
SECRET = "Another contract of the same subject claims this student from 2025-11-03; the vendors' shares are not stated."


@dataclass(frozen=True)
class Settled:
    """One settlement line as a test states it. Amounts in cents; `line` is LINE|STUDENT."""

    line: str
    payable: int
    earned: int | None = None
    decision: str | None = "EARNED"
    reason_code: str = "TIER_REACHED"
    reason: str = "reached 50 (tier 2)."
    tier: int | None = 2
    cap: str | None = None


# student -> the id the vendor's log carries. 0004 never came to a session, so the vendor never sent an id.
SENT = {"0001": "bp-1001", "0002": "bp-1002", "0003": "bp-1003", "0005": "bp-1005"}
OPTED_OUT = "0003"

FIRST = [
    Settled("BASE|0001", 58_333, decision=None, reason_code="SERVED", reason="70 creditable sessions.", tier=None),
    Settled("BASE|0003", 10_000, decision=None, reason_code="SERVED", reason="12 creditable sessions.", tier=None),
    Settled("G1|0001", 50_000, earned=60_000, cap="POOL"),
    Settled("G1|0002", 25_000, earned=30_000, tier=1, reason='=HYPERLINK("x")', cap="POOL"),
    Settled("G1|0003", 0, decision="EXCLUDED_OPT_OUT", reason_code="LEFT_ROSTER", reason="Left the roster (OPT_OUT).", tier=None),
    Settled("G1|0004", 0, decision="HELD_DISPUTE", reason_code="OVERLAP_WITHOUT_SHARES", reason=SECRET, tier=None),
    Settled("G1|0005", 0, decision="HELD_DISPUTE", reason_code="OPEN_DISPUTE", reason="A dispute is open.", tier=None),
]


@dataclass
class ReportHome:
    """The small district, and what a run leaves that a statement reads."""

    small: SmallHome

    @property
    def home(self) -> Home:
        return self.small.home

    def run(self, settled: list[Settled]) -> None:
        """A finished run that expects these lines."""
        self.small.run({row.line: row.payable for row in settled})
        with duckdb.connect(str(self.home.warehouse)) as connection:
            for schema in ("intermediate", "staging", "input_layer"):
                connection.execute(f"create schema if not exists {schema}")
            _settlement(connection, settled)
            _students(connection)

    def post(self) -> None:
        for name in ("Dana Whitfield", "Marcus Oyelaran"):
            approve(self.home, CONTRACT, name, accepts=("delta", "reversal"))
        post(self.home, CONTRACT)


def _key(student: str) -> str:
    return md5(student.encode()).hexdigest()


def _settlement(connection: duckdb.DuckDBPyConnection, settled: list[Settled]) -> None:
    connection.execute(
        """create or replace table payable.fct_settlement_line (line_key varchar, contract_id varchar, contract_version integer, line_id varchar,
           line_kind varchar, student_id varchar, student_key varchar, school_id varchar, period varchar, tier integer, decision varchar,
           earned_amount decimal(18, 2), payable_amount decimal(18, 2), cap_applied varchar, reason_code varchar, reason varchar)"""
    )
    connection.execute(
        """create or replace table intermediate.int_settlement__capped (line_key varchar, contract_id varchar, line_id varchar, earned_cents bigint,
           after_per_student_cents bigint, after_max_paid_cents bigint, after_line_cents bigint, after_pool_cents bigint,
           after_base_nte_cents bigint, after_contingent_nte_cents bigint, payable_cents bigint)"""
    )
    for row in settled:
        line_id, student = row.line.split("|")
        earned = row.payable if row.earned is None else row.earned
        amounts = [Decimal(earned) / 100, Decimal(row.payable) / 100]
        kind = "BASE" if line_id == "BASE" else "OUTCOME"
        connection.execute(
            f"insert into payable.fct_settlement_line values ({', '.join('?' * 16)})",
            [
                line_key(row.line), CONTRACT, 1, line_id, kind, student, _key(student), "0101", "2025-2026", row.tier, row.decision,
                *amounts, row.cap, row.reason_code, row.reason,
            ],
        )  # fmt: skip
        stages = [earned, earned, earned, earned, *[row.payable] * 4]
        connection.execute(
            f"insert into intermediate.int_settlement__capped values ({', '.join('?' * 11)})",
            [line_key(row.line), CONTRACT, line_id, *stages],
        )


def _students(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "create or replace table intermediate.int_payment__line as select 1 as contract_version, 'G1' as line_id, 'Growth' as outcome_name, $1 as contract_id",
        [CONTRACT],
    )
    connection.execute(
        "create or replace table intermediate.int_tutoring_session__cause (contract_id varchar, student_key varchar, file_id varchar, row_number bigint)"
    )
    connection.execute(
        "create or replace table staging.stg_tutoring_sessions__session_student (student_id varchar, file_id varchar, row_number bigint)"
    )
    connection.execute(
        "create or replace table input_layer.input__roster_assignment (contract_id varchar, student_key varchar, end_reason varchar, end_on date)"
    )
    for number, (student, sent) in enumerate(SENT.items()):
        connection.execute(
            "insert into intermediate.int_tutoring_session__cause values (?, ?, 'file', ?)", [CONTRACT, _key(student), number]
        )
        connection.execute("insert into staging.stg_tutoring_sessions__session_student values (?, 'file', ?)", [sent, number])
    # Another vendor's log of a student of this contract: its id is not this vendor's.
    connection.execute("insert into intermediate.int_tutoring_session__cause values ('OTHER', ?, 'other', 1)", [_key("0001")])
    connection.execute("insert into staging.stg_tutoring_sessions__session_student values ('lm-9', 'other', 1)")
    connection.execute(
        "insert into input_layer.input__roster_assignment values (?, ?, 'OPT_OUT', date '2026-01-10')", [CONTRACT, _key(OPTED_OUT)]
    )
