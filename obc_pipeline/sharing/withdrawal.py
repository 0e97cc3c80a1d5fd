"""Takes out of released files whoever may not be in them any more: a parent's opt-out waits for no release.

The folder is written anew from the rows that stay, and swapped in; nothing else in it changes. Packs cannot be rewritten, so those of the
folder are taken away; the next release brings new ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from obc_pipeline.home import Home
from obc_pipeline.ledger.write_once import make_private_folder
from obc_pipeline.sharing.audiences import Audience
from obc_pipeline.sharing.contents import Contents, read_contents, write_contents
from obc_pipeline.sharing.disclosure import Entry, append, last_of, last_release, read_log
from obc_pipeline.sharing.errors import CannotWrite
from obc_pipeline.sharing.identity import RosterStudent, withheld
from obc_pipeline.sharing.prepare import count_students, data_hash
from obc_pipeline.sharing.publish import quoted, text
from obc_pipeline.sharing.release import released_folder, students_path
from obc_pipeline.sharing.swap import clear, file_hashes, make_private, snapshot_hash, swap_in
from obc_pipeline.sharing.writing import NewTable, write_tables

BY_THE_RUN = "obc run"
OPT_OUT, AGREEMENT_ENDED = "opted out or without consent", "the contract's records are to be destroyed"


@dataclass(frozen=True)
class Withdrawal:
    """What was taken out of one audience's folder. students: how many had rows in it."""

    audience: Audience
    entry: Entry
    students: int


def withdraw(
    home: Home,
    audience: Audience,
    connection: duckdb.DuckDBPyConnection,
    roster: Sequence[RosterStudent],
    today: date,
    now: datetime | None = None,
) -> Withdrawal | None:
    """Takes out withheld students and contracts whose agreement has ended; None when there is nothing to take out.

    The caller holds the home's lock. Raises CannotWrite; what was published before then still stands.
    """
    entries = read_log(home)
    released, place = last_release(entries, audience.audience_id), released_folder(home, audience)
    contents = read_contents(place)
    if released is None or contents is None or audience.kind != "vendor":
        return None
    ended = set(audience.ended(today)) - set(contents.left_out)
    gone = _keys(home, released, audience, withheld(roster, audience)) & _present(connection, place)
    last = last_of(entries, audience.audience_id)
    if not gone and not ended:
        # Killed after the swap and before the log: what is out is then logged as it is.
        is_told = last is not None and last.snapshot_hash == snapshot_hash(file_hashes(place))
        is_ours = contents.withdrawn and last is not None and len(contents.withdrawn) > _told_of(entries, released)
        return None if is_told or not is_ours else Withdrawal(audience, _log(home, audience, contents, place, now), 0)
    aside = home.published / f".{audience.folder}.withdrawing"
    try:
        clear(aside)
        make_private_folder(aside)
        _write(connection, place, aside, gone, ended, contents)
        make_private(aside, is_kept=True)
        swap_in(aside, place)
    except OSError as problem:
        raise CannotWrite(
            f"{audience.audience_id}: {problem.strerror or 'the file system refuses'} ({problem.filename or place}); "
            "rows that should not be with it any more are STILL OUT: take its folder away by hand"
        ) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    new = read_contents(place)
    assert new is not None
    return Withdrawal(audience, _log(home, audience, new, place, now), len({key for _, key in gone}))


