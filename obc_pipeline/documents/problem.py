"""What is wrong in a document, where, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing to mend in a document.

    file:    path inside the home, with forward slashes (`contracts/CVSD-MATH-2026.yml`).
    line, column: 1-based place in that file; 1, 1 when the file as a whole is meant.
    severity: an `error` stops every run; a `warning` is only shown.
    message: what is wrong; would_be_right: what to write instead.
    """

    file: str
    line: int
    column: int
    severity: Severity
    message: str
    would_be_right: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message} Right would be: {self.would_be_right}"


class DocumentsInvalid(ValueError):
    """The documents cannot be used. `problems` holds everything found, warnings included, in order of file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.severity == "error"]
        noun = "problem" if len(errors) == 1 else "problems"
        super().__init__("\n".join([f"The documents have {len(errors)} {noun}:", *map(str, errors)]))


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """The known words as a hint: the nearest first when one is near (`did you mean 'math'? One of: math, reading`)."""
    choices = list(dict.fromkeys(known))
    if not choices:
        return "nothing can be named here yet"
    listed = "one of: " + ", ".join(choices)
    by_lower = {choice.lower(): choice for choice in choices}
    near = get_close_matches(written.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"`{by_lower[near[0]]}`? It must be {listed}." if near else f"{listed}."
