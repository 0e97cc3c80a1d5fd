"""A home whose run is done by hand: expected amounts per line go in, and a warehouse of the promised shape comes out."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from obc_pipeline import fingerprint
from obc_pipeline.home import Home
from obc_pipeline.ledger import register_ledger
from obc_pipeline.ledger.entry import dollars

CONTRACT = "CVSD-MATH-2026"
# Where small homes lie: DuckDB waits for the disk at every step, and a busy disk would cost minutes. None = the usual place.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
ANA, BEN = "Ana Lopez", "Ben Okafor"
_LINE_COLUMNS = "line_key, contract_id, contract_version, line_id, line_kind, student_id, student_key, school_id, period"

# The difference between expected and posted, as the model payable.fct_proposed_entry promises it.
_DIFFERENCES = f"""
with posted as (
    select {_LINE_COLUMNS.replace("line_key, ", "")}, line_key, sum(amount) over w as posted_amount, entry_hash, row_number() over (
        partition by line_key order by entry_seq desc) as age
    from ledger.entry window w as (partition by line_key)
),
last as (select * from posted where age = 1)
select
    {", ".join(f"coalesce(e.{name.strip()}, l.{name.strip()}) as {name.strip()}" for name in _LINE_COLUMNS.split(","))},
    coalesce(e.expected_amount, 0)::decimal(18, 2) as expected_amount,
    coalesce(l.posted_amount, 0)::decimal(18, 2) as posted_amount,
    (coalesce(e.expected_amount, 0) - coalesce(l.posted_amount, 0))::decimal(18, 2) as amount,
    case when l.line_key is null then 'NEW' when coalesce(e.expected_amount, 0) = 0 then 'REVERSAL' else 'ADJUSTMENT' end as entry_kind,
    l.entry_hash as adjusts_entry_hash,
    coalesce(e.reason_code, 'NO_LONGER_EXPECTED') as reason_code,
    'in words' as reason,
    date '2026-06-30' as as_of_date
from expected as e full join last as l on e.line_key = l.line_key
where coalesce(e.expected_amount, 0) <> coalesce(l.posted_amount, 0)
"""


# What each line is, and what a settlement reads besides: nobody's sessions, nobody who opted out.
_SETTLED = """
create schema if not exists intermediate; create schema if not exists staging; create schema if not exists input_layer;
create or replace table payable.fct_settlement_line as select *, null::integer as tier, 'EARNED' as decision, expected_amount as earned_amount,
    expected_amount as payable_amount, null::varchar as cap_applied, 'in words' as reason from expected;
create or replace table intermediate.int_settlement__capped as select line_key, contract_id, line_id, cents as after_per_student_cents,
    cents as after_max_paid_cents, cents as after_line_cents, cents as after_pool_cents
    from (select *, (expected_amount * 100)::bigint as cents from expected);
create or replace table intermediate.int_payment__line (contract_id varchar, contract_version integer, line_id varchar, outcome_name varchar);
create or replace table intermediate.int_tutoring_session__cause (contract_id varchar, student_key varchar, file_id varchar, row_number bigint);
create or replace table staging.stg_tutoring_sessions__session_student (student_id varchar, file_id varchar, row_number bigint);
create or replace table input_layer.input__roster_assignment (contract_id varchar, student_key varchar, end_reason varchar, end_on date)
"""


def make_quick(patch: pytest.MonkeyPatch) -> None:
    """The program's own hash, and waiting for the disk, cost more than all else here. Neither is what most of these tests are about."""
    patch.setattr(os, "fsync", lambda handle: None)
    patch.setattr(fingerprint, "code_digest", lambda: "c" * 64)
    for module in ("evidence", "replay"):
        patch.setattr(f"obc_pipeline.ledger.{module}.code_digest", lambda: "c" * 64)


