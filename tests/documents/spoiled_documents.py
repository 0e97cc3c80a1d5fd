"""A copy of the example district's documents to spoil, and a way to look at what is said about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from obc_pipeline.documents import Problem, validate
from obc_pipeline.home import Home

MATH = "contracts/CVSD-MATH-2026.yml"
READ = "contracts/CVSD-READ-2026.yml"


@dataclass
class Spoiled:
    """A home whose documents a test changes."""

    home: Home

    def text(self, file: str) -> str:
        return (self.home.path / file).read_text(encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        path = self.home.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, file: str, old: str, new: str, count: int = 1) -> None:
        """Replaces the first `count` occurrences of a text that must be there."""
        text = self.text(file)
        assert old in text, f"{old!r} is not in {file}"
        self.write(file, text.replace(old, new, count))

    def problems(self, severity: str | None = None) -> list[Problem]:
        return [problem for problem in validate(self.home) if severity in (None, problem.severity)]

    def said(self, fragment: str) -> Problem:
        """The one problem whose message contains the fragment."""
        found = [problem for problem in self.problems() if fragment in problem.message]
        assert len(found) == 1, f"{len(found)} problems say {fragment!r}; all: " + "\n".join(map(str, self.problems()))
        return found[0]

    def line(self, problem: Problem) -> str:
        return self.text(problem.file).splitlines()[problem.line - 1]


Change = Callable[[Spoiled], None]
