"""Column lineage: from which columns of its parents each column of a dbt model is made, read from the compiled SQL.

It is kept beside the project under a hash of all it depends on, so that only a change of the project costs the second it takes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from obc_pipeline.dbt_build import PROJECT_DIR, project_digest
from obc_pipeline.home import Home

_DIALECT = "duckdb"
_Columns = dict[str, dict[str, list[str]]]  # schema -> table -> columns
_Parents = dict[str, list[list[str]]]  # column -> [schema, table, column] of each it is made from


class ColumnLineage:
    """The lineage of one manifest's models in one home."""

    def __init__(self, manifest: Mapping[str, Any], home: Home) -> None:
        self._manifest = manifest
        self._target = home.path / ".dbt"

    def metadata(self, connection: duckdb.DuckDBPyConnection, unique_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Unique id of a model just built -> metadata for its materialisation. A model whose SQL cannot be followed has none."""
        known = _warehouse_columns(connection)
        state = json.dumps([project_digest(), known], sort_keys=True)
        path = self._folder / f"column_lineage_{hashlib.sha256(state.encode()).hexdigest()[:16]}.json"
        kept: dict[str, _Parents] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        missing = [unique_id for unique_id in unique_ids if unique_id not in kept]
        if missing:
            kept |= {unique_id: self._of(self._manifest["nodes"][unique_id], known) for unique_id in missing}
            _keep(path, kept)
        return {
            unique_id: {"dagster/column_lineage": dg.TableColumnLineage({name: _deps(parents) for name, parents in columns.items()})}
            for unique_id, columns in kept.items()
            if columns
        }

    @property
    def _folder(self) -> Path:
        """Beside the project, for all homes; in the home where the project cannot be written to."""
        shared = PROJECT_DIR / "target"
        return shared if os.access(shared if shared.exists() else PROJECT_DIR, os.W_OK) else self._target

    def _of(self, node: Mapping[str, Any], known: _Columns) -> _Parents:
        from sqlglot.errors import SqlglotError

        parents = [self._manifest["sources"].get(parent) or self._manifest["nodes"][parent] for parent in node["depends_on"]["nodes"]]
        compiled = self._target / "compiled" / "obc" / node["original_file_path"]
        schema: dict[str, Any] = {}
        for parent in parents:
            table = parent.get("alias") or parent["name"]
            columns = known.get(parent["schema"], {}).get(table)
            if columns is None:
                return {}
            schema.setdefault(parent["schema"], {})[table] = dict.fromkeys(columns, "varchar")
        try:
            return _followed(compiled.read_text(encoding="utf-8"), {parents[0]["database"]: schema} if parents else {})
        except (OSError, SqlglotError, ValueError):
            return {}  # lineage is a help to people: without it everything else works


def _followed(sql: str, schema: dict[str, Any]) -> _Parents:
    """Column of the outermost select -> the columns of tables it is made from."""
    from sqlglot import parse_one
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    query = qualify(
        parse_one(sql, dialect=_DIALECT), schema=schema, dialect=_DIALECT, quote_identifiers=False, validate_qualify_columns=False
    )
    scope = build_scope(query)
    return {name: sorted(map(list, leaves)) for name, leaves in _Follower().columns(scope)} if scope else {}


class _Follower:
    """Goes through a query's parts once, each column of each part. (sqlglot's own `lineage` starts anew for every column.)"""

    def __init__(self) -> None:
        self._known: dict[int, list[tuple[str, set[tuple[str, str, str]]]]] = {}
        self._visited: list[Any] = []  # keeps the scopes alive: their ids are the keys

    def columns(self, scope: Any) -> list[tuple[str, set[tuple[str, str, str]]]]:
        """The output columns of a part, in order, each with the table columns it is made from."""
        if id(scope) not in self._known:
            self._visited.append(scope)
            self._known[id(scope)] = []  # what a recursive part finds of itself
            if scope.set_operation_scopes:
                left, right = map(self.columns, scope.set_operation_scopes)
                found = [(name, one | other) for (name, one), (_, other) in zip(left, right, strict=False)]
            else:
                found = [(output.alias_or_name, self._leaves(scope, output)) for output in getattr(scope.expression, "selects", [])]
            self._known[id(scope)] = found
        return self._known[id(scope)]

    def _leaves(self, scope: Any, expression: Any) -> set[tuple[str, str, str]]:
        from sqlglot import exp

        leaves: set[tuple[str, str, str]] = set()
        for column in expression.find_all(exp.Column):
            part = next((inner.sources[column.table] for inner in (scope, *scope.subquery_scopes) if column.table in inner.sources), None)
            if isinstance(part, exp.Table) and not part.db:
                part = scope.cte_sources.get(part.name)  # a common table expression under PIVOT or UNPIVOT
            if isinstance(part, exp.Table):
                leaves.add((part.db, part.name, column.name))
            elif part is not None:
                leaves |= self._of_part(scope, part, column)
        return leaves

    def _of_part(self, scope: Any, part: Any, column: Any) -> set[tuple[str, str, str]]:
        from sqlglot import exp

        outputs = dict(self.columns(part))
        if column.name in outputs:
            return outputs[column.name]
        if isinstance(part.expression, exp.Unnest | exp.Lateral):
            return self._leaves(scope, part.expression)
        # A column that UNPIVOT makes is made from all that it turns.
        turned = [pivot for pivot in scope.expression.find_all(exp.Pivot) if pivot.alias_or_name == column.table]
        return {leaf for pivot in turned for inner in pivot.find_all(exp.Column) for leaf in outputs.get(inner.name, set())}


def _keep(path: Path, lineage: dict[str, _Parents]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob("column_lineage_*.json"):
        old.unlink(missing_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(lineage), encoding="utf-8")
    os.replace(aside, path)


def _deps(parents: list[list[str]]) -> list[dg.TableColumnDep]:
    return [dg.TableColumnDep(asset_key=dg.AssetKey([schema, table]), column_name=column) for schema, table, column in parents]


def _warehouse_columns(connection: duckdb.DuckDBPyConnection) -> _Columns:
    found: _Columns = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where not internal order by all"
    ).fetchall():
        found.setdefault(schema, {}).setdefault(table, []).append(column)
    return found