def terms(**changes: Any) -> SimpleNamespace:
    """A contract with what the ledger reads of one."""
    stated = {
        "contract_id": CONTRACT,
        "version": 1,
        "effective_from": date(2025, 7, 1),
        "effective_to": None,
        "approvers": (SimpleNamespace(name=ANA, role="procurement"), SimpleNamespace(name=BEN, role="finance")),
        "approver_roles": ("procurement", "finance"),
        "dual_control_above": None,
        "restatement_deadline": None,
        "breakers": SimpleNamespace(max_delta_share=Decimal(1), max_reversal_share=Decimal(1)),
        "provider_name": "Brightpath Tutoring",
        "subject": "math",
        "service_start": date(2025, 10, 6),
        "service_end": date(2026, 5, 15),
        "dispute_window_days": 30,
        "base_rate": Decimal("600.00"),
        "base_model": "PER_STUDENT_SERVED",
        "base_proration": "BY_SESSIONS_ATTENDED",
        "contingent_pool_cap": None,
        "nte_ceiling": None,
        "per_student_cap": None,
    }
    return SimpleNamespace(**stated | changes)


def line_key(line: str, contract_id: str = CONTRACT) -> str:
    return md5(f"{contract_id}|{line}".encode()).hexdigest()


@dataclass
class SmallHome:
    """lines are written `G1|0001`: rate-card line and student. Amounts in cents."""

    path: Path
    contracts: list[SimpleNamespace] = field(default_factory=lambda: [terms()])
    runs: int = 0

    @property
    def home(self) -> Home:
        return Home(self.path)

    @property
    def documents(self) -> Any:
        return SimpleNamespace(contracts=self.contracts, district=SimpleNamespace(name="Cedar Valley School District"))

    def set_terms(self, **changes: Any) -> None:
        self.contracts = [terms(**changes)]

    def run(
        self,
        expected: dict[str, int],
        *,
        as_of: date = date(2026, 6, 30),
        blocked: dict[str, str] | None = None,
        also: dict[str, dict[str, int]] | None = None,
    ) -> None:
        """What a run leaves: the ledger registered, proposals, blocks, and the mark of a finished run."""
        self.runs += 1
        self.home.lake.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(self.home.warehouse)) as connection:
            register_ledger(connection, self.home)
            connection.execute("create schema if not exists payable; create schema if not exists intake")
            every = {CONTRACT: expected} | (also or {})
            rows = [self._row(contract_id, line, amount) for contract_id, lines in every.items() for line, amount in lines.items()]
            connection.execute(
                "create or replace temp table expected (line_key varchar, contract_id varchar, contract_version integer, line_id varchar, "
                "line_kind varchar, student_id varchar, student_key varchar, school_id varchar, period varchar, "
                "expected_amount decimal(18, 2), reason_code varchar)"
            )
            if rows:
                connection.executemany(f"insert into expected values ({', '.join('?' * 11)})", rows)
            connection.execute(
                f"create or replace table payable.fct_proposed_entry as {_DIFFERENCES.replace('from expected', 'from temp.expected')}"
            )
            connection.execute(_SETTLED.replace("from expected", "from temp.expected"))
            connection.execute(
                "create or replace table intake.contract_block (contract_id varchar, source varchar, check_id varchar, reason varchar)"
            )
            for blocked_id, reason in (blocked or {}).items():
                connection.execute("insert into intake.contract_block values (?, 'nwea_map', 'a_check', ?)", [blocked_id, reason])
        self._finish(as_of)

    def copy_to(self, path: Path) -> SmallHome:
        shutil.copytree(self.path, path)
        return SmallHome(path, self.contracts, self.runs)

    def _row(self, contract_id: str, line: str, amount: int) -> list[object]:
        line_id, student = line.split("|")
        kind = "BASE" if line_id == "BASE" else "OUTCOME"
        key = md5(student.encode()).hexdigest()
        return [
            line_key(line, contract_id),
            contract_id,
            1,
            line_id,
            kind,
            student,
            key,
            "0101",
            "2025-2026",
            dollars(amount),
            "TIER_REACHED",
        ]

    def _finish(self, as_of: date) -> None:
        cutoff = datetime(2026, 6, 30, 18, self.runs // 60, self.runs % 60, tzinfo=UTC)
        stamp = fingerprint.take(self.home, as_of, cutoff)
        result = {
            "run_id": f"{stamp.run_id}-{self.runs}",
            "as_of": as_of.isoformat(),
            "evidence_cutoff_at": cutoff.strftime("%Y-%m-%d %H:%M:%S"),
            "sources": {},
        }
        fingerprint.write_last_run(self.home, stamp, result, [], as_of, "America/Denver")
