"""What a rule may look at: every document as far as it could be read, the formats, and the suites that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from obc_pipeline.documents.ci_structure import CiStructure
from obc_pipeline.documents.contract import Contract
from obc_pipeline.documents.data_map import DataMap, DataMapRow, Source
from obc_pipeline.documents.district import Settings
from obc_pipeline.documents.reading import Reading
from obc_pipeline.sources.declaration import Format


@cache
def time_zones() -> frozenset[str]:
    """Every time zone this machine knows; empty when it has no time zone database, and then nothing is said about zones."""
    return frozenset(available_timezones())


@dataclass
class Readings:
    """The documents of one home with their places.

    formats: every declared format by name. suites: names of the suites in expectations/; None when there is no such folder.
    """

    settings: Reading[Settings]
    data_map: Reading[DataMap]
    ci_structure: Reading[CiStructure]
    contracts: list[Reading[Contract]]
    formats: Mapping[str, Format]
    suites: frozenset[str] | None

    @property
    def all(self) -> list[Reading]:
        return [self.settings, self.data_map, self.ci_structure, *self.contracts]

    @property
    def sources(self) -> dict[str, Source]:
        """The sources that could be read, by name."""
        return dict(self.data_map.model.sources) if self.data_map.model else {}

    @property
    def rows(self) -> tuple[DataMapRow, ...]:
        return self.data_map.model.rows if self.data_map.model else ()

    @property
    def knows_all_sources(self) -> bool:
        """False when some source could not be read: then nothing is said about a source that seems to be missing."""
        return self.data_map.model is not None and self.data_map.is_whole("sources")

    @property
    def knows_all_rows(self) -> bool:
        return self.data_map.model is not None and self.data_map.is_whole("rows")

    @property
    def knows_all_contracts(self) -> bool:
        """False when some contract could not be read as a whole file."""
        return all(reading.model is not None for reading in self.contracts)

    def is_written_source(self, name: str) -> bool:
        """Whether the data map has a source of that name, even one that could not be read."""
        root = self.data_map.root
        written = root.child("sources") if root else None
        return name in self.sources or (written is not None and written.child(name) is not None)

    def each_contract(self) -> Iterator[tuple[Reading[Contract], Contract]]:
        """Every contract that could be read, with its places."""
        for reading in self.contracts:
            if reading.model is not None:
                yield reading, reading.model

    def sources_of(self, format_name: str, subject: str | None = None, provider_id: str | None = None) -> list[Source]:
        """Sources of a format; of a provider, when given; a source that names another subject than `subject` is left out."""
        return [
            source
            for source in self.sources.values()
            if source.format == format_name
            and (provider_id is None or source.provider_id == provider_id)
            and (subject is None or source.subject in (None, subject))
        ]
