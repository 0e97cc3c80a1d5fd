"""Settlement: every line a statement rests on, paid or not, as the run had it: kept with each posting, so that it can be printed again.

The entries say what money moved; the settlement says of what: tier, decision, earned, cut by which cap, and why. It is one Parquet file
under its own hash, and every entry of the posting names that hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from obc_pipeline.documents import Contract, Documents
from obc_pipeline.home import Home
from obc_pipeline.ledger.entry import cents
from obc_pipeline.ledger.errors import NoFinishedRun, ProposalsInconsistent

SETTLEMENTS = "_settlements"

# Name -> DuckDB type. contract_id to period name the line; amounts are US dollars, each after one cap more; the last two are for readers.
COLUMNS: dict[str, str] = {
    "contract_id": "VARCHAR",
    "statement_number": "INTEGER",
    "line_key": "VARCHAR",
    "contract_version": "INTEGER",
    "line_id": "VARCHAR",
    "line_kind": "VARCHAR",
    "student_id": "VARCHAR",
    "student_key": "VARCHAR",
    "school_id": "VARCHAR",
    "period": "VARCHAR",
    "tier": "INTEGER",
    "decision": "VARCHAR",
    "earned_amount": "DECIMAL(18,2)",
    "after_per_student_amount": "DECIMAL(18,2)",
    "after_max_paid_amount": "DECIMAL(18,2)",
    "after_line_amount": "DECIMAL(18,2)",
    "after_pool_amount": "DECIMAL(18,2)",
    "payable_amount": "DECIMAL(18,2)",
    "cap_applied": "VARCHAR",
    "reason_code": "VARCHAR",
    "reason": "VARCHAR",
    "vendor_student_id": "VARCHAR",
    "has_opted_out": "BOOLEAN",
}
_HEAD_KEY = b"obc_statement"


@dataclass(frozen=True)
class StatementTerms:
    """What the documents say on a statement's front page. names: rate-card line -> the outcome in words. money: label -> terms of pay."""

    district: str
    contract_version: int
    provider: str
    subject: str
    service_start: date
    service_end: date
    dispute_window_days: int
    restatement_deadline: date | None
    names: Mapping[str, str]
    money: Mapping[str, str]

    def as_json(self) -> str:
        """The same terms are the same text."""
        return json.dumps(vars(self), default=str, ensure_ascii=False)

    @staticmethod
    def of_json(text: str | bytes) -> StatementTerms:
        """Raises ValueError, KeyError or TypeError when it is not what `as_json` wrote."""
        read = json.loads(text)
        for name in ("service_start", "service_end", "restatement_deadline"):
            read[name] = date.fromisoformat(read[name]) if read[name] else None
        return StatementTerms(**read)


@dataclass(frozen=True)
class Settlement:
    """The lines of one contract at one cutoff. table: the columns of COLUMNS, sorted by line_key."""

    terms: StatementTerms
    table: pa.Table

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """line_key -> the line."""
        return {row["line_key"]: row for row in self.table.to_pylist()}

    @cached_property
    def payable_cents(self) -> dict[str, int]:
        """line_key -> payable, in cents."""
        columns = (self.table.column(name).to_pylist() for name in ("line_key", "payable_amount"))
        return {key: cents(amount) for key, amount in zip(*columns, strict=True)}

    @cached_property
    def content(self) -> bytes:
        """The bytes of the file."""
        out = pa.BufferOutputStream()
        table = self.table.replace_schema_metadata({_HEAD_KEY: self.terms.as_json().encode()})
        pq.write_table(table, out, compression="zstd")
        return out.getvalue().to_pybytes()

    @property
    def digest(self) -> str:
        """What the entries name: SHA-256 of the file."""
        return hashlib.sha256(self.content).hexdigest()


def settlement_path(home: Home, digest: str) -> Path:
    """Where the settlement with this hash is kept."""
    return home.ledger / SETTLEMENTS / f"{digest}.parquet"


def why_not_intact(home: Home, digest: str) -> str | None:
    """None when the settlement is there as it was written; else what is wrong with it."""
    path = settlement_path(home, digest)
    if not path.is_file():
        return "the settlement it rests on is missing"
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        return "the settlement it rests on was changed"
    return None


def read_settlement(home: Home, digest: str) -> Settlement:
    """The settlement with this hash. Raises ValueError when it is missing or changed."""
    wrong = why_not_intact(home, digest)
    if wrong:
        raise ValueError(wrong)
    table = pq.read_table(settlement_path(home, digest))
    return Settlement(StatementTerms.of_json((table.schema.metadata or {})[_HEAD_KEY]), table)


