"""A one-page summary of one student for the family, on request, in plain language. Never a price: what a school pays is not about a child."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from obc_pipeline.documents import Documents
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home
from obc_pipeline.packs.making import DISTRICT
from obc_pipeline.packs.reader import Reader, Row, open_reader
from obc_pipeline.packs.values import written

_TEMPLATES = Path(__file__).parent / "templates"
_TESTS = {
    "CGP": "Growth on the MAP test, compared with students across the country who started at the same score: {value} out of 99. 50 is the middle.",
    "SGP": "Growth on the Star test, compared with students across the country who started at a like score: {value} out of 99. 50 is the middle.",
    "PROFICIENCY_LEVEL": "Level on the state test: {value}. The goal of the program is level {threshold} or above.",
}


@dataclass(frozen=True)
class Program:
    """What one tutoring program was for the student: its subject, who gives it, and sentences about it."""

    subject: str
    provider: str
    attendance: str
    minutes: str
    tutor: str
    results: list[str]
    next_step: str


def write_family_summary(home: Home, documents: Documents, student_id: str) -> Path:
    """`reports/packs/family/<hash>_<as of>.html`: the name of the file does not tell whose it is; the page holds the student id, no name.

    Raises ArgumentWrong when nothing is published, or when no contract has the student on its roster.
    """
    marts = home.published / DISTRICT / "marts.duckdb"
    if not marts.exists():
        raise ArgumentWrong("nothing has been published yet: run `obc run` first")
    with open_reader(marts) as reader:
        programs = _programs(reader, student_id)
        if not programs:
            raise ArgumentWrong("no contract has a student of that id on its roster; ids are the district's own, with their leading zeros")
        text = _template().render(district=documents.obc.district.name, as_of=reader.as_of, student_id=student_id, programs=programs)
        name = f"{hashlib.sha256(f'{reader.run_id}|{student_id}'.encode()).hexdigest()[:16]}_{reader.as_of}.html"
    folder = home.reports / "packs" / "family"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target, aside = folder / name, folder / f".{name}.new"
    aside.touch(mode=0o600)
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, target)
    return target


def _programs(reader: Reader, student_id: str) -> list[Program]:
    rows = reader.rows(
        """
        select tutoring.*, contract.subject, contract.provider_name
        from process.msr_student_tutoring as tutoring
        inner join payable.rpt_contract_summary as contract on tutoring.contract_id = contract.contract_id
        where tutoring.student_id = ? order by contract.subject, tutoring.contract_id
        """,
        [student_id],
    )
    return [_program(reader, row) for row in rows]


def _program(reader: Reader, row: Row) -> Program:
    attended, offered = row["attendance_numerator"], row["attendance_denominator"]
    if offered:
        attendance = f"Came to {attended} of {offered} sessions that took place ({written(row['attendance_rate'], 'rate')})."
    elif row["sessions_attended"] is not None:
        attendance = f"Came to {row['sessions_attended']} sessions."
    else:
        attendance = "The tutoring provider has not told the school yet which sessions took place."
    minutes = f"That is {int(row['attended_minutes'] / 60)} hours of tutoring." if row["attended_minutes"] else ""
    same = row["same_tutor_share"]
    tutor = f"{written(same, 'rate')} of these sessions were with the same tutor." if same is not None else ""
    return Program(
        subject="mathematics" if row["subject"] == "math" else str(row["subject"]),
        provider=row["provider_name"],
        attendance=attendance,
        minutes=minutes,
        tutor=tutor,
        results=_results(reader, row),
        next_step=_next_step(row),
    )


def _results(reader: Reader, row: Row) -> list[str]:
    decided = reader.rows(
        """
        select metric, metric_value, threshold_value, end_window from payable.fct_payment_decision
        where contract_id = ? and student_id = ? and metric_value is not null order by end_tested_on, line_id
        """,
        [row["contract_id"], row["student_id"]],
    )
    said = []
    for result in decided:
        form = next((text for start, text in _TESTS.items() if result["metric"].startswith(start)), None)
        if form:
            window = {"FALL": "Fall", "WINTER": "Winter", "SPRING": "Spring"}.get(result["end_window"], result["end_window"])
            said.append(f"{window}. " + form.format(value=_plain(result["metric_value"]), threshold=_plain(result["threshold_value"])))
    return said


def _next_step(row: Row) -> str:
    if not row["is_active"]:
        return "The program is over for this school year. The school can tell you what comes next."
    if row["is_persistently_absent"]:
        return (
            "Sessions were missed often in the last weeks. Please call the school: another time of day or another way of meeting may help."
        )
    if row["is_on_pace"]:
        return "Keep going: your student is coming often enough for tutoring to help most."
    return "Please help your student to come to every session: tutoring helps most when it is regular."


def _plain(value: Any) -> str:
    return "—" if value is None else f"{value.normalize():f}"


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("family.html.j2")
