"""The scratch copy: the warehouse and dbt's parsed project in a folder of their own, deleted at the end. The home is only read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from obc_pipeline.dbt_build import DbtBuild, DbtFailed
from obc_pipeline.home import Home
from obc_pipeline.ledger.proposal import open_to_read

# The payment rules, and all of them: everything from the roster to the amounts, which is where a contract's terms are read.
PAYMENT_MODELS = ("fqn:obc.intermediate.payment", "fqn:obc.intermediate.settlement", "fqn:obc.marts.payable")
_PARSED = ("manifest.json", "manifest.sha256", "partial_parse.msgpack")


class Scratch:
    """A copy of a home's warehouse in which terms and data may be changed, and the payment models built again."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.home = Home(folder)
        self._variables = dict(variables)
        self._dbt = DbtBuild(self.home)

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The copy, to be read and changed."""
        with duckdb.connect(str(self.home.warehouse)) as connection:
            yield connection

    def build(self) -> None:
        """Builds the payment models on the copy. Raises DbtFailed when one could not be built."""
        outcomes = self._dbt.run(self._variables, select=PAYMENT_MODELS)
        failed = [outcome for outcome in outcomes if outcome.status in ("ERROR", "SKIPPED")]
        if failed:
            raise DbtFailed(f"the payment models could not be built on the scratch copy: {failed[0].name}: {failed[0].message}", outcomes)


@contextmanager
def scratch_copy(home: Home, variables: Mapping[str, str]) -> Iterator[Scratch]:
    """A scratch copy of the last finished run. Raises HomeBusy when a run is going on, NoFinishedRun when there is no warehouse."""
    with tempfile.TemporaryDirectory(prefix="obc-simulate-") as name:  # mode 0700: it holds what the warehouse holds
        folder = Path(name)
        with open_to_read(home):  # nobody writes while it is copied
            shutil.copyfile(home.warehouse, folder / home.warehouse.name)
        parsed = folder / ".dbt"
        parsed.mkdir(mode=0o700)
        for file in _PARSED:
            if (home.path / ".dbt" / file).exists():
                shutil.copyfile(home.path / ".dbt" / file, parsed / file)
        yield Scratch(folder, variables)


def thaw(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Turns a view of the copy (over the home's Parquet) into a table, so that it can be changed. Tables stay as they are."""
    schema, table = name.split(".")
    is_view = connection.execute("select 1 from duckdb_views() where schema_name = ? and view_name = ?", [schema, table]).fetchone()
    if is_view:
        connection.execute(f"create temp table thawed as select * from {name}")
        connection.execute(f"drop view {name}")
        connection.execute(f"create table {name} as select * from temp.thawed")
        connection.execute("drop table temp.thawed")
