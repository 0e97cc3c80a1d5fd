"""landing and archive: one asset per source of the data map for what senders bring, and one for what is kept of it for ever."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

import dagster as dg

from obc_pipeline.defs import naming
from obc_pipeline.defs.district import District
from obc_pipeline.documents import Documents, Source
from obc_pipeline.quality.freshness import PERIOD_DAYS
from obc_pipeline.quality.intake_checks import INTAKE_CHECKS
from obc_pipeline.sources import registry


def landing_specs(documents: Documents) -> list[dg.AssetSpec]:
    """The feeds as external assets: senders make them, the pipeline only sees them arrive."""
    return [
        dg.AssetSpec(
            naming.landing_key(source.name),
            group_name="landing",
            description=_feed_description(source),
            owners=[naming.owner(source.owner_role)],
            kinds={"file"},
            metadata={
                "folder": f"landing/{source.name}/",
                "system": source.system,
                "frequency": source.frequency,
                "expected delay (hours)": source.delay_hours,
                "student id": source.student_id_is or "none",
                "data map rows": ", ".join(row.row_id for row in documents.data_map_rows if source.name in row.source_names) or "none",
            },
            freshness_policy=freshness_policy(source),
        )
        for source in documents.sources.values()
    ]


def landing_check_specs(documents: Documents) -> list[dg.AssetCheckSpec]:
    """Has it arrived, is it fresh as of the run's date, was anything held or refused, can it be read."""
    return [
        dg.AssetCheckSpec(
            name,
            asset=naming.landing_key(source),
            description=f"{right} ({severity}).{what_it_stops(severity, consumers(documents, source))}",
            metadata={"severity": severity},
        )
        for source in documents.sources
        for name, (severity, right) in INTAKE_CHECKS.items()
    ]


def consumers(documents: Documents, source: str) -> list[str]:
    """The contracts that consume a source, by id."""
    return sorted({contract.contract_id for contract in documents.contracts if source in documents.contract_sources(contract)})


def what_it_stops(severity: str, contracts: Sequence[str]) -> str:
    """A sentence for the check's description: Dagster calls the check non-blocking, because it stops contracts, not steps."""
    if severity != "critical" or not contracts:
        return ""
    return f" Where it fails, {', '.join(contracts)} {'is' if len(contracts) == 1 else 'are'} stopped; the rest goes on."


def receive_asset(documents: Documents) -> dg.AssetsDefinition:
    """One step archives everything that has landed."""
    specs = [
        dg.AssetSpec(
            naming.archive_key(source.name),
            deps=[naming.landing_key(source.name)],
            group_name="archive",
            description=(
                f"Every delivery of {source.system}, kept read-only under its SHA-256 before anything reads it, with a receipt. "
                "Nothing received is lost, and everything after can be made again from here."
            ),
            owners=[naming.owner(source.owner_role)],
            kinds={"file"},
        )
        for source in documents.sources.values()
    ]

    @dg.multi_asset(name="receive", specs=specs, pool=naming.POOL)
    def receive(context: dg.AssetExecutionContext, district: District) -> Iterator[dg.MaterializeResult]:
        received = district.run.receive()
        new = Counter(delivery.source for delivery in received.deliveries)
        size = Counter[str]()
        for delivery in received.deliveries:
            size[delivery.source] += delivery.size_bytes
        waiting = Counter(left.source for left in received.waiting)
        for source in documents.sources:
            if new[source]:
                # Only an arrival makes a feed fresh; a run that found nothing says nothing about the sender.
                arrived = dg.AssetMaterialization(naming.landing_key(source), metadata={"files": new[source], "bytes": size[source]})
                context.log_event(arrived)
            yield dg.MaterializeResult(
                naming.archive_key(source),
                metadata={
                    "new deliveries": new[source],
                    "new bytes": size[source],
                    "left in landing": waiting[source],
                    "receipts": len(list((district.run.home.deliveries / source).glob("*.json"))),
                },
            )

    return receive


def freshness_policy(source: Source) -> dg.FreshnessPolicy | None:
    """Periodic feeds must arrive within their period and delay, by the wall clock. Test windows fit no clock: the check `fresh` judges them."""
    if source.frequency not in PERIOD_DAYS or source.frequency == "YEARLY":
        return None
    period = timedelta(days=PERIOD_DAYS[source.frequency])
    # A day of grace between late and missing.
    return dg.FreshnessPolicy.time_window(
        warn_window=period + timedelta(hours=source.delay_hours), fail_window=period + timedelta(hours=source.delay_hours, days=1)
    )


def _feed_description(source: Source) -> str:
    timing = {
        "PER_WINDOW": "after every test window: the check `fresh` compares its last arrival with the windows of the contracts",
        "YEARLY": "once a year: the check `fresh` compares its last arrival with the contracts' dates",
        "AS_NEEDED": "as needed",
    }.get(source.frequency, f"{source.frequency.lower()}, by the freshness policy (wall clock) and the check `fresh` (as-of date)")
    title = registry()[source.format].title
    return f"**{title}** from {source.system}. {source.access_method}.\n\nOwner: {source.owner_role}. Comes {timing}."
