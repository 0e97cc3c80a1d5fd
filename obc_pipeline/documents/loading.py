"""Reads the documents of a home: `load` for a run, `validate` for a person who edits them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obc_pipeline.documents.ci_structure import CiStructure, Improvement, Releases, Workgroup
from obc_pipeline.documents.consumption import sources_of_contract
from obc_pipeline.documents.contract import Contract
from obc_pipeline.documents.data_map import DataMap, DataMapRow, Source
from obc_pipeline.documents.district import District, Intake, Settings
from obc_pipeline.documents.problem import DocumentsInvalid, Problem
from obc_pipeline.documents.reading import Reading, read_document
from obc_pipeline.documents.rules import Readings, judge
from obc_pipeline.home import Home
from obc_pipeline.sources import registry
from obc_pipeline.sources.declaration import Format

# The suites of this checkout; every document that names a suite means one of these.
EXPECTATIONS = Path(__file__).resolve().parents[2] / "expectations"


@dataclass(frozen=True)
class Documents:
    """The documents of a district, typed and judged: nothing here can be unknown or contradictory any more.

    obc: `obc.yml`. sources: by name. contracts: one per version, in order of id and version.
    """

    obc: Settings
    sources: Mapping[str, Source]
    data_map_rows: tuple[DataMapRow, ...]
    contracts: tuple[Contract, ...]
    workgroups: tuple[Workgroup, ...]
    improvement: Improvement
    releases: Releases

    @property
    def district(self) -> District:
        return self.obc.district

    @property
    def intake(self) -> Intake:
        return self.obc.intake

    def contract_sources(self, contract: Contract) -> tuple[str, ...]:
        """Every source whose failing critical check must stop this contract, by name."""
        return sources_of_contract(self.sources, contract)

    def content_hash(self) -> str:
        """SHA-256 over what the documents mean: comments, order of keys and spelling of numbers do not change it."""
        return _hash(
            {
                "obc": self.obc.model_dump(mode="json"),
                "sources": {name: source.model_dump(mode="json") for name, source in self.sources.items()},
                "rows": [row.model_dump(mode="json") for row in self.data_map_rows],
                "contracts": [contract.model_dump(mode="json") for contract in self.contracts],
                "workgroups": [workgroup.model_dump(mode="json") for workgroup in self.workgroups],
                "improvement": self.improvement.model_dump(mode="json"),
                "releases": self.releases.model_dump(mode="json"),
            }
        )


def contract_hash(contract: Contract) -> str:
    """SHA-256 over what one contract version means."""
    return _hash(contract.model_dump(mode="json"))


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def validate(home: Home, expectations: Path | None = None, formats: Mapping[str, Format] | None = None) -> list[Problem]:
    """Every problem of the home's documents, warnings included, in order of file and line.

    expectations: folder with the suites; that of this checkout unless given. formats: the declared formats unless given.
    Never raises for what the files hold.
    """
    return _judged(home, expectations, formats)[1]


def load(home: Home, expectations: Path | None = None, formats: Mapping[str, Format] | None = None) -> Documents:
    """The home's documents. Raises DocumentsInvalid when they have an error; warnings do not stop anything."""
    readings, problems = _judged(home, expectations, formats)
    settings, data_map, ci_structure = readings.settings.model, readings.data_map.model, readings.ci_structure.model
    if settings is None or data_map is None or ci_structure is None or any(problem.severity == "error" for problem in problems):
        raise DocumentsInvalid(problems)
    contracts = sorted(
        (contract for _, contract in readings.each_contract()), key=lambda contract: (contract.contract_id, contract.version)
    )
    return Documents(
        settings,
        dict(data_map.sources),
        data_map.rows,
        tuple(contracts),
        ci_structure.workgroups,
        ci_structure.improvement,
        ci_structure.releases,
    )


def _judged(home: Home, expectations: Path | None, formats: Mapping[str, Format] | None) -> tuple[Readings, list[Problem]]:
    readings = _read(home, expectations or EXPECTATIONS, registry() if formats is None else formats)
    return readings, judge(readings)


def _read(home: Home, expectations: Path, formats: Mapping[str, Format]) -> Readings:
    paths = sorted(path for path in home.contracts.glob("*") if path.suffix.lower() in (".yml", ".yaml")) if home.contracts.is_dir() else []
    contracts = [read_document(path, f"contracts/{path.name}", Contract) for path in paths]
    readings = Readings(
        settings=read_document(home.obc_yml, "obc.yml", Settings),
        data_map=read_document(home.data_map_yml, "data_map.yml", DataMap),
        ci_structure=read_document(home.ci_structure_yml, "ci_structure.yml", CiStructure),
        contracts=contracts,
        formats=formats,
        suites=frozenset(path.stem for path in expectations.glob("*.json")) if expectations.is_dir() else None,
    )
    if not contracts:
        nowhere: Reading[Contract] = Reading("contracts/", None, None)
        nowhere.warning(
            (), "There is no contract: nothing will be paid.", "one file per contract version in contracts/; `obc init` writes an example."
        )
        readings.contracts = [nowhere]
    return readings
