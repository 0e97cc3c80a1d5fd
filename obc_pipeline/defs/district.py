"""The district as a Dagster resource: one run of its home, held for the whole job."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

import dagster as dg
from pydantic import Field, PrivateAttr

from obc_pipeline.arguments import parse_date, parse_moment
from obc_pipeline.errors import HomeBusy
from obc_pipeline.fingerprint import forget_last_run
from obc_pipeline.home import Home
from obc_pipeline.lock import only_run
from obc_pipeline.run import Progress, Run

PROCESS_TAG = "obc/process"
RUN_ID_TAG = "obc/run_id"
_WAIT_SECONDS = 30 * 60
_IN_PROGRESS = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]

# Who reads the progress besides Dagster's own log; set by `obc run`, which also brings its own run of the home.
progress_reader: ContextVar[Progress | None] = ContextVar("progress_reader", default=None)
prepared_run: ContextVar[Run | None] = ContextVar("prepared_run", default=None)


class District(dg.ConfigurableResource):
    """One district's home and the dates of the run."""

    home: str = Field(description="Folder of the district (OBC_HOME).")
    as_of: str | None = Field(
        default=None, description="Date as of which everything is computed, 2026-06-30. Empty: as obc.yml says, else today."
    )
    evidence_cutoff_at: str | None = Field(
        default=None, description="Arrivals up to this moment count, 2026-06-30T23:59:59Z. Empty: everything that has arrived."
    )

    _run: Run | None = PrivateAttr(default=None)

    @property
    def run(self) -> Run:
        """The run of this job. Raises RuntimeError outside of one."""
        if self._run is None:
            raise RuntimeError("the district's run exists only while a job runs")
        return self._run

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[District]:
        home = Home(self.home)
        with ExitStack() as stack:
            _hold(home, context, stack)
            forget_last_run(home)  # a step that is run alone changes the warehouse: only a whole run is a finished one
            self._run = prepared_run.get() or Run(
                home, as_of=parse_date(self.as_of), evidence_cutoff_at=parse_moment(self.evidence_cutoff_at), progress=_logged(context)
            )
            yield self
            self._run = None


def _hold(home: Home, context: dg.InitResourceContext, stack: ExitStack) -> None:
    """Takes the home's lock, waiting for a run in another process to end, and clears away what runs that died left behind."""
    instance, run = context.instance, context.run
    if instance and run:
        instance.add_run_tags(run.run_id, {PROCESS_TAG: str(os.getpid())})
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            stack.enter_context(only_run(home))
            break
        except HomeBusy:
            if time.monotonic() > deadline:
                raise
            if context.log:
                context.log.info("another run is using this home; waiting for it")
            time.sleep(2)
    if instance:
        clear_dead_runs(instance, run.run_id if run else None)


def clear_dead_runs(instance: dg.DagsterInstance, except_run_id: str | None = None) -> None:
    """Marks runs whose process is gone as failed and frees their places in pools: else the next run would wait for them for ever."""
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=_IN_PROGRESS)):
        process = run.tags.get(PROCESS_TAG)
        if run.run_id != except_run_id and process and not _is_alive(int(process)):
            instance.report_run_failed(run, "the process of this run ended before the run did")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _logged(context: dg.InitResourceContext) -> Progress:
    def tell(stage: str, text: str) -> None:
        if context.log:
            context.log.info(f"{stage}: {text}")

    return tell
