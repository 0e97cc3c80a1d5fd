"""A home small enough to reckon by hand: two vendors, two schools, five students, one of them with both vendors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from obc_pipeline.documents import Documents, init_home, load
from obc_pipeline.documents.starting import EXAMPLE_DISTRICT
from obc_pipeline.home import Home
from obc_pipeline.sharing.prepare import Prepared
from obc_pipeline.sharing.secrets import make_secrets
from obc_pipeline.sharing.upkeep import share

MATH, READ = "CVSD-MATH-2026", "CVSD-READ-2026"
BY = "Dana Whitfield"
NOW = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Student:
    """One rostered student. sent: the id under which its vendor sends it; None when it sends none."""

    local_id: str
    contract_id: str
    school_id: str
    sent: str | None
    end_reason: str | None = None
    is_consented: bool | None = None

    @property
    def key(self) -> str:
        return hashlib.md5(f"2800001|{self.local_id}".encode(), usedforsecurity=False).hexdigest()

    @property
    def provider_id(self) -> str:
        return "brightpath" if self.contract_id == MATH else "lumen"


STUDENTS = (
    Student("00411001", MATH, "0201", "BP-1"),
    Student("00411002", MATH, "0202", "BP-2"),
    Student("00411003", MATH, "0202", None),
    Student("00411004", READ, "0101", "LU-4"),
    Student("00411005", READ, "0202", "LU-5"),
    Student("00411002", READ, "0202", "LU-2"),
)


def sharing(**declared: Any) -> dict[str, Any]:
    return {"sharing": declared}


def model(schema: str, name: str, columns: Sequence[str], meta: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A mart as dbt's manifest has it."""
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": schema,
        "fqn": ["obc", "marts", schema, name],
        "description": f"What {name} is.",
        "config": {"meta": dict(meta or {})},
        "columns": {column: {"name": column, "description": f"What {column} is."} for column in columns},
    }


MANIFEST = {
    "nodes": {
        "student": model("core", "dim_student", ["student_key", "student_id"]),
        "school": model("core", "dim_school", ["school_id", "school_name"], sharing(vendor="all", school="all", columns=["school_id"])),
        "tutoring": model(
            "process",
            "msr_student_tutoring",
            ["contract_id", "provider_id", "student_id", "student_key", "school_id", "end_reason", "sessions_attended"],
            sharing(vendor="rows", school="rows", columns=["contract_id", "school_id", "sessions_attended"]),
        ),
        "decision": model(
            "payable",
            "fct_payment_decision",
            ["contract_id", "student_id", "student_key", "decision", "reason_code", "reason", "line_key"],
            sharing(vendor="rows", columns=["contract_id", "decision", "reason_code", "reason"]),
        ),
        "closed": model("process", "fct_closed", ["contract_id", "provider_id", "school_id"]),
    }
}


