"""JSON Schemas of the documents, for editors: completion, hints and red lines while typing.

Each template names its schema in its first line (`# yaml-language-server: $schema=...`). A schema knows the form of one document;
what only the documents together can tell, and lines that cost money, `obc validate` finds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from obc_pipeline.documents.ci_structure import CiStructure
from obc_pipeline.documents.contract import Contract
from obc_pipeline.documents.data_map import DataMap
from obc_pipeline.documents.district import Settings

DIRECTORY = Path(__file__).parent / "schemas"

_DOCUMENTS: dict[str, tuple[type[BaseModel], str]] = {
    "obc": (Settings, "The district (obc.yml)"),
    "data_map": (DataMap, "The data map (data_map.yml)"),
    "contract": (Contract, "A contract version (contracts/*.yml)"),
    "ci_structure": (CiStructure, "The continuous-improvement structure (ci_structure.yml)"),
}


def schemas() -> dict[str, str]:
    """File name -> text of every schema."""
    return {f"{name}.schema.json": _text(model, title) for name, (model, title) in _DOCUMENTS.items()}


def write_schemas(directory: Path = DIRECTORY) -> list[Path]:
    """Writes every schema to the directory and returns the paths. To be run after a document's model has changed."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for file_name, text in schemas().items():
        path = directory / file_name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _text(model: type[BaseModel], title: str) -> str:
    schema = model.model_json_schema(mode="validation")
    schema = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": title,
        **{key: value for key, value in schema.items() if key != "title"},
    }
    return json.dumps(_without_noise(schema), indent=2, ensure_ascii=False) + "\n"


def _without_noise(schema: Any) -> Any:
    """The schema without the titles pydantic makes of class and field names."""
    if isinstance(schema, list):
        return [_without_noise(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs") and isinstance(value, dict):
            kept[key] = {name: _without_noise(part) for name, part in value.items()}
        elif key != "title" or "(" in str(value):  # our own titles name the file
            kept[key] = _without_noise(value)
    return kept
