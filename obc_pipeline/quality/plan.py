"""The checks that will be run, known before any data is read: for asset checks, validation of the documents, and people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from obc_pipeline.quality.intake_checks import INTAKE_CHECKS
from obc_pipeline.quality.suites import Severity, Suite, read_suite, suite_names
from obc_pipeline.sources import registry


@dataclass(frozen=True)
class PlannedCheck:
    """A check by what is known beforehand.

    check_id:    as in `intake.check_result`; of a mart's check without its contract: `<schema>.<mart>.<expectation>`.
    table:       lake table or mart; None for what intake itself knows. name: the expectation's id, or the intake check's name.
    severity:    as in the suite; a run lowers it where only measures that are not trusted yet are served.
    description: what would be right, in plain words.
    """

    check_id: str
    table: str | None
    name: str
    severity: Severity
    column_name: str | None
    description: str
    is_row_rule: bool


def source_checks(source: str, format_name: str, directory: Path | None = None) -> tuple[PlannedCheck, ...]:
    """The checks of one source of the data map: its suites, table by table, then intake's."""
    planned = [
        check
        for name in suite_names(directory)
        if name.startswith(f"{format_name}__") and (suite := read_suite(name, directory))
        for check in _of_suite(suite, f"{source}.{name.partition('__')[2]}", name.partition("__")[2])
    ]
    for name, (severity, description) in INTAKE_CHECKS.items():
        planned.append(PlannedCheck(f"{source}.intake.{name}", None, name, severity, None, description, False))
    return tuple(planned)


def mart_checks(directory: Path | None = None) -> tuple[PlannedCheck, ...]:
    """The checks of every mart that has a suite; each is run once per contract."""
    marts = [name for name in suite_names(directory) if name.partition("__")[0] not in registry()]
    suites = [suite for suite in (read_suite(name, directory) for name in marts) if suite]
    return tuple(check for suite in suites for check in _of_suite(suite, suite.name.replace("__", ".", 1), suite.name.partition("__")[2]))


def _of_suite(suite: Suite, subject: str, table: str) -> list[PlannedCheck]:
    return [PlannedCheck(f"{subject}.{e.id}", table, e.id, e.severity, e.subject, e.reason, e.is_row_rule) for e in suite.expectations]
