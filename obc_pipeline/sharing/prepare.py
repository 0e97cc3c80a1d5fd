"""Prepares what each audience would be given, in `published/.prepared/<audience>/`, where nobody but the district looks.

Every run makes every folder anew, from the district's own published file (so a contract that a check holds back is held back here too),
and swaps it in. What goes wrong for one audience is said by name and concerns that audience alone. Nothing prepared is out: `obc release`
puts it out.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from obc_pipeline.documents import Documents
from obc_pipeline.errors import describe
from obc_pipeline.home import Home
from obc_pipeline.ledger.write_once import make_private_folder
from obc_pipeline.sharing.aggregates import Aggregates, aggregates_for
from obc_pipeline.sharing.audiences import Audience, audiences_of
from obc_pipeline.sharing.contents import RUN, Contents, write_contents
from obc_pipeline.sharing.errors import CannotWrite, SharingError
from obc_pipeline.sharing.identity import KnownStudent, RosterStudent, known_students, read_roster
from obc_pipeline.sharing.publish import PublishRun, quoted, text
from obc_pipeline.sharing.scope import ScopedTable, SharedMart, scoped_tables, shared_marts
from obc_pipeline.sharing.secrets import read_secret
from obc_pipeline.sharing.swap import clear, make_private, swap_in
from obc_pipeline.sharing.writing import NewTable, write_marts

STATE = "state.json"
_REGISTER = pa.schema({"contract_id": pa.string(), "student_key": pa.string(), "recipient_key": pa.string(), "sent_id": pa.string()})


@dataclass(frozen=True)
class Prepared:
    """What became of one audience: its contents, or why it could not be prepared."""

    audience: Audience
    contents: Contents | None
    problem: str | None


def prepare_audiences(
    home: Home,
    documents: Documents,
    run: PublishRun,
    connection: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    today: date,
) -> list[Prepared]:
    """Prepares every audience but the district, whose file `publish_district` writes; returns what became of each, in order.

    connection: to the warehouse, for the rosters. today: the day by which agreements are judged.
    Raises SharingDeclarationWrong when a mart's YAML declares what cannot be.
    """
    marts = shared_marts(manifest)
    connection.execute(f"attach {text(home.published / 'district' / 'marts.duckdb')} as district (read_only)")
    try:
        known = _columns_of_district(connection)
        audiences = [audience for audience in audiences_of(documents, _schools(connection, known)) if audience.kind != "district"]
        roster = read_roster(connection, contracts_by_consent(documents)) if any(one.kind == "vendor" for one in audiences) else []
        aggregates = aggregates_for(home, documents, connection, audiences, date.fromisoformat(str(run.as_of_date)))
        _clear_strangers(home, audiences)
        done = [_prepare(home, audience, run, connection, marts, known, roster, aggregates, today) for audience in audiences]
    finally:
        connection.execute("detach database if exists district")
    _write_state(home, run, done)
    return done


def register_path(home: Home, audience: Audience) -> Path:
    """Which students what is prepared is about, under the district's keys and the recipient's: for the district alone."""
    return home.lake / "sharing" / f"{audience.folder}.parquet"


def prepared_folder(home: Home, audience: Audience) -> Path:
    return home.prepared / audience.folder


def read_state(home: Home) -> dict[str, Any] | None:
    """What the last run prepared: {run_id, audiences: {id: {name, kind, ..., problem}}}; None before the first."""
    try:
        return json.loads((home.prepared / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def schools_of_state(state: Mapping[str, Any] | None) -> dict[str, str]:
    """School id -> name, as the last run found them."""
    return dict(state["schools"]) if state else {}


def _prepare(
    home: Home,
    audience: Audience,
    run: PublishRun,
    connection: duckdb.DuckDBPyConnection,
    marts: Sequence[SharedMart],
    known: Mapping[tuple[str, str], Sequence[str]],
    roster: Sequence[RosterStudent],
    aggregates: Aggregates,
    today: date,
) -> Prepared:
    aside = home.prepared / f".{audience.folder}.new"
    try:
        if audience.is_over(today):
            clear(prepared_folder(home, audience))
            raise SharingError(f"the agreement with {audience.audience_id} has ended: its records are to be destroyed by now")
        students = _students(home, audience, roster, today)
        clear(aside)
        make_private_folder(aside)
        contents = _write(audience, aside, run, connection, scoped_tables(marts, audience, known), students, aggregates, today)
        make_private(aside, is_kept=False)
        if audience.needs_secret:
            _write_register(home, audience, students)
        swap_in(aside, prepared_folder(home, audience))
    except SharingError as problem:
        return Prepared(audience, None, str(problem))
    except OSError as problem:
        return Prepared(audience, None, str(CannotWrite(f"{audience.audience_id} cannot be prepared: {_system(problem)}")))
    except duckdb.Error as problem:
        return Prepared(audience, None, f"{audience.audience_id} cannot be prepared: {describe(problem)}")
    finally:
        _clear_quietly(aside)
    return Prepared(audience, contents, None)


def _write(
    audience: Audience,
    folder: Path,
    run: PublishRun,
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[ScopedTable],
    students: Sequence[KnownStudent],
    aggregates: Aggregates,
    today: date,
) -> Contents:
    contracts = [contract_id for contract_id in audience.contracts if contract_id not in audience.ended(today)]
    _register_scope(connection, students, contracts)
    pub = list(aggregates.tables.get(audience.audience_id, ()))
    for number, table in enumerate(pub):
        connection.register(f"pub_{number}", table.rows)
    wanted = [NewTable(table.schema, table.name, table.select, table.description, table.columns) for table in tables]
    wanted += [
        NewTable(table.schema, table.name, f"select * from pub_{number} order by all", table.description, table.columns)
        for number, table in enumerate(pub)
    ]
    try:
        written = write_marts(connection, folder, wanted, run, audience.audience_id, aggregates.said)
        _refuse_our_keys(connection, folder, audience)
    finally:
        for number in range(len(pub)):
            connection.unregister(f"pub_{number}")
        connection.unregister("scope_rows")
    told = {f"{one.schema}.{one.name}": {"rows": one.rows, "columns": one.columns, "sha256": one.sha256} for one in written}
    contents = Contents(
        audience=audience.audience_id,
        recipient=audience.name,
        run_id=run.run_id,
        as_of_date=str(run.as_of_date),
        evidence_cutoff_at=str(run.evidence_cutoff_at),
        tables=told,
        students=count_students(connection, folder),
        aggregates=aggregates.said,
        aggregates_as_of=aggregates.as_of.isoformat() if aggregates.as_of else None,
        aggregates_hash=aggregates.snapshot_hash,
        data_hash=data_hash(told),
        left_out=list(audience.ended(today)),
    )
    write_contents(folder, contents)
    return contents


def data_hash(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Over names, columns and rows of all tables but the one that names the run."""
    lines = [f"{name}\0{table['sha256']}" for name, table in sorted(tables.items()) if name != RUN]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _students(home: Home, audience: Audience, roster: Sequence[RosterStudent], today: date) -> list[KnownStudent]:
    if not audience.needs_secret:
        return []
    contracts = [contract_id for contract_id in audience.contracts if contract_id not in audience.ended(today)]
    return known_students(roster, audience, read_secret(home, audience), contracts)


