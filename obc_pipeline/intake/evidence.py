"""Select: which files count at a cutoff, decided from receipts and reports alone, in order of arrival.

Newest arrival is not newest export. A file that is older inside than what it would replace, or that would lose more rows than
the district allows, is held until a person accepts its hash in `obc.yml`. The decision about a file depends only on
what came before it, so a run with an earlier cutoff sees exactly what a run on that day saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from obc_pipeline.intake.receive import Delivery
from obc_pipeline.intake.report import ContentReport, FileReport, ScopeReport
from obc_pipeline.sources import Table, registry

Status = Literal["CURRENT", "SUPERSEDED", "HELD", "REFUSED", "IGNORED"]

# How many records of a file also stand, with the same key, in any of the given newer files.
Overlap = Callable[["Judged", list["Judged"]], int]


@dataclass
class Judged:
    """A file, when it first came, and whether it counts.

    rank:   greater = later first arrival; the order in which files of a source override each other by key.
    scopes: for tables superseded by scope, what of it still counts; for tables superseded by key, everything it has.
    """

    source: str
    format: str
    report: FileReport
    received_at: datetime
    rank: int
    status: Status
    reason: str | None
    delivery_count: int = 1
    scopes: set[str] = field(default_factory=set)

    @property
    def table(self) -> Table | None:
        """The declared table it is of; None when it could not be recognised."""
        return registry()[self.format].table(self.report.table) if self.report.table else None


@dataclass(frozen=True)
class Evidence:
    """Everything received up to a cutoff, judged. `files` in order of first arrival."""

    cutoff: datetime
    deliveries: tuple[Delivery, ...]
    reports: Mapping[tuple[str, str], ContentReport]
    files: tuple[Judged, ...]

    def current(self, format_name: str, table_name: str) -> list[Judged]:
        """The files of one lake table that count."""
        return [f for f in self.files if f.status == "CURRENT" and (f.format, f.report.table) == (format_name, table_name)]

    def held(self) -> list[Judged]:
        """The files a person must look at."""
        return [f for f in self.files if f.status == "HELD"]


def select_evidence(
    deliveries: Iterable[Delivery],
    reports: Mapping[tuple[str, str], ContentReport],
    formats: Mapping[str, str],
    *,
    cutoff: datetime,
    max_drop_share: float,
    accepted_hashes: frozenset[str],
    overlap: Overlap,
) -> Evidence:
    """Judges every file that came up to the cutoff (inclusive).

    formats: source -> format. max_drop_share: 0-1, of the rows a file would replace. accepted_hashes: SHA-256 of files or deliveries that
    a person has looked at. overlap: counts shared keys; asked only for a file that is older inside than one before it.
    """
    counted = tuple(d for d in deliveries if d.received_at <= cutoff and d.source in formats)
    judge = _Judge(max_drop_share, accepted_hashes, overlap)
    for delivery in counted:
        report = reports[delivery.source, delivery.sha256]
        for file in report.files:
            judge.arrives(delivery, formats[delivery.source], file)
    return Evidence(cutoff, counted, reports, tuple(judge.files.values()))


class _Judge:
    """Takes files in order of arrival."""

    def __init__(self, max_drop_share: float, accepted_hashes: frozenset[str], overlap: Overlap) -> None:
        self.max_drop_share, self.accepted_hashes, self.overlap = max_drop_share, accepted_hashes, overlap
        self.files: dict[str, Judged] = {}
        self.holders: dict[
            tuple[str, str, str], list[Judged]
        ] = {}  # (source, table, scope) -> the bulk file that holds it, then its deltas

    def arrives(self, delivery: Delivery, format_name: str, report: FileReport) -> None:
        known = self.files.get(report.file_id)
        if known:
            # The same content again, under whatever name: it counts once, from its first arrival, so it never reverts anything.
            known.delivery_count += 1
            return
        file = Judged(delivery.source, format_name, report, delivery.received_at, len(self.files) + 1, "CURRENT", report.reason)
        self.files[report.file_id] = file
        if report.status != "READ":
            file.status = "REFUSED" if report.status == "REFUSED" else "IGNORED"
            return
        if report.rows_in and not report.accepted:
            # Another district's file, say: it replaces nothing, so there is nothing to hold.
            file.status, file.reason = "REFUSED", "none of its rows could be used"
            return
        table = file.table
        assert table is not None  # a file that was read has a table
        is_by_key = table.supersedes == "key" or report.load_kind == "delta"
        objections = self._replaces_newer(file) if is_by_key else self._loses(file, table)
        if objections and not self.accepted_hashes & {delivery.sha256, report.sha256}:
            file.status, file.reason = "HELD", "; ".join(objections)
            return
        self._takes_over(file, table)

    def _loses(self, file: Judged, table: Table) -> list[str]:
        """Why a file that replaces whole scopes should not, yet."""
        objections = []
        for scope in file.report.scopes:
            before = self._scope_held(file, scope.scope)
            if before is None:
                continue
            holder, old = before
            if _is_older(file.report, scope, holder.report, old):
                objections.append(f"older inside than the file it would replace{_named(scope.scope)}")
            elif table.is_short_file_guarded and scope.rows < old.rows * (1 - self.max_drop_share):
                objections.append(
                    f"{scope.rows:,} rows where {old.rows:,} stood before{_named(scope.scope)}: a drop of more than {self.max_drop_share:.0%}"
                )
        return objections[:3] + ([f"and {len(objections) - 3} more scopes"] if len(objections) > 3 else [])

    def _replaces_newer(self, file: Judged) -> list[str]:
        """Why a file whose rows replace others by key should not, yet."""
        newer = [f for f in self._same_table(file) if f.status == "CURRENT" and _is_older(file.report, None, f.report, None)]
        shared = self.overlap(file, newer) if newer else 0
        return [f"older inside than a file that came before it, and {shared:,} of its records stand there too"] if shared else []

    def _takes_over(self, file: Judged, table: Table) -> None:
        is_delta = file.report.load_kind == "delta"
        for scope in file.report.scopes or ():
            file.scopes.add(scope.scope)
            place = (file.source, table.name, scope.scope)
            if table.supersedes == "scope" and not is_delta:
                for before in self.holders.get(place, []):
                    before.scopes.discard(scope.scope)
                    if not before.scopes:
                        before.status, before.reason = "SUPERSEDED", "newer files cover all it covered"
                self.holders[place] = [file]
            else:
                self.holders.setdefault(place, []).append(file)

    def _scope_held(self, file: Judged, scope: str) -> tuple[Judged, ScopeReport] | None:
        holders = self.holders.get((file.source, file.report.table or "", scope))
        if not holders:
            return None
        holder = holders[0]
        return holder, next(s for s in holder.report.scopes if s.scope == scope)

    def _same_table(self, file: Judged) -> list[Judged]:
        return [f for f in self.files.values() if f is not file and (f.source, f.report.table) == (file.source, file.report.table)]


def _is_older(new: FileReport, new_scope: ScopeReport | None, old: FileReport, old_scope: ScopeReport | None) -> bool:
    """By the members' times in their zips where both have one, else by the latest date inside."""
    if new.changed_at and old.changed_at:
        return new.changed_at < old.changed_at
    new_at = new_scope.latest_at if new_scope else new.latest_at
    old_at = old_scope.latest_at if old_scope else old.latest_at
    return bool(new_at and old_at and new_at < old_at)


def _named(scope: str) -> str:
    return f" ({scope.replace('|', ', ')})" if scope else ""
