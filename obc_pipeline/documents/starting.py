"""Writes a first home: commented documents to change into one's own, the editor's schemas, and a landing folder per source."""

from __future__ import annotations

from pathlib import Path

from obc_pipeline.documents.loading import load
from obc_pipeline.documents.schemas import write_schemas
from obc_pipeline.home import Home

TEMPLATES = Path(__file__).parent / "templates"
FIRST_HOME = TEMPLATES / "first_home"
EXAMPLE_DISTRICT = TEMPLATES / "example_district"
# Homes with contracts shaped on public deals, parties fictional: one folder each.
EXAMPLE_CONTRACTS = TEMPLATES / "example_contracts"

# Everything but the documents: student data and what can be made again never belong in the documents' git.
_GITIGNORE = """# The documents are kept in git; what arrives and what is made of it is not.
landing/
archive/
lake/
ledger/
disclosure/
.secrets/
published/
reports/
.dagster/
warehouse.duckdb*
"""


class HomeInUse(ValueError):
    """The folder already has documents; nothing was written."""


def init_home(path: Path | str, template: Path = FIRST_HOME) -> list[Path]:
    """Writes the documents of `template` into the folder and returns the paths of the documents.

    Raises HomeInUse, having written nothing, when one of the documents is already there.
    """
    home = Home(path)
    documents = sorted(file.relative_to(template) for file in template.rglob("*.yml"))
    present = [str(document) for document in documents if (home.path / document).exists()]
    if present:
        raise HomeInUse(
            f"{home.path} already has {', '.join(present)}; nothing was written. Choose another folder, or move them away first."
        )
    for document in documents:
        target = home.path / document
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((template / document).read_bytes())
    write_schemas(home.path / ".schemas")
    ignored = home.path / ".gitignore"
    if not ignored.exists():
        ignored.write_text(_GITIGNORE, encoding="utf-8")
    for source in load(home).sources:
        (home.landing / source).mkdir(parents=True, exist_ok=True)
    return [home.path / document for document in documents]
