"""Writes statements to `reports/statements/`: for each reader one workbook and one PDF, aside first and then swapped in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from obc_pipeline.documents import load
from obc_pipeline.home import Home
from obc_pipeline.reports.printed import write_pdf
from obc_pipeline.reports.statement import AUDIENCES, Statement, read_statement
from obc_pipeline.reports.workbook import write_workbook


def write_statement(home: Home, contract_id: str, statement: int | None = None) -> list[Path]:
    """Writes the statement for every reader and returns the files, procurement's first.

    statement: number of a posted one; None for what is proposed, or for the last posted one when nothing is.
    The same statement of the same ledger and run gives the same bytes. Writing the posted statement removes the files that had proposed it.
    Raises ArgumentWrong when there is no such statement, and what `propose` raises.
    """
    documents = load(home)
    folder = home.reports / "statements"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written: list[Path] = []
    for audience in AUDIENCES:
        content = read_statement(home, contract_id, statement, audience, documents)
        for suffix, write in ((".xlsx", write_workbook), (".pdf", write_pdf)):
            path = folder / f"{_stem(content)}{suffix}"
            _swap_in(path, content, write)
            written.append(path)
            if content.is_posted:
                (folder / f"{_stem(content, is_posted=False)}{suffix}").unlink(missing_ok=True)
    return written


def _stem(content: Statement, *, is_posted: bool | None = None) -> str:
    posted = content.is_posted if is_posted is None else is_posted
    kind = "statement" if posted else "PROPOSED"
    reader = "" if content.audience == "procurement" else f"_{content.audience}"
    return f"{quote(content.contract_id, safe=' ()+,=@')}_{kind}_{content.number:04d}{reader}"


def _swap_in(path: Path, content: Statement, write: Callable[[Statement, Path], None]) -> None:
    aside = path.with_name(f".{path.name}.partial")
    write(content, aside)
    aside.chmod(0o600)
    os.replace(aside, path)
