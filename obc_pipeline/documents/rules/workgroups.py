"""Rules about the continuous-improvement structure: known audiences, no double names, meetings as often as the contracts say."""

from __future__ import annotations

from obc_pipeline.documents.ci_structure import CADENCE_DAYS, Workgroup
from obc_pipeline.documents.contract import Contract
from obc_pipeline.documents.rules.context import Readings
from obc_pipeline.documents.rules.settings import audience_problem


def check(readings: Readings) -> None:
    reading = readings.ci_structure
    if reading.model is None:
        return
    seen: set[str] = set()
    for index, workgroup in enumerate(reading.model.workgroups):
        here = ("workgroups", index)
        if workgroup.workgroup_id in seen:
            reading.error((*here, "workgroup_id"), f"Two workgroups have the id `{workgroup.workgroup_id}`.", "each with its own id.")
        seen.add(workgroup.workgroup_id)
        wrong = audience_problem(readings, workgroup.audience, may_be_every=True)
        if wrong:
            reading.error((*here, "audience"), *wrong)
        elif workgroup.audience.startswith(("district", "public")) and any(
            "vendor" in member.lower() or "provider" in member.lower() for member in workgroup.members
        ):
            reading.warning(
                (*here, "audience"),
                f"The vendor sits in {workgroup.name}, which sees everything of the audience {workgroup.audience}, other vendors' students included.",
                "audience: vendor (each vendor its own students).",
            )
        review = workgroup.data_review_cadence
        if review and CADENCE_DAYS[review] < CADENCE_DAYS[workgroup.cadence]:
            reading.warning(
                (*here, "data_review_cadence"),
                f"{workgroup.name} reviews data more often than it meets.",
                f"{workgroup.cadence} or less often.",
            )
    if reading.is_whole("workgroups"):
        _check_gaps(readings, reading.model.workgroups)


def _check_gaps(readings: Readings, workgroups: tuple[Workgroup, ...]) -> None:
    """Each contract says how long district and provider may go without meeting (at most two weeks unless stated)."""
    for contract_reading, contract in readings.each_contract():
        with_vendor = [group for group in workgroups if _meets_provider(group, contract)]
        if any(CADENCE_DAYS[group.cadence] <= contract.ci_meeting_max_gap_days for group in with_vendor):
            continue
        contract_reading.warning(
            ("ci_meeting_max_gap_days",),
            f"District and provider are to meet at least every {contract.ci_meeting_max_gap_days} days; no workgroup with {contract.provider_id} does.",
            "a workgroup in ci_structure.yml with the audience vendor and a shorter cadence, or a longer gap in the contract.",
        )


def _meets_provider(workgroup: Workgroup, contract: Contract) -> bool:
    return workgroup.audience in ("vendor", "school", f"vendor-{contract.provider_id}")