def settle(connection: duckdb.DuckDBPyConnection, documents: Documents, contract_id: str, statement_number: int, as_of: date) -> Settlement:
    """What the run in the warehouse says of every line of the contract, to be posted as that statement.

    Raises NoFinishedRun when the run left no settlement, ProposalsInconsistent when a line is settled twice.
    """
    try:
        table = connection.execute(
            _LINES, {"contract_id": contract_id, "statement_number": statement_number, "as_of": as_of}
        ).to_arrow_table()
        names = dict(
            connection.execute(
                "select line_id, outcome_name from intermediate.int_payment__line where contract_id = ?", [contract_id]
            ).fetchall()
        )
    except (duckdb.CatalogException, duckdb.BinderException):
        raise NoFinishedRun("the last run left no settlement with the columns a posting needs; start another with `obc run`") from None
    keys = table.column("line_key").to_pylist()
    if len(keys) != len(set(keys)):
        raise ProposalsInconsistent(f"a line of {contract_id} is settled twice; nothing was posted")
    return Settlement(_terms(documents, contract_id, as_of, names), table)


def _terms(documents: Documents, contract_id: str, as_of: date, names: Mapping[str, str]) -> StatementTerms:
    """Of the version in force on `as_of`, else of the latest."""
    versions = [contract for contract in documents.contracts if contract.contract_id == contract_id]
    in_force = [c for c in versions if c.effective_from <= as_of and (c.effective_to is None or as_of < c.effective_to)]
    contract = (in_force or versions)[-1]
    return StatementTerms(
        district=documents.district.name,
        contract_version=contract.version,
        provider=contract.provider_name,
        subject=contract.subject,
        service_start=contract.service_start,
        service_end=contract.service_end,
        dispute_window_days=contract.dispute_window_days,
        restatement_deadline=contract.restatement_deadline,
        names=dict(sorted(names.items())),
        money=_money_terms(contract),
    )


def _money_terms(contract: Contract) -> dict[str, str]:
    """The money terms a reader of the statement wants beside it."""
    proration = "" if contract.base_proration == "NONE" else contract.base_proration
    stated = {
        "Base": f"{contract.base_rate:,.2f} {contract.base_model} {proration}".strip().replace("_", " ").lower(),
        "Outcome pool": f"{contract.contingent_pool_cap:,.2f}" if contract.contingent_pool_cap is not None else "no cap",
        "Not to exceed": f"{contract.nte_ceiling:,.2f}" if contract.nte_ceiling is not None else "no ceiling",
    }
    if contract.per_student_cap is not None:
        stated["Per student"] = f"{contract.per_student_cap:,.2f}"
    return stated


# vendor_student_id: the id in the vendor's own session log. A student it never sent has none: the district's ids are not for it.
_LINES = """
with sent as (
    select cause.student_key, string_agg(distinct log.student_id, ', ' order by log.student_id) as vendor_student_id
    from intermediate.int_tutoring_session__cause as cause
    inner join staging.stg_tutoring_sessions__session_student as log
        on cause.file_id = log.file_id and cause.row_number = log.row_number
    where cause.contract_id = $contract_id and cause.student_key is not null
    group by cause.student_key
),

opted_out as (
    select distinct student_key
    from input_layer.input__roster_assignment
    where contract_id = $contract_id and upper(end_reason) = 'OPT_OUT' and end_on <= $as_of
)

select
    line.contract_id,
    cast($statement_number as integer) as statement_number,
    line.line_key,
    cast(line.contract_version as integer) as contract_version,
    line.line_id,
    line.line_kind,
    line.student_id,
    line.student_key,
    line.school_id,
    line.period,
    cast(line.tier as integer) as tier,
    line.decision,
    line.earned_amount,
    cast(capped.after_per_student_cents * 0.01::decimal(2, 2) as decimal(18, 2)) as after_per_student_amount,
    cast(capped.after_max_paid_cents * 0.01::decimal(2, 2) as decimal(18, 2)) as after_max_paid_amount,
    cast(capped.after_line_cents * 0.01::decimal(2, 2) as decimal(18, 2)) as after_line_amount,
    cast(capped.after_pool_cents * 0.01::decimal(2, 2) as decimal(18, 2)) as after_pool_amount,
    line.payable_amount,
    line.cap_applied,
    line.reason_code,
    line.reason,
    sent.vendor_student_id,
    opted_out.student_key is not null as has_opted_out
from payable.fct_settlement_line as line
inner join intermediate.int_settlement__capped as capped
    on line.line_key = capped.line_key
left join sent
    on line.student_key = sent.student_key
left join opted_out
    on line.student_key = opted_out.student_key
where line.contract_id = $contract_id
order by line.line_key
"""
