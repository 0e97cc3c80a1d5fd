"""One run, step by step: plain functions over a home. `obc run` and every Dagster asset call these and nothing else.

What a step leaves for the next is on disk or in the warehouse, so a step can be run alone, and a run that was stopped is mended by
running again. Only `as_of_date` and the arrival of files ever read the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import duckdb

from obc_pipeline import fingerprint
from obc_pipeline.dbt_build import QUALITY_MODELS, DbtBuild, DbtFailed, NodeOutcome, read_manifest
from obc_pipeline.documents import Documents, DocumentsInvalid, load, write_tables
from obc_pipeline.errors import ArgumentWrong, HomeBusy, StepFailed, describe, trace_without_values
from obc_pipeline.home import Home
from obc_pipeline.intake.evidence import Evidence, select_evidence
from obc_pipeline.intake.read import ReadingLimits, read_archive
from obc_pipeline.intake.receive import Received, read_receipts, receive
from obc_pipeline.intake.register import key_overlap, register
from obc_pipeline.ledger import register_ledger
from obc_pipeline.model_tests import blocks_of_all_contracts, test_verdicts
from obc_pipeline.quality.checks import CheckRun, check_marts, check_sources, contract_blocks
from obc_pipeline.quality.suites import SuiteInvalid
from obc_pipeline.quality.verdicts import Verdict, write_verdicts
from obc_pipeline.result import result_object
from obc_pipeline.senders import write_sender_reports
from obc_pipeline.sharing.disclosure import register_disclosures
from obc_pipeline.sharing.errors import SharingError
from obc_pipeline.sharing.prepare import Prepared, read_state
from obc_pipeline.sharing.publish import PublishFailed, publish_district
from obc_pipeline.sharing.upkeep import share

T = TypeVar("T")
LEDGER_SUITE, LEDGER_CHECK = "ledger", "chain_is_intact"
Progress = Callable[[str, str], None]  # stage, what is being done


def silent(stage: str, text: str) -> None:
    """Progress that nobody reads."""


class Run:
    """One run of one home: its dates, its id, and its steps in order.

    as_of:    the date as of which everything is computed; None = `as_of` of obc.yml, else today where the district is.
    evidence_cutoff_at: arrivals up to this moment (UTC) count; None = everything that has arrived.
    """

    def __init__(
        self, home: Home, *, as_of: date | None = None, evidence_cutoff_at: datetime | None = None, progress: Progress = silent
    ) -> None:
        self.home = home
        self.seconds: dict[str, float] = {}
        self._stated_as_of = as_of
        self._stated_cutoff = evidence_cutoff_at
        self._progress = progress
        self._dbt = DbtBuild(home)

    # ---- what the run is about ----

    @cached_property
    def documents(self) -> Documents:
        """The district's documents. Raises DocumentsInvalid."""

        return load(self.home)

    @cached_property
    def as_of_date(self) -> date:
        """As stated, else as the documents say, else today in the district's time zone."""
        if self._stated_as_of:
            return self._stated_as_of
        return self.documents.obc.as_of or datetime.now(ZoneInfo(self.documents.obc.timezone)).date()

    @cached_property
    def fingerprint(self) -> fingerprint.Fingerprint:
        """What this run depends on. Taken after receiving: what has landed belongs to it."""
        return fingerprint.take(self.home, self.as_of_date, self._stated_cutoff)

    @property
    def run_id(self) -> str:
        return self.fingerprint.run_id

    @cached_property
    def evidence_cutoff_at(self) -> datetime:
        """As stated, else the latest arrival: the same evidence then gives the same rows on any day (law 3)."""
        if self._stated_cutoff:
            return self._stated_cutoff

        receipts = read_receipts(self.home)
        return receipts[-1].received_at if receipts else datetime.combine(self.as_of_date, datetime.max.time(), UTC).replace(microsecond=0)

    @property
    def manifest_path(self) -> Path:
        return self._dbt.manifest_path

    @property
    def variables(self) -> dict[str, str]:
        """dbt's vars: the only way in which dates reach a model."""
        return {
            "as_of_date": self.as_of_date.isoformat(),
            "evidence_cutoff_at": self.evidence_cutoff_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "district_id": self.documents.obc.district.id,
            "run_id": self.run_id,
        }

    # ---- the steps ----

    def load_documents(self) -> Documents:
        """Reads the documents and writes them as tables, `lake/documents/*.parquet` and schema `documents`."""
        return self._step("documents", self._load_documents)

    def receive(self) -> Received:
        """Archives what has landed."""
        return self._step("receive", self._receive)

    def read(self) -> Evidence:
        """Reads what was not read before, and registers what counts at the cutoff as views `lake.*` and tables `intake.*`."""
        return self._step("read", self._read)

    def check_sources(self) -> list[Verdict]:
        """Great Expectations on the lake; verdicts and blocked contracts go to `intake.*`."""
        return self._step("check sources", self._check_sources)

    def build(self, select: Sequence[str] = ()) -> list[NodeOutcome]:
        """dbt: all models but the quality marts (or the selected ones), then their tests. Raises DbtFailed when a model could not be built."""
        return self._step("build", lambda: self._build(select))

    def check_marts(self) -> list[Verdict]:
        """Great Expectations on the paying marts; all verdicts of the run and what they block go to `intake.*`."""
        return self._step("check marts", self._check_marts)

    def build_quality(self, select: Sequence[str] = ()) -> list[NodeOutcome]:
        """dbt: the quality marts (or the selected ones), which report the verdicts, and their tests."""
        return self._step("quality marts", lambda: self._build_quality(select))

    def publish(self) -> list[Path]:
        """Swaps in the published file; payable rows of blocked contracts stay as they were last published."""
        return self._step("publish", self._publish)

    def share(self) -> list[Prepared]:
        """Prepares what each audience would be given, and takes out of released files whoever may not be in them any more."""
        return self._step("share", self._share)

    def finish(self) -> dict[str, Any]:
        """Tells the senders, and writes down, last of all, that the run is done and what it found; returns the result object of `obc run --json`."""
        return self._step("finish", self._finish)

    # ---- what each step does ----

    def _load_documents(self) -> Documents:

        documents = self.documents
        tables = write_tables(documents, self.home.document_tables)
        with self.warehouse() as connection:
            connection.execute("create schema if not exists documents")
            for name, path in tables.items():
                connection.execute(f"create or replace view documents.{name} as select * from read_parquet({_text(path)})")
        return documents

    def _receive(self) -> Received:

        fingerprint.forget_last_run(self.home)
        intake = self.documents.intake
        received = receive(
            self.home,
            self.documents.sources,
            received_at_from=intake.received_at_from,
            settle_seconds=intake.settle_seconds,
            progress=lambda text: self._progress("receive", text),
        )
        for waiting in received.waiting:
            self._progress("receive", f"left where it is: landing/{waiting.source}: {waiting.name}: {waiting.reason}")
        return received

    def _read(self) -> Evidence:

        documents, home = self.documents, self.home
        deliveries = read_receipts(home)
        reports = read_archive(
            home,
            deliveries,
            documents.sources,
            district_names(documents),
            reading_limits(documents),
            progress=lambda text: self._progress("read", text),
        )
        with self.warehouse() as connection:
            evidence = select_evidence(
                deliveries,
                reports,
                {name: source.format for name, source in documents.sources.items()},
                cutoff=self.evidence_cutoff_at,
                max_drop_share=documents.intake.max_drop_share,
                accepted_hashes=frozenset(accepted.sha256 for accepted in documents.intake.accept),
                overlap=lambda file, others: key_overlap(connection, home, file, others),
            )
            register(connection, home, evidence)
            register_ledger(connection, home)
            register_disclosures(connection, home)
        return evidence

    def _check_sources(self) -> list[Verdict]:

        with self.warehouse() as connection:
            verdicts = [*check_sources(connection, self._check_run()), *self._ledger_verdicts(connection)]
            self._store_verdicts(
                connection, verdicts, lambda old: old.engine != "dbt" and (old.source is not None or old.suite == LEDGER_SUITE)
            )
        return verdicts

    def _build(self, select: Sequence[str]) -> list[NodeOutcome]:
        outcomes = self._dbt.run(self.variables, select=select, exclude=[QUALITY_MODELS])
        _raise_for_models(outcomes)
        tested = self._dbt.test(self.variables, select=select, exclude=[QUALITY_MODELS])
        formats = {name: source.format for name, source in self.documents.sources.items()}
        verdicts = test_verdicts(read_manifest(self.manifest_path), tested, formats, self.run_id, self.as_of_date)
        again = {verdict.check_id for verdict in verdicts}
        with self.warehouse() as connection:
            self._store_verdicts(connection, verdicts, lambda old: old.check_id in again if select else old.engine == "dbt")
        return [*outcomes, *tested]

    def _check_marts(self) -> list[Verdict]:

        with self.warehouse() as connection:
            verdicts = check_marts(connection, self._check_run())
            self._store_verdicts(connection, verdicts, lambda old: old.contract_id is not None and old.suite != LEDGER_SUITE)
        return verdicts

    def _build_quality(self, select: Sequence[str]) -> list[NodeOutcome]:
        outcomes = self._dbt.run(self.variables, select=select or [QUALITY_MODELS])
        _raise_for_models(outcomes)
        return [*outcomes, *self._dbt.test(self.variables, select=select or [QUALITY_MODELS])]

    def _publish(self) -> list[Path]:

        self._dbt.ensure_manifest()
        with self.warehouse() as connection:
            blocked = blocked_contracts(connection)
        return publish_district(self.home, self, self.manifest_path, blocked)

    def _share(self) -> list[Prepared]:
        with self.warehouse() as connection:
            prepared = share(self.home, self.documents, self, connection, read_manifest(self.manifest_path))
        for one in prepared:
            if one.problem:
                self._progress("share", one.problem)
        return prepared

    def _finish(self) -> dict[str, Any]:
        published = [self.home.published / "district" / "marts.duckdb", self.home.published / "district" / "parquet"]
        with self.warehouse() as connection:
            write_sender_reports(self.home, self.documents, connection, reading_limits(self.documents))
            result = result_object(
                connection,
                run_id=self.run_id,
                as_of=self.as_of_date,
                evidence_cutoff_at=self.evidence_cutoff_at,
                sources=self.documents.sources,
                contracts=self.contract_ids,
                blocked=blocked_contracts(connection),
                published=published,
                seconds=self.seconds,
            )
        state = read_state(self.home) or {"audiences": {}}
        result["not_prepared"] = {audience: one["problem"] for audience, one in state["audiences"].items() if one["problem"]}
        obc = self.documents.obc
        fingerprint.write_last_run(self.home, self.fingerprint, result, published[:1], obc.as_of, obc.timezone)
        return result

    # ---- what the steps share ----

    @property
    def contract_ids(self) -> list[str]:
        return sorted({contract.contract_id for contract in self.documents.contracts})

    @contextmanager
    def warehouse(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The working file, open for this process alone; closed again at the end, so that dbt can open it."""
        with open_warehouse(self.home) as connection:
            yield connection

    def _ledger_verdicts(self, connection: duckdb.DuckDBPyConnection) -> list[Verdict]:
        """A contract whose ledger was tampered with must not pay."""
        rows = connection.execute("select contract_id, is_intact from ledger.head order by 1").fetchall()
        return [ledger_verdict(self.run_id, self.as_of_date, contract_id, is_intact) for contract_id, is_intact in rows]

    def _check_run(self) -> CheckRun:

        return CheckRun(self.run_id, self.as_of_date, self.home)

    def _store_verdicts(
        self, connection: duckdb.DuckDBPyConnection, verdicts: list[Verdict], is_replaced: Callable[[Verdict], bool]
    ) -> None:
        """Replaces this run's verdicts of one kind, drops those of other runs, and works out again what is blocked."""
        kept = [verdict for verdict in read_verdicts(connection) if verdict.run_id == self.run_id and not is_replaced(verdict)]
        all_verdicts = [*kept, *verdicts]
        blocks = [*contract_blocks(connection, all_verdicts), *blocks_of_all_contracts(all_verdicts, self.contract_ids)]
        write_verdicts(connection, all_verdicts, sorted(set(blocks), key=lambda block: (block.contract_id, block.check_id)))

    def _step(self, stage: str, body: Callable[[], T]) -> T:
        """Times a step, and turns what nobody foresaw into one line and a log file, both without values of rows."""
        self._progress(stage, "…")
        started = time.perf_counter()
        try:
            done = body()
        except _FORESEEN:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not show a row; raised again below, outside of its context
            failure = StepFailed(stage, f"{describe(error)}. The trace is in {self._log(stage, error)}")
        else:
            self.seconds[stage] = time.perf_counter() - started
            self._progress(stage, f"done in {self.seconds[stage]:.1f} s")
            return done
        raise failure

    def _log(self, stage: str, error: BaseException) -> Path:
        folder = self.home.path / ".logs"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}_{stage.replace(' ', '_')}.log"
        path.write_text(f"{stage}\n{trace_without_values(error)}", encoding="utf-8")
        path.chmod(0o600)
        return path


