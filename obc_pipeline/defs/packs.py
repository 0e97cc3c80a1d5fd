"""packs: one asset per workgroup, made from what is published, on the workgroup's cadence. Nothing is sent to anybody."""

from collections.abc import Sequence

import dagster as dg

from obc_pipeline.defs import naming
from obc_pipeline.defs.district import District
from obc_pipeline.documents import Documents
from obc_pipeline.documents.ci_structure import Workgroup
from obc_pipeline.packs.making import preview_packs

_CRONS = {
    "WEEKLY": "0 7 * * 1",
    "BIWEEKLY": "0 7 * * 1",
    "MONTHLY": "0 7 1 * *",
    "QUARTERLY": "0 7 1 */3 *",
    "YEARLY": "0 7 1 7 *",
}


def pack_assets(documents: Documents) -> list[dg.AssetsDefinition]:
    """The packs of every workgroup of `ci_structure.yml`."""
    return [_pack_asset(group) for group in documents.workgroups]


def pack_schedules(documents: Documents, packs: Sequence[dg.AssetsDefinition]) -> list[dg.ScheduleDefinition]:
    """One per workgroup that meets regularly, on the morning before it may meet; off until switched on."""
    return [
        dg.ScheduleDefinition(
            name=f"pack_{naming.safe(group.workgroup_id)}_{group.cadence.lower()}",
            target=dg.AssetSelection.assets(pack),
            cron_schedule=_CRONS[group.cadence],
            execution_timezone=documents.obc.timezone,
            description=f"The pack of {group.name}, which meets {group.cadence.lower()}.",
        )
        for group, pack in zip(documents.workgroups, packs, strict=True)
        if group.cadence in _CRONS
    ]


def _pack_asset(group: Workgroup) -> dg.AssetsDefinition:
    @dg.asset(
        key=naming.pack_key(group.workgroup_id),
        deps=[naming.PUBLISHED],
        group_name="packs",
        owners=[naming.TRANSFORMATION_OWNER],
        pool=naming.POOL,
        kinds={"html", "pdf"},
        description=(
            f"`reports/packs/`: what {group.name} reads before it meets ({group.cadence.lower()}), for audience {group.audience}: "
            "a page and a PDF in the order of its agenda. Only the district reads it until somebody releases it."
        ),
    )
    def pack(context: dg.AssetExecutionContext, district: District) -> dg.MaterializeResult:
        written = preview_packs(district.run.home, district.run.documents, group.workgroup_id, progress=context.log.info)
        # Paths name the audience and the day, never a student.
        return dg.MaterializeResult(
            metadata={
                "files": len(written),
                "folder": dg.MetadataValue.path(str(written[0].parent)),
                "names": ", ".join(path.name for path in written),
            }
        )

    return pack
