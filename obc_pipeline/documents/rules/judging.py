"""Runs every rule over the documents of a home."""

from __future__ import annotations

from obc_pipeline.documents.problem import Problem
from obc_pipeline.documents.rules import coverage, improvement, obligations, rate_card, releases, rows, settings, sources, terms, workgroups
from obc_pipeline.documents.rules.context import Readings

_SUBJECTS = (settings, sources, rows, terms, rate_card, obligations, coverage, workgroups, improvement, releases)


def judge(readings: Readings) -> list[Problem]:
    """Every problem of the documents, those of their own form included, in order of file and line, each once."""
    for subject in _SUBJECTS:
        subject.check(readings)
    found = {problem for reading in readings.all for problem in reading.problems}
    return sorted(found, key=lambda problem: (problem.file, problem.line, problem.column, problem.severity, problem.message))