@dataclass
class SharingHome:
    """The home, and the tables of its next run."""

    home: Home
    students: Sequence[Student] = STUDENTS
    run_id: str = "20260630-aaaaaaaaaaaa"
    as_of_date: date = date(2026, 6, 30)
    evidence_cutoff_at: str = "2026-06-30 12:00:00"
    sessions: int = 10
    reasons: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def documents(self) -> Documents:
        return load(self.home)

    def run(self, manifest: Mapping[str, Any] = MANIFEST) -> list[Prepared]:
        """What a run does: the warehouse, the district's file, sharing, and the record of the finished run."""
        self.build()
        return self.share(manifest)

    def build(self) -> None:
        self.home.warehouse.unlink(missing_ok=True)
        with duckdb.connect(str(self.home.warehouse)) as connection:
            connection.execute("begin; create schema input_layer; create schema intermediate; create schema staging")
            connection.execute(
                "create table input_layer.input__roster_assignment "
                "(contract_id varchar, student_key varchar, start_on date, end_reason varchar, is_consented boolean)"
            )
            connection.execute(
                "create table intermediate.int_tutoring_session__cause (contract_id varchar, student_key varchar, file_id varchar, row_number bigint)"
            )
            connection.execute(
                "create table staging.stg_tutoring_sessions__session_student (student_id varchar, file_id varchar, row_number bigint)"
            )
            for number, one in enumerate(self.students):
                connection.execute(
                    "insert into input_layer.input__roster_assignment values (?, ?, date '2025-10-06', ?, ?)",
                    [one.contract_id, one.key, one.end_reason, one.is_consented],
                )
                if one.sent:
                    connection.execute(
                        "insert into intermediate.int_tutoring_session__cause values (?, ?, 'f', ?)", [one.contract_id, one.key, number]
                    )
                    connection.execute("insert into staging.stg_tutoring_sessions__session_student values (?, 'f', ?)", [one.sent, number])
            connection.execute("commit")
        self._write_district_file()

    def share(self, manifest: Mapping[str, Any] = MANIFEST) -> list[Prepared]:
        with duckdb.connect(str(self.home.warehouse)) as connection:
            prepared = share(self.home, self.documents, self, connection, manifest)
        self.home.run_state.parent.mkdir(parents=True, exist_ok=True)
        self.home.run_state.write_text(
            json.dumps(
                {
                    "digest": "d",
                    "rests_on": {},
                    "result": {"run_id": self.run_id},
                    "published": {},
                    "documents_as_of": None,
                    "timezone": "UTC",
                }
            )
        )
        return prepared

    def prepared(self, audience: str) -> Path:
        return self.home.prepared / audience

    def out(self, audience: str) -> Path:
        return self.home.published / audience

    def _write_district_file(self) -> None:
        path = self.home.published / "district" / "marts.duckdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute("begin; create schema core; create schema process; create schema payable")
            connection.execute(
                "create table core.dim_school as select * from (values ('0101', 'Aspen'), ('0201', 'Hawthorn'), ('0202', 'Ironwood')) t(school_id, school_name)"
            )
            connection.execute("create table core.dim_student (student_key varchar, student_id varchar)")
            connection.execute(
                "create table process.msr_student_tutoring (contract_id varchar, provider_id varchar, student_id varchar, student_key varchar, "
                "school_id varchar, end_reason varchar, sessions_attended integer)"
            )
            connection.execute(
                "create table payable.fct_payment_decision (contract_id varchar, student_id varchar, student_key varchar, decision varchar, "
                "reason_code varchar, reason varchar, line_key varchar)"
            )
            connection.execute("create table process.fct_closed as select 'x' as contract_id, 'x' as provider_id, 'x' as school_id")
            for number, one in enumerate(self.students):
                decision = self.reasons.get(one.local_id, ("EARNED", "TIER_REACHED", "Reached the tier."))
                connection.execute("insert into core.dim_student values (?, ?)", [one.key, one.local_id])
                connection.execute(
                    "insert into process.msr_student_tutoring values (?, ?, ?, ?, ?, ?, ?)",
                    [one.contract_id, one.provider_id, one.local_id, one.key, one.school_id, one.end_reason, self.sessions + number],
                )
                connection.execute(
                    "insert into payable.fct_payment_decision values (?, ?, ?, ?, ?, ?, ?)",
                    [one.contract_id, one.local_id, one.key, *decision, f"{one.contract_id}|G1|{one.local_id}"],
                )
            connection.execute("commit")


def make_sharing_home(folder: Path) -> SharingHome:
    """The example district's documents, the vendors' secrets, and one run."""
    init_home(folder, EXAMPLE_DISTRICT)
    made = SharingHome(Home(folder))
    make_secrets(made.home, made.documents, seed="test")
    return made


def rows(folder: Path, sql: str) -> list[tuple]:
    """What a query finds in a folder's marts."""
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def all_bytes(folder: Path) -> bytes:
    """Every byte of every file of a folder."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
