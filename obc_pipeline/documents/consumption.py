"""Which sources a contract consumes: those whose failing critical check must stop its payments (law 7)."""

from __future__ import annotations

from collections.abc import Mapping

from obc_pipeline.documents.contract import Contract
from obc_pipeline.documents.data_map import Source, instrument_format

_LISTS = ("contract_roster", "sis_attendance", "school_calendar", "oneroster")


def sources_of_contract(sources: Mapping[str, Source], contract: Contract) -> tuple[str, ...]:
    """Names in order: the tests of its rate card, its provider's sessions, the lists, and the evidence of its obligations.

    Program flags only when a line pays more for a program; exit tickets never, since nothing is paid on them.
    """
    # Another provider's session log is no source of this contract, whatever its lines are paid on.
    tests = {instrument_format(line.instrument) for line in contract.rate_card} - {"tutoring_sessions"}
    evidence = {obligation.evidence_source for obligation in contract.obligations}
    uses_programs = any(line.uplift for line in contract.rate_card)
    found = []
    for name, source in sources.items():
        is_own_subject = source.subject in (None, contract.subject)
        is_consumed = (
            (source.format in tests and is_own_subject)
            or (source.format == "tutoring_sessions" and source.provider_id == contract.provider_id and is_own_subject)
            or source.format in _LISTS
            or (source.format == "program_flags" and uses_programs)
            or name in evidence
        )
        if is_consumed:
            found.append(name)
    return tuple(sorted(found))