def _keys(home: Home, released: Entry, audience: Audience, pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """(contract_id, recipient key) of these students as the release knew them: needs no secret, which may be gone or another by now."""
    path = students_path(home, released, audience)
    if not path.is_file():
        return set()
    rows = pq.read_table(path, columns=["contract_id", "student_key", "recipient_key"]).to_pylist()
    return {(row["contract_id"], row["recipient_key"]) for row in rows if (row["contract_id"], row["student_key"]) in pairs}


def _present(connection: duckdb.DuckDBPyConnection, place: Path) -> set[tuple[str, str]]:
    """Every (contract_id, student_key) that has a row in the folder."""
    with _attached(connection, place) as tables:
        found: set[tuple[str, str]] = set()
        for name, columns in tables.items():
            if {"contract_id", "student_key"} <= set(columns):
                found |= set(
                    connection.execute(f"select distinct contract_id, student_key from {name} where student_key is not null").fetchall()
                )
        return found


class _attached:
    """The released file, attached as `released` for reading: table -> its columns."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, place: Path) -> None:
        self._connection, self._place = connection, place

    def __enter__(self) -> dict[str, list[str]]:
        self._connection.execute(f"attach {text(self._place / 'marts.duckdb')} as released (read_only)")
        tables: dict[str, list[str]] = {}
        for schema, table, column in self._connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where database_name = 'released' order by 1, 2, column_index"
        ).fetchall():
            tables.setdefault(f"released.{quoted(schema)}.{quoted(table)}", []).append(column)
        return tables

    def __exit__(self, *_: object) -> None:
        self._connection.execute("detach released")


def _write(
    connection: duckdb.DuckDBPyConnection,
    place: Path,
    aside: Path,
    gone: Collection[tuple[str, str]],
    ended: Collection[str],
    contents: Contents,
) -> None:
    pairs = sorted(gone)
    connection.register(
        "gone_rows",
        pa.table(
            {
                "contract_id": pa.array([one for one, _ in pairs], pa.string()),
                "student_key": pa.array([one for _, one in pairs], pa.string()),
            }
        ),
    )
    connection.register("ended_rows", pa.table({"contract_id": pa.array(sorted(ended), pa.string())}))
    try:
        with _attached(connection, place) as columns_of:
            said = _descriptions(connection)
            wanted = [
                NewTable(schema, name, _kept(f"released.{quoted(schema)}.{quoted(name)}", columns_of), description, columns)
                for (schema, name), (description, columns) in said.items()
            ]
            written = write_tables(connection, aside, wanted)
    finally:
        connection.unregister("gone_rows")
        connection.unregister("ended_rows")
    tables = {f"{one.schema}.{one.name}": {"rows": one.rows, "columns": one.columns, "sha256": one.sha256} for one in written}
    reasons = [OPT_OUT] * bool(gone) + [AGREEMENT_ENDED] * bool(ended)
    write_contents(
        aside,
        replace(
            contents,
            tables=tables,
            students=count_students(connection, aside),
            data_hash=data_hash(tables),
            left_out=sorted({*contents.left_out, *ended}),
            withdrawn=[*contents.withdrawn, "; ".join(reasons)],
        ),
    )


def _kept(table: str, columns_of: dict[str, list[str]]) -> str:
    columns, where = columns_of[table], ["true"]
    if {"contract_id", "student_key"} <= set(columns):
        where.append(
            "not exists (from gone_rows where gone_rows.contract_id = kept.contract_id and gone_rows.student_key = kept.student_key)"
        )
    if "contract_id" in columns:
        where.append("(contract_id is null or contract_id not in (select ended_rows.contract_id from ended_rows))")
    return f"select * from {table} as kept where {' and '.join(where)} order by all"


def _descriptions(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[str, dict[str, str]]]:
    """(schema, table) -> its description and those of its columns, as the released file has them."""
    found: dict[tuple[str, str], tuple[str, dict[str, str]]] = {
        (schema, name): (comment or "", {})
        for schema, name, comment in connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() where database_name = 'released' order by 1, 2"
        ).fetchall()
    }
    for schema, name, column, comment in connection.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns() where database_name = 'released' order by 1, 2, column_index"
    ).fetchall():
        found[schema, name][1][column] = comment or ""
    return found


def _told_of(entries: Sequence[Entry], released: Entry) -> int:
    return sum(entry.kind == "WITHDRAWAL" and entry.audience == released.audience and entry.seq > released.seq for entry in entries)


def _log(home: Home, audience: Audience, contents: Contents, place: Path, now: datetime | None) -> Entry:
    files = file_hashes(place)
    return append(
        home,
        audience,
        "WITHDRAWAL",
        now,
        tables={name: {"columns": table["columns"], "rows": table["rows"]} for name, table in contents.tables.items()},
        student_count=contents.students,
        files=files,
        run_id=contents.run_id,
        as_of_date=contents.as_of_date,
        released_by=BY_THE_RUN,
        released_by_role="",
        snapshot_hash=snapshot_hash(files),
        reason=contents.withdrawn[-1] if contents.withdrawn else "",
    )