def blocked_contracts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The contracts that must not pay, by `intake.contract_block`."""
    return [row[0] for row in connection.execute("select distinct contract_id from intake.contract_block order by 1").fetchall()]


def ledger_verdict(run_id: str, as_of: date, contract_id: str, is_intact: bool) -> Verdict:
    """Whether the chain of a contract's posted statements is unbroken."""
    return Verdict(
        run_id=run_id,
        check_id=f"ledger.{contract_id}.{LEDGER_CHECK}",
        source=None,
        contract_id=contract_id,
        suite=LEDGER_SUITE,
        expectation_type=LEDGER_CHECK,
        column_name=None,
        data_map_row=None,
        severity="critical",
        status="PASSED" if is_intact else "FAILED",
        rows_checked=None,
        rows_failed=None,
        pass_rate=None,
        mostly=None,
        is_blocking=not is_intact,
        checked_as_of=as_of,
        message="every posted statement is as it was written"
        if is_intact
        else "the ledger was changed after posting: `obc verify` says where",
        engine="intake",
    )


def read_verdicts(connection: duckdb.DuckDBPyConnection) -> list[Verdict]:
    """`intake.check_result` as verdicts; none when there is no such table yet."""
    known = connection.execute("select 1 from duckdb_tables() where schema_name = 'intake' and table_name = 'check_result'").fetchone()
    return [Verdict(*row) for row in connection.execute("select * from intake.check_result").fetchall()] if known else []


