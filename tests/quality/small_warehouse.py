"""A small warehouse as selection leaves it: documents, intake's tables and the checked views, with a few rows put in by each test."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import duckdb

from obc_pipeline.intake.columns import sql_type
from obc_pipeline.quality.rules import identifier
from obc_pipeline.sources import registry

AS_OF = date(2026, 6, 30)
SYSTEM = {"_file_id": "VARCHAR", "_source": "VARCHAR", "_scope": "VARCHAR"}

_DOCUMENTS = {
    "contract": (
        "contract_id VARCHAR, version INT, provider_id VARCHAR, service_start_on DATE, service_end_on DATE",
        [("MATH", 1, "brightpath", "2025-10-06", "2026-05-15"), ("READ", 1, "lumen", "2025-10-06", "2026-05-15")],
    ),
    "contract_source": (
        "contract_id VARCHAR, source VARCHAR",
        [("MATH", "nwea_map"), ("MATH", "sessions_brightpath"), ("MATH", "sis_attendance"), ("READ", "sessions_lumen"), ("READ", "sis_attendance")],
    ),
    "contract_window": (
        "contract_id VARCHAR, version INT, window_id VARCHAR, opens_on DATE, closes_on DATE, data_due_on DATE",
        [("MATH", 1, "FALL", "2025-08-18", "2025-10-03", "2025-10-17"), ("MATH", 1, "SPRING", "2026-04-20", "2026-05-29", "2026-06-12")],
    ),
    "rate_card_line": (
        "contract_id VARCHAR, version INT, line_id VARCHAR, instrument VARCHAR, baseline_window VARCHAR, end_window VARCHAR",
        [("MATH", 1, "G1", "NWEA_MAP_MATH", "FALL", "SPRING")],
    ),
    "data_source": (
        "source VARCHAR, format VARCHAR, provider_id VARCHAR, owner_role VARCHAR, frequency VARCHAR, expected_delay_days INT",
        [
            ("nwea_map", "nwea_map", None, "Assessment", "PER_WINDOW", 14),
            ("sessions_brightpath", "tutoring_sessions", "brightpath", "Coordinator", "WEEKLY", 2),
            ("sessions_lumen", "tutoring_sessions", "lumen", "Coordinator", "WEEKLY", 2),
            ("sis_attendance", "sis_attendance", None, "SIS", "WEEKLY", 1),
            ("exit_tickets_brightpath", "exit_tickets", "brightpath", "Coordinator", "WEEKLY", 2),
        ],
    ),
    "data_map_row": (
        "row_id VARCHAR, metric VARCHAR, kind VARCHAR, measurement VARCHAR, source VARCHAR, system VARCHAR, owner_role VARCHAR, access_method VARCHAR, "
        "frequency VARCHAR, expected_delay_hours INT, accuracy_status VARCHAR, suites VARCHAR",
        [
            ("cgp_math", "CGP", "PAYMENT", "m", "nwea_map", "s", "o", "a", "PER_WINDOW", 336, "TRUSTED", "nwea_map__assessment_results"),
            ("dosage", "Dosage", "PROCESS", "m", "sessions_brightpath,sessions_lumen", "s", "o", "a", "WEEKLY", 48, "TRUSTED", "tutoring_sessions__session_student"),
            ("identity", "Identity", "PROCESS", "m", "exit_tickets_brightpath", "s", "o", "a", "WEEKLY", 48, "NEW", "exit_tickets__response"),
        ],
    ),
}  # fmt: skip
_INTAKE = {
    "delivery": "delivery_id VARCHAR, source VARCHAR, name VARCHAR, size_bytes BIGINT, sha256 VARCHAR, received_at TIMESTAMP, file_count BIGINT, problem VARCHAR",
    "file": "file_id VARCHAR, source VARCHAR, format VARCHAR, table_name VARCHAR, layout VARCHAR, member_name VARCHAR, sha256 VARCHAR, received_at TIMESTAMP, "
    "exported_at TIMESTAMP, rows_in BIGINT, accepted BIGINT, quarantined BIGINT, duplicate BIGINT, status VARCHAR, status_reason VARCHAR, file_rank BIGINT, "
    "delivery_count BIGINT",
    "file_scope": "file_id VARCHAR, scope VARCHAR",
    "quarantined_row": "file_id VARCHAR, source VARCHAR, format VARCHAR, table_name VARCHAR, record_number BIGINT, line_number BIGINT, rule VARCHAR, "
    "column_name VARCHAR, reason VARCHAR, row_key_hash VARCHAR",
}


class SmallWarehouse:
    """A warehouse to put files and rows into; `connection` is what the checks are given."""

    def __init__(self, path: str = ":memory:") -> None:
        self._path = path
        self.connection = duckdb.connect(path)
        for schema in ("documents", "intake", "lake_checked", "payable", "process"):
            self.connection.execute(f"CREATE SCHEMA {schema}")
        for name, (columns, rows) in _DOCUMENTS.items():
            self.connection.execute(f"CREATE TABLE documents.{name} ({columns})")
            self._insert(f"documents.{name}", rows)
        for name, columns in _INTAKE.items():
            self.connection.execute(f"CREATE TABLE intake.{name} ({columns})")
        for format_name, declared in registry().items():
            for table in declared.tables:
                columns = {column.name: sql_type(column) for column in table.columns if column.privacy == "keep"} | SYSTEM
                listed = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
                self.connection.execute(f"CREATE TABLE lake_checked.{format_name}__{table.name} ({listed})")

    def receive(
        self,
        source: str,
        table: str,
        rows: list[dict[str, Any]],
        *,
        received_at: datetime = datetime(2026, 6, 10),
        status: str = "CURRENT",
        exported_at: datetime | None = None,
        quarantined: int = 0,
    ) -> str:
        """A delivery with one file; its rows stand in the checked view when it counts. Returns the file id."""
        format_name = self.value("SELECT format FROM documents.data_source WHERE source = ?", source)
        rank = 1 + self.value("SELECT count(*) FROM intake.file")
        file_id = f"{source}.{table}.{rank:032x}"
        accepted = len(rows)
        self._insert("intake.delivery", [(f"d{rank}", source, f"f{rank}.csv", 1, f"sha{rank}", received_at, 1, None)])
        counts = (accepted + quarantined, accepted, quarantined, 0)
        file = (
            file_id,
            source,
            format_name,
            table,
            "current",
            "f.csv",
            f"sha{rank}",
            received_at,
            exported_at,
            *counts,
            status,
            None,
            rank,
            1,
        )
        self._insert("intake.file", [file])
        for row in rows if status == "CURRENT" else []:
            full = {**row, "_file_id": file_id, "_source": source, "_scope": ""}
            names = ", ".join(identifier(name) for name in full)
            marks = ", ".join("?" * len(full))
            self.connection.execute(f"INSERT INTO lake_checked.{format_name}__{table} ({names}) VALUES ({marks})", list(full.values()))
        return file_id

    def reopened(self) -> SmallWarehouse:
        """The same file, opened again after somebody else has used it."""
        self.connection = duckdb.connect(self._path)
        return self

    def value(self, sql: str, *parameters: Any) -> Any:
        """The first value of the first row."""
        row = self.connection.execute(sql, list(parameters)).fetchone()
        return row[0] if row else None

    def _insert(self, table: str, rows: list[tuple]) -> None:
        for row in rows:
            self.connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", list(row))


def result(student: int, **changes: Any) -> dict[str, Any]:
    """A MAP test result that keeps every rule."""
    return {
        "term_name": "Spring 2025-2026",
        "student_id": f"{student:08d}",
        "subject": "Mathematics",
        "course": "Math K-12",
        "growth_measure_yn": True,
        "norms_reference_data": "2025",
        "test_id": f"t{student}",
        "test_name": "Growth: Math 6+",
        "test_start_date": date(2026, 5, 4),
        "test_rit_score": 220,
        "test_standard_error": "3.2",
        "test_percentile": 55,
        "fall_to_spring_conditional_growth_percentile": 60,
        **changes,
    }


def session(student: int, **changes: Any) -> dict[str, Any]:
    """A session of the fuller layout that keeps every rule."""
    return {
        "session_id": f"s{student}",
        "student_id": f"{student:08d}",
        "tutor_id": "t1",
        "session_topic": "math",
        "session_on": date(2026, 5, 4),
        "session_duration_minutes": 40,
        "session_status": "completed",
        "attendance_status": "present",
        **changes,
    }
