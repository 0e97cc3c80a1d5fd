"""Errors that people read: what they say, and how a database's own words are made safe to show."""

from __future__ import annotations

import re

_MAX_CHARACTERS = 400


class StepFailed(RuntimeError):
    """A step of a run could not be done. `stage` names it; the message holds no value of any row."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage


class HomeBusy(RuntimeError):
    """Another run is using the same home."""


class ArgumentWrong(ValueError):
    """An argument on the command line cannot be used: says what is wrong and what would be right."""


def scrub(text: str) -> str:
    """A message of DuckDB or dbt without what it may quote from a row.

    Both put values between quotes (`Could not convert string 'Ana' to INT32`, `Duplicate key "student_id: 0041"`), show the statement
    with its literals (`LINE 1: ...`), and write bare numbers. Words stay, so that one can still see what kind of thing went wrong.
    """
    text = re.split(r"\n\s*LINE \d+:", text, maxsplit=1)[0]
    text = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`", "…", text)
    text = re.sub(r"(?<![\w./])[-+]?\d[\d.,:\-]{2,}", "…", text)
    text = re.sub(r"['\"].*$", "…", text, flags=re.DOTALL)  # a quote that is never closed: drop the rest
    return " ".join(text.split())[:_MAX_CHARACTERS]


def describe(error: BaseException) -> str:
    """Type and scrubbed text of an unexpected error."""
    return f"{type(error).__name__}: {scrub(str(error))}"


def trace_without_values(error: BaseException) -> str:
    """The places an error came through, with types and scrubbed messages: for a log file, which must hold no value of a row either."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        trace = current.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            lines.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
            trace = trace.tb_next
        lines.append(describe(current))
        current = current.__cause__ or current.__context__
    return "\n".join(lines) + "\n"
