"""Law: whatever happens to a valid document, it validates or has problems with a place; nothing is ever raised, and `load` agrees."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obc_pipeline.documents import DocumentsInvalid, load, validate, write_tables
from obc_pipeline.documents.starting import EXAMPLE_DISTRICT
from obc_pipeline.home import Home

_FILES = ["obc.yml", "data_map.yml", "ci_structure.yml", "contracts/CVSD-MATH-2026.yml", "contracts/CVSD-READ-2026.yml"]
_BITS = [
    "", ":", ": ", "- ", "-", "{", "}", "[", "]", ",", "'", '"', "\t", "  ", "#", "&a", "*a", "!x", "|", ">", "null", "~", "0", "-1", "1e9", "99999999999999999999",
    "NaN", "inf", "2026-13-45", "true", "é", "\ufeff", "\x00", "\u2028", "---", "...", "%", "@", "`", "?", "<<: *a", "0/0", "1/0", "50%", "[[[[", "a: {b: [",
]  # fmt: skip


@st.composite
def damage(draw: st.DrawFn) -> tuple[str, str]:
    """A file of the example district, and its text with one to three lines deleted, doubled, moved, indented or altered."""
    file = draw(st.sampled_from(_FILES))
    lines = (EXAMPLE_DISTRICT / file).read_text(encoding="utf-8").splitlines()
    for _ in range(draw(st.integers(1, 3))):
        _damage(draw, lines)
    return file, "\n".join(lines) + "\n"


def _damage(draw: st.DrawFn, lines: list[str]) -> None:
    at = draw(st.integers(0, max(len(lines) - 1, 0)))
    how = draw(st.sampled_from(["delete", "double", "move", "indent", "outdent", "cut", "insert", "value", "key", "swap"]))
    line = lines[at] if lines else ""
    bit = draw(st.sampled_from(_BITS))
    if how == "delete":
        del lines[at : at + draw(st.integers(1, 5))]
    elif how == "double":
        lines.insert(at, line)
    elif how == "move":
        lines.insert(draw(st.integers(0, len(lines))), line)
    elif how == "indent":
        lines[at : at + 1] = [draw(st.sampled_from([" ", "  ", "\t"])) + line]
    elif how == "outdent":
        lines[at : at + 1] = [line[draw(st.integers(1, 4)) :]]
    elif how == "cut":
        lines[at : at + 1] = [line[: draw(st.integers(0, len(line)))]]
    elif how == "insert":
        place = draw(st.integers(0, len(line)))
        lines[at : at + 1] = [line[:place] + bit + line[place:]]
    elif how == "value":
        lines[at : at + 1] = [line.split(":")[0] + ": " + bit]
    elif how == "key":
        lines[at : at + 1] = [bit + line.strip()]
    elif len(lines) > 1:
        other = draw(st.integers(0, len(lines) - 1))
        lines[at], lines[other] = lines[other], lines[at]


def _judge(file: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(EXAMPLE_DISTRICT, Path(folder) / "home")
        home = Home(Path(folder) / "home")
        (home.path / file).write_bytes(content)
        problems = validate(home)
        for problem in problems:
            assert problem.line >= 1
            assert problem.column >= 1
            assert problem.message
            assert problem.would_be_right
            assert problem.file == file or (home.path / problem.file).exists()
        if any(problem.severity == "error" for problem in problems):
            with pytest.raises(DocumentsInvalid):
                load(home)
        else:
            write_tables(load(home), home.document_tables)


@settings(max_examples=25, deadline=None)
@given(damage())
def test_damaged_lines(damaged: tuple[str, str]) -> None:
    file, text = damaged
    _judge(file, text.encode("utf-8", "surrogatepass"))


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(damage())
def test_damaged_lines_at_length(damaged: tuple[str, str]) -> None:
    file, text = damaged
    _judge(file, text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("seed", range(12))
def test_damaged_bytes(seed: int) -> None:
    """Bytes changed, lost or added anywhere: half-written files, wrong encodings, a disk that lies."""
    chance = random.Random(seed)
    file = chance.choice(_FILES)
    content = bytearray((EXAMPLE_DISTRICT / file).read_bytes())
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content))
        kind = chance.choice(["change", "cut", "add"])
        if kind == "change":
            content[at] = chance.randrange(256)
        elif kind == "cut":
            del content[at : at + chance.randint(1, 400)]
        else:
            content[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 20)))
    _judge(file, bytes(content))