def district_names(documents: Documents) -> frozenset[str]:
    """Every id and name under which a file may name this district, lower case."""
    district = documents.district
    return frozenset(name.lower() for name in (district.id, district.name, *district.aliases.ids, *district.aliases.names))


def reading_limits(documents: Documents) -> ReadingLimits:
    """The guards of `intake:` in obc.yml."""
    return ReadingLimits(max_zip_bytes=documents.intake.max_zip_bytes, max_zip_ratio=documents.intake.max_zip_ratio)


@contextmanager
def open_warehouse(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens `warehouse.duckdb`. It can always be made again from archive and documents: one that cannot be opened is started anew.

    Raises HomeBusy when another program has it open.
    """
    home.path.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(home.warehouse))
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise HomeBusy(
                f"{home.warehouse} is open in another program; close it there. To look at results, open {home.published}/district/marts.duckdb"
            ) from None
        home.warehouse.unlink(missing_ok=True)
        home.warehouse.with_name("warehouse.duckdb.wal").unlink(missing_ok=True)
        connection = duckdb.connect(str(home.warehouse))
    home.warehouse.chmod(0o600)
    with connection:
        yield connection


def _raise_for_models(outcomes: list[NodeOutcome]) -> None:
    failed = [outcome for outcome in outcomes if outcome.status == "ERROR"]
    if failed:
        skipped = sum(outcome.status == "SKIPPED" for outcome in outcomes)
        told = "; ".join(f"{outcome.name}: {outcome.message}" for outcome in failed[:3])
        raise DbtFailed(
            f"{len(failed)} of {len(outcomes)} models could not be built, {skipped} that need them were left out. {told}", outcomes
        )


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


_FORESEEN = (ArgumentWrong, DbtFailed, DocumentsInvalid, HomeBusy, PublishFailed, SharingError, SuiteInvalid, StepFailed)