def _register_scope(connection: duckdb.DuckDBPyConnection, students: Sequence[KnownStudent], contracts: Sequence[str]) -> None:
    connection.register("scope_rows", _register_table(students))
    connection.execute("create or replace temp table scope as select * from scope_rows")
    connection.execute("create or replace temp table scope_contract as select unnest(?::varchar[]) as contract_id", [list(contracts)])


def _register_table(students: Sequence[KnownStudent]) -> pa.Table:
    return pa.Table.from_pylist([asdict(student) for student in students], schema=_REGISTER)


def _write_register(home: Home, audience: Audience, students: Sequence[KnownStudent]) -> None:
    import pyarrow.parquet as pq

    path = register_path(home, audience)
    make_private_folder(path.parent)
    aside = path.with_name(f".{path.name}.new")
    pq.write_table(_register_table(students), aside, compression="zstd")
    aside.chmod(0o600)
    os.replace(aside, path)


def _refuse_our_keys(connection: duckdb.DuckDBPyConnection, folder: Path, audience: Audience) -> None:
    """The last look before a folder is prepared: the district's own key of a student is in no column of it, whatever was declared."""
    known = connection.execute("select 1 from duckdb_tables() where database_name = 'district' and table_name = 'dim_student'").fetchone()
    if not known:
        return
    with _made(connection, folder):
        columns = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where database_name = 'made' and data_type = 'VARCHAR' order by all"
        ).fetchall()
        values = " union all ".join(
            f"select distinct {text('.'.join(column))} as place, {quoted(column[2])} as value from made.{quoted(column[0])}.{quoted(column[1])}"
            for column in columns
        )
        found = connection.execute(
            f"select place from ({values}) where value in (select student_key from district.core.dim_student) limit 1"
        ).fetchone()
        if found:
            raise SharingError(f"{audience.audience_id} was not prepared: {found[0]} holds the district's own keys of students")


