"""When things run: the one job, a schedule per source as the data map states it, and a sensor that takes in what lands."""

import hashlib
import time
from collections.abc import Sequence
from typing import Any

import dagster as dg

from obc_pipeline.defs import naming
from obc_pipeline.documents import Documents, Source
from obc_pipeline.fingerprint import has_arrivals
from obc_pipeline.home import Home

_DEFAULT_CRONS = {"DAILY": "0 6 * * *", "WEEKLY": "0 6 * * 1", "BIWEEKLY": "0 6 * * 1", "MONTHLY": "0 6 1 * *", "QUARTERLY": "0 6 1 */3 *"}


def run_job(apart: Sequence[dg.AssetsDefinition]) -> Any:
    """Everything but what stands apart (postings, which people launch, and packs, which have their own cadence), in one process: `obc run`."""
    return dg.define_asset_job(
        naming.JOB,
        selection=(dg.AssetSelection.all() - dg.AssetSelection.assets(*apart)) | dg.AssetSelection.all_asset_checks(),
        description="Takes in what has landed, checks it, builds the marts, publishes them, and looks at what is to be approved. The same as `obc run`.",
        executor_def=dg.in_process_executor,
    )


def schedules(documents: Documents, home: Home, job: Any) -> list[dg.ScheduleDefinition]:
    """One per source with a regular timing, and one that moves the as-of date on every morning. All are off until switched on."""
    every_morning = dg.ScheduleDefinition(
        name="every_morning",
        job=job,
        cron_schedule="30 5 * * *",
        execution_timezone=documents.obc.timezone,
        description="A run as of the new day: what is late, who must still be tested and who is off track change with the date alone.",
    )
    looks = [_look_for(source, documents.obc.timezone, home, job) for source in documents.sources.values() if _cron(source)]
    return [every_morning, *looks]


def landing_sensor(documents: Documents, home: Home, job: Any) -> dg.SensorDefinition:
    """Starts a run when complete files lie in landing/."""

    @dg.sensor(
        name="landing",
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Takes in what lands: a run when files lie in landing/ that have rested. What a run left there is not tried again until something changes."
        ),
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if not has_arrivals(home, documents.sources):
            return dg.SkipReason("nothing has landed")
        listing = [
            (str(path.relative_to(home.landing)), path.stat().st_size, path.stat().st_mtime_ns)
            for source in documents.sources
            for path in sorted((home.landing / source).rglob("*"))
            if path.is_file()
        ]
        if any(0 <= time.time() - changed_ns / 1e9 < documents.intake.settle_seconds for _, _, changed_ns in listing):
            return dg.SkipReason("a file in landing/ may still be being written")
        seen = hashlib.sha256(repr(listing).encode()).hexdigest()
        if seen == context.cursor:
            return dg.SkipReason("what lies in landing/ was there when the last run was started")
        context.update_cursor(seen)
        return dg.RunRequest(tags={"obc/started_by": "landing"})

    return landing


def _look_for(source: Source, timezone: str, home: Home, job: Any) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"look_for_{naming.safe(source.name)}",
        job=job,
        cron_schedule=_cron(source) or "",
        execution_timezone=(source.schedule.timezone if source.schedule else None) or timezone,
        description=f"Looks for {source.system} when the data map says it comes ({source.frequency.lower()}, owner: {source.owner_role}).",
    )
    def look(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if not has_arrivals(home, [source.name]):
            return dg.SkipReason(f"nothing has landed in landing/{source.name}/")
        return dg.RunRequest(tags={"obc/started_by": f"look_for_{source.name}"})

    return look


def _cron(source: Source) -> str | None:
    """As the data map states it, else a morning that fits the frequency; None for what comes by windows or as needed."""
    return source.schedule.cron if source.schedule else _DEFAULT_CRONS.get(source.frequency)
