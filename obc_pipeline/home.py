"""Where things live in the folder of one district (`OBC_HOME`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The folder of one district: its documents, what it received, and what the pipeline made of it."""

    path: Path

    def __init__(self, path: Path | str) -> None:
        object.__setattr__(self, "path", Path(path).expanduser().resolve())

    # The documents, edited by people.
    @property
    def obc_yml(self) -> Path:
        return self.path / "obc.yml"

    @property
    def data_map_yml(self) -> Path:
        return self.path / "data_map.yml"

    @property
    def ci_structure_yml(self) -> Path:
        return self.path / "ci_structure.yml"

    @property
    def contracts(self) -> Path:
        return self.path / "contracts"

    # What arrives, and what is kept of it for ever.
    @property
    def landing(self) -> Path:
        return self.path / "landing"

    @property
    def archive(self) -> Path:
        return self.path / "archive"

    @property
    def objects(self) -> Path:
        return self.archive / "objects"

    @property
    def deliveries(self) -> Path:
        return self.archive / "deliveries"

    # What can be deleted and made again from archive and documents.
    @property
    def lake(self) -> Path:
        return self.path / "lake"

    @property
    def raw(self) -> Path:
        return self.lake / "raw"

    @property
    def restricted(self) -> Path:
        return self.lake / "restricted"

    @property
    def quarantine(self) -> Path:
        return self.lake / "quarantine"

    @property
    def file_reports(self) -> Path:
        return self.lake / "files"

    @property
    def document_tables(self) -> Path:
        return self.lake / "documents"

    @property
    def check_cache(self) -> Path:
        return self.lake / "checks"

    @property
    def warehouse(self) -> Path:
        return self.path / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.path / "published"

    @property
    def prepared(self) -> Path:
        """What each audience would be given next, by audience; nobody but the district reads it."""
        return self.published / ".prepared"

    @property
    def disclosure(self) -> Path:
        """Who was given what, for ever: log, students by release, snapshots, certificates of destruction."""
        return self.path / "disclosure"

    @property
    def secrets(self) -> Path:
        return self.path / ".secrets"

    @property
    def reports(self) -> Path:
        return self.path / "reports"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger"

    @property
    def dagster(self) -> Path:
        return self.path / ".dagster"

    @property
    def run_state(self) -> Path:
        """The fingerprint and result of the last finished run."""
        return self.path / "lake" / "last_run.json"

    @property
    def lock(self) -> Path:
        return self.path / ".lock"

    def object_path(self, sha256: str) -> Path:
        """Where the archive keeps the content with this hash."""
        return self.objects / sha256[:2] / sha256
