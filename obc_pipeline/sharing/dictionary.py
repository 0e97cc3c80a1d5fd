"""The data dictionary: one page made of the models themselves, so that it cannot say anything else than they do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from obc_pipeline.home import Home

_TEMPLATES = Path(__file__).parent / "templates"
_SCHEMAS = {
    "payable": "What is paid, and why",
    "process": "Whether students come, and how tutoring is given",
    "improvement": "The questions of continuous improvement",
    "roi": "What it costs, and what comes of it; each number with its kind",
    "core": "Students, schools, tests and sessions that the others rest on",
    "quality": "Whether the data can be trusted",
}


def dictionary_page(manifest: Mapping[str, Any]) -> str:
    """Every mart by schema, with description and columns (name, type, meaning), and a field to find one by any word."""
    marts = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and len(node["fqn"]) > 2 and node["fqn"][1] == "marts"
    ]
    groups = [
        {
            "schema": schema,
            "about": about,
            "marts": sorted((mart for mart in marts if mart["schema"] == schema), key=lambda mart: mart["name"]),
        }
        for schema, about in _SCHEMAS.items()
    ]
    missing = {mart["schema"] for mart in marts} - set(_SCHEMAS)
    assert not missing, f"schemas without a line about them: {missing}"
    return _template().render(groups=groups, count=len(marts), columns=sum(len(mart["columns"]) for mart in marts))


def write_dictionary(home: Home, manifest: Mapping[str, Any]) -> Path:
    """Writes `reports/data_dictionary.html`; it holds no data, only what the data mean."""
    home.reports.mkdir(mode=0o700, parents=True, exist_ok=True)
    target, aside = home.reports / "data_dictionary.html", home.reports / ".data_dictionary.new"
    aside.write_text(dictionary_page(manifest), encoding="utf-8")
    os.replace(aside, target)
    return target


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("dictionary.html.j2")