def count_students(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Different students in the folder's tables."""
    with _made(connection, folder):
        columns = connection.execute(
            "select schema_name, table_name, arg_max(column_name, column_name = 'student_key') from duckdb_columns() "
            "where database_name = 'made' and column_name in ('student_key', 'student_id') group by all order by all"
        ).fetchall()
        parts = [f"select {quoted(column)} as student from made.{quoted(schema)}.{quoted(table)}" for schema, table, column in columns]
        row = connection.execute(f"select count(distinct student) from ({' union all '.join(parts)})").fetchone() if parts else (0,)
        return int(row[0]) if row else 0


@contextmanager
def _made(connection: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[None]:
    """The file just written, attached as `made` for reading."""
    connection.execute(f"attach {text(folder / 'marts.duckdb')} as made (read_only)")
    try:
        yield
    finally:
        connection.execute("detach made")


def _columns_of_district(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[str]]:
    known: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where database_name = 'district' order by 1, 2, column_index"
    ).fetchall():
        known.setdefault((schema, table), []).append(column)
    return known


def _schools(connection: duckdb.DuckDBPyConnection, known: Mapping[tuple[str, str], Sequence[str]]) -> dict[str, str]:
    """Every school with a contracted student, with its name."""
    if ("process", "msr_student_tutoring") not in known or ("core", "dim_school") not in known:
        return {}
    return dict(
        connection.execute(
            """select student.school_id, any_value(coalesce(school.school_name, student.school_id))
               from district.process.msr_student_tutoring as student
               left join district.core.dim_school as school on student.school_id = school.school_id
               where student.school_id is not null group by all order by all"""
        ).fetchall()
    )


def contracts_by_consent(documents: Documents) -> list[str]:
    """Contracts under which records are shared with consent alone."""
    return sorted({one.contract_id for one in documents.contracts if one.data_agreement.legal_basis == "CONSENT"})


def _clear_strangers(home: Home, audiences: Sequence[Audience]) -> None:
    """Folders of audiences that are none any more, and what killed runs left."""
    wanted = {audience.folder for audience in audiences} | {STATE}
    for path in home.prepared.glob("*") if home.prepared.is_dir() else ():
        if path.name not in wanted:
            _clear_quietly(path)
    for path in home.prepared.glob(".*.new") if home.prepared.is_dir() else ():
        _clear_quietly(path)


def _write_state(home: Home, run: PublishRun, done: Sequence[Prepared]) -> None:
    state = {
        "run_id": run.run_id,
        "schools": {one.audience.subject_id: one.audience.name for one in done if one.audience.kind == "school"},
        "audiences": {one.audience.audience_id: {"kind": one.audience.kind, "problem": one.problem} for one in done},
    }
    try:
        make_private_folder(home.prepared)
        aside = home.prepared / f".{STATE}.new"
        aside.write_text(json.dumps(state, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        aside.chmod(0o600)
        os.replace(aside, home.prepared / STATE)
    except OSError as problem:
        raise CannotWrite(f"nothing can be prepared in {home.prepared}: {_system(problem)}") from None


def _clear_quietly(path: Path) -> None:
    with suppress(OSError):  # what cannot be removed is in nobody's way; writing there will say so
        clear(path)


def _system(problem: OSError) -> str:
    """The system's own words, with the path, which is the audience's and no student's."""
    return f"{problem.strerror or 'the file system refuses'} ({problem.filename})" if problem.filename else str(problem.strerror or problem)
