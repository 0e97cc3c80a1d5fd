"""The districts of the three example contracts: their documents as they are, and a school year of files that those contracts are paid on.

Everything a contract states (who is served, how often, for how long, how many sessions it asks for) is read from its document; only
how large the district is, and how well it went, is made up here.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from obc_pipeline.documents import Contract, Documents, load
from obc_pipeline.documents.starting import EXAMPLE_CONTRACTS
from obc_pipeline.home import Home
from obc_pipeline.synthetic import assessment_files, district_files, vendor_files
from obc_pipeline.synthetic.attendance import EXCUSED, PRESENT_CODE, TARDY, UNEXCUSED, SchoolAttendance, make_attendance
from obc_pipeline.synthetic.chance import Ints
from obc_pipeline.synthetic.landing import Landing, Table
from obc_pipeline.synthetic.map_growth import make_map_tests
from obc_pipeline.synthetic.people import Schools, Students, let_people_move, make_schools, make_students
from obc_pipeline.synthetic.register import connect, register_people
from obc_pipeline.synthetic.rulings import Ruling, session_id
from obc_pipeline.synthetic.school_year import DISTRICT_ID, DISTRICT_NAME, SchoolYear
from obc_pipeline.synthetic.star_reading import StarTests, make_star_tests
from obc_pipeline.synthetic.tutoring import REASONS, Program, Roster, Sessions, Tutoring, Visits, make_roster, make_tutoring

_Arrays = TypeVar("_Arrays", Roster, Sessions, Visits)
EXAMPLES: tuple[str, ...] = tuple(sorted(path.name for path in EXAMPLE_CONTRACTS.iterdir() if path.is_dir()))
FEWEST_STUDENTS = 1_000
# Of the grades served, so many are tutored: the four vendors of growth_with_penalties need room beside each other.
_SHARE_TUTORED = 0.60
_TUTORED_AT_LEAST = 30
_DAYS = {2: ((0, 2), (1, 3)), 3: ((0, 1, 3), (1, 2, 3)), 4: ((0, 1, 2, 3),), 5: ((0, 1, 2, 3, 4),)}
# Sessions are planned a little longer than the contract asks, as schedules are.
_SPARE_MINUTES = 15
_SKIP_RATE = 0.03
_MIDDLE_SCHOOLS = 9
_ENOUGH_STUDENTS_FOR_THEM = 23_000
# Kindergarten and grade 1 sit Star Early Literacy, grade 2 and up Star Reading.
_LAST_EARLY_GRADE = 1
_EARLY_COLUMNS = {"LexileRange", "LiteracyClassification"}
_READING_COLUMNS = {
    "Grade3_AssessmentAttempts", "Grade3_PassingStatus", "Grade3_PassingScore", "InstructionalReadingLevel", "EstimatedOralReadingFluency",
    "LowerZoneOfProximalDevelopment", "UpperZoneOfProximalDevelopment", "LowerLexileZoneOfProximalDevelopment",
    "UpperLexileZoneOfProximalDevelopment", "Lexile",
}  # fmt: skip


def generate_example(home_path: Path | str, example: str, students: int, seed: int, progress: Callable[[str], None] | None = None) -> None:
    """Writes the example's documents and the `landing/` of its district; the same arguments give the same bytes.

    Raises ValueError for an unknown example or below 1,000 students, FileExistsError when the home has documents or files already.
    """
    if example not in EXAMPLES:
        raise ValueError(f"no example is called {example!r}; there are: {', '.join(EXAMPLES)}")
    if students < FEWEST_STUDENTS:
        raise ValueError(f"a synthetic district has at least {FEWEST_STUDENTS:,} students, not {students:,}")
    home, say = Home(home_path), progress or (lambda text: None)
    if home.obc_yml.exists() or (home.landing.exists() and any(home.landing.rglob("*"))):
        raise FileExistsError(f"{home.path} is not empty: generate into a new folder")
    _copy_documents(home, example)
    documents = load(home)
    with tempfile.TemporaryDirectory() as scratch:
        connection = connect(seed)
        landing = _ExampleLanding.of(documents, Landing(home.landing, Path(scratch), connection))
        _write_year(landing, documents, students, seed, say)
        connection.close()
    say(f"{sum(path.is_file() for path in home.landing.rglob('*'))} files in {home.landing}")


def _copy_documents(home: Home, example: str) -> None:
    """The example's documents; its files carry their arrival in their own time, and obc.yml says so."""
    shutil.copytree(EXAMPLE_CONTRACTS / example, home.path, dirs_exist_ok=True, copy_function=shutil.copyfile)
    text = home.obc_yml.read_text(encoding="utf-8").rstrip("\n")
    text += "\n\nintake:\n  received_at_from: file_time  # synthetic files carry their arrival in their modification time\n  settle_seconds: 0\n"
    home.obc_yml.write_text(text, encoding="utf-8")


class _ExampleLanding(Landing):
    """Puts what the generator writes under this district's names: its sources, its own name and id. What it has no source for is left out.

    vendor: the provider whose sessions are being written. is_early: whether the Star tests being written are Early Literacy.
    """

    names: Mapping[str, str | None]
    district: tuple[str, str]
    vendor: str = ""
    is_early: bool = False

    @staticmethod
    def of(documents: Documents, plain: Landing) -> _ExampleLanding:
        """The landing of that district's documents."""
        landing = _ExampleLanding(plain.path, plain.scratch, plain.connection)
        by_format = {source.format: source.name for source in documents.sources.values()}
        landing.names = {
            form: by_format.get(form)
            for form in ("nwea_map", "renaissance_star", "oneroster", "sis_attendance", "school_calendar", "contract_roster", "ruling")
        } | {source.provider_id: source.name for source in documents.sources.values() if source.provider_id}
        landing.district = (documents.district.id, documents.district.name)
        return landing

    def put(self, source: str, name: str, arrived_at: datetime, content: bytes) -> Path:
        return super().put(self._source(source), self._own(name), arrived_at, content)

    def csv(self, source: str, name: str, arrived_at: datetime, table: Table, before: bytes | None = None) -> Path:
        return super().csv(self._source(source), self._own(name), arrived_at, self._own_table(table), before)

    def zip(self, source: str, name: str, arrived_at: datetime, members: Mapping[str, Table | bytes]) -> Path:
        own = {member: self._own_table(content) if isinstance(content, Table) else content for member, content in members.items()}
        if self.is_early:
            (reading,) = (table for table in own.values() if isinstance(table, Table))
            own = {"SEL.csv": _as_early_literacy(reading)}
            name = name.replace(".zip", " Early Literacy.zip")
        return super().zip(self._source(source), self._own(name), arrived_at, own)

    def _source(self, source: str) -> str:
        own = self.names.get(self.vendor if source.startswith("sessions_") else source)
        if own is None:
            raise ValueError(f"the example has no source for {source}")
        return own

    def _own(self, text: str) -> str:
        """The text with this district's id and names in place of Cedar Valley's."""
        district_id, district_name = self.district
        plain = "".join(part for part in district_name.split()[:2])
        return (
            text.replace(DISTRICT_NAME, district_name)
            .replace(DISTRICT_ID, district_id)
            .replace("CedarValley", plain)
            .replace("brightpath", self.vendor or "brightpath")
        )

    def _own_table(self, table: Table) -> Table:
        values = {column: self._own(value) for column, value in table.values.items()}
        return replace(table, values=values, rows=self._own(table.rows))


def _as_early_literacy(table: Table) -> Table:
    """SEL.csv for what would be SR.csv: other columns, ids of its own, scores of its own range."""
    header = [*(name for name in table.header if name not in _READING_COLUMNS), *sorted(_EARLY_COLUMNS)]
    values = {name: value for name, value in table.values.items() if name in header} | {
        "AssessmentID": "guid('star early literacy test', t.ix)",
        "CourseName": "'Early Literacy Grade ' || cast(s.grade as varchar)",
        "ScaledScore": "greatest(300, least(900, (t.unified - 600) * 3 // 2 + 300))",
        "LiteracyClassification": "case when t.unified < 700 then 'Emergent Reader' when t.unified < 790 then 'Transitional Reader' else 'Probable Reader' end",
    }
    return replace(table, header=header, values=values)


def _write_year(landing: _ExampleLanding, documents: Documents, count: int, seed: int, say: Callable[[str], None]) -> None:
    year, contracts = SchoolYear(), documents.contracts
    say(f"inventing {count:,} students and their schools")
    schools = _schools(contracts, count, seed)
    students = make_students(count, schools, seed)
    programs = _programs(contracts, students)
    rosters = [make_roster(program, students, schools, seed) for program in programs]
    let_people_move(students, schools, year, seed)
    attendance = _as_the_data_map_codes_it(make_attendance(students, schools, year, seed))
    programs_went = [
        make_tutoring(program, roster, schools, attendance, year, seed) for program, roster in zip(programs, rosters, strict=True)
    ]
    register_people(landing.connection, schools, students)

    say("writing the student information system's files")
    district_files.write_oneroster(landing)
    district_files.write_attendance(landing, students, attendance, year)
    district_files.write_calendar(landing, year)

    say("writing the providers' session logs")
    for contract, tutoring in zip(contracts, programs_went, strict=True):
        landing.vendor = contract.provider_id
        vendor_files.register_visits(landing, tutoring, "visit_math")
        topic = "math" if tutoring.program.is_math else "reading"
        vendor_files.write_full_sessions(landing, contract.contract_id.lower(), topic, tutoring.program.slot_minutes)
        landing.connection.execute("drop table visit_math; drop table full_row")
    landing.vendor = ""

    say("writing test results")
    together = _together(programs_went)
    if landing.names["nwea_map"]:
        tests, map_story = make_map_tests(students, schools, attendance, year, together, seed)
        assessment_files.write_map(landing, students, tests)
        missing = map_story.missing["SPRING"]
    else:
        missing = _write_star(landing, students, schools, attendance, year, together, seed)

    say("writing the contract office's roster and rulings")
    district_files.write_contract_roster(landing, students, programs_went)
    district_files.write_rulings(landing, _rulings(students, programs_went, missing))


def _schools(contracts: Sequence[Contract], count: int, seed: int) -> Schools:
    """As any district of that size has them, and the nine middle schools where a contract names them."""
    if not any(contract.schools for contract in contracts):
        return make_schools(count, seed)
    many = make_schools(_ENOUGH_STUDENTS_FOR_THEM, seed)
    kept = np.concatenate([many.of_level(0)[:2], many.of_level(1)[:_MIDDLE_SCHOOLS], many.of_level(2)[:1]])
    return Schools(
        school_ids=[many.school_ids[n] for n in kept],
        names=[many.names[n] for n in kept],
        level=many.level[kept],
        absence=many.absence[kept],
        ability=many.ability[kept],
    )


def _programs(contracts: Sequence[Contract], students: Students) -> list[Program]:
    """How each provider works, as its contract says; students are divided as the contracts' `target_students` are."""
    targets = sum(contract.target_students or 1 for contract in contracts)
    programs = []
    for contract in contracts:
        grades = tuple(0 if grade == "KG" else int(grade) for grade in contract.grades)
        tutored = _SHARE_TUTORED * float(np.isin(students.grade, grades).sum()) * (contract.target_students or 1) / targets
        share = max(_TUTORED_AT_LEAST, round(tutored)) / len(students)
        is_math = contract.subject == "math"
        slot_minutes = (contract.min_session_minutes or 30) + _SPARE_MINUTES
        max_group = contract.max_group_size or 4
        required = contract.required_sessions or 72
        programs.append(
            Program(
                contract_id=contract.contract_id,
                tutor_prefix=contract.provider_id[:2].upper(),
                grades=grades,
                share_of_students=share,
                is_math=is_math,
                patterns=_DAYS[contract.sessions_per_week or 3],
                slot_minutes=slot_minutes,
                group_of=max(1.0, max_group * 0.8) if max_group > 1 else 1.0,
                required_sessions=required,
                gate_sessions=math.ceil(required * 0.7),
                min_minutes=contract.min_session_minutes or 0,
                max_group=max_group,
                skip_rate=_SKIP_RATE,
            )
        )
    return programs


def _as_the_data_map_codes_it(attendance: SchoolAttendance) -> SchoolAttendance:
    """The examples' data maps know three codes: absent, excused, tardy. A half day is an absence there, leaving early a tardy."""
    known = np.array([PRESENT_CODE, UNEXCUSED, EXCUSED, UNEXCUSED, TARDY, TARDY, PRESENT_CODE], dtype=np.int8)
    return SchoolAttendance(known[attendance.code])


def _together(programs: Sequence[Tutoring]) -> Tutoring:
    """Several providers of one subject as one, for what is made of all tutored students at once."""
    session_counts = [len(tutoring.sessions.on) for tutoring in programs]
    first_session = np.cumsum([0, *session_counts[:-1]])
    first_assignment = np.cumsum([0, *(len(tutoring.roster) for tutoring in programs)][:-1])
    visits = [
        replace(tutoring.visits, session=tutoring.visits.session + sessions, assignment=tutoring.visits.assignment + assignments)
        for tutoring, sessions, assignments in zip(programs, first_session, first_assignment, strict=True)
    ]
    return Tutoring(
        programs[0].program,
        _joined(Roster, [tutoring.roster for tutoring in programs]),
        _joined(Sessions, [tutoring.sessions for tutoring in programs]),
        _joined(Visits, visits),
    )


def _joined(kind: type[_Arrays], parts: Sequence[_Arrays]) -> _Arrays:
    return kind(**{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(kind)})


def _write_star(
    landing: _ExampleLanding,
    students: Students,
    schools: Schools,
    attendance: SchoolAttendance,
    year: SchoolYear,
    tutoring: Tutoring,
    seed: int,
) -> Ints:
    """Star Reading from grade 2 on, Star Early Literacy before; gives who missed the spring test."""
    reading, reading_story = make_star_tests(students, schools, attendance, year, tutoring, seed)
    assessment_files.write_star(landing, students, _of_students(reading, students.grade > _LAST_EARLY_GRADE))
    # The tests of reading begin in grade 1: a grade higher, kindergarten has one too.
    older = replace(students, grade=students.grade + 1)
    early, early_story = make_star_tests(older, schools, attendance, year, tutoring, seed + 1)
    landing.is_early = True
    assessment_files.write_star(landing, students, _of_students(early, students.grade <= _LAST_EARLY_GRADE))
    landing.is_early = False
    is_early = students.grade <= _LAST_EARLY_GRADE
    missed_reading, missed_early = reading_story.missing["SPRING"], early_story.missing["SPRING"]
    return np.concatenate([missed_reading[~is_early[missed_reading]], missed_early[is_early[missed_early]]])


def _of_students(tests: StarTests, is_wanted: np.ndarray) -> StarTests:
    kept = is_wanted[tests.student]
    return StarTests(**{field.name: getattr(tests, field.name)[..., kept] for field in fields(StarTests)})


def _rulings(students: Students, programs: Sequence[Tutoring], missing: Ints) -> list[Ruling]:
    """What the contract office ruled: sessions the district lost and owns up to, and whose fault the missing spring tests are."""
    found: list[Ruling] = []

    def rule(on: str, subject: str, tutoring: Tutoring, student: str, key: str, value: str, reason: str) -> None:
        number = f"R-{len(found) + 1:05d}"
        contract_id = tutoring.program.contract_id
        found.append(
            Ruling(
                number, on, "Contract office", "DISTRICT;PROVIDER", subject, contract_id, student, key, value, reason, f"minutes/{on}.pdf"
            )
        )

    for tutoring in programs:
        for session in np.flatnonzero(tutoring.sessions.is_acknowledged).tolist():
            cause = REASONS[tutoring.sessions.reason[session]].upper()
            rule("2026-06-01", "ABSENCE_CAUSE", tutoring, "", session_id(tutoring, session), cause, "Canceled by the school")
        for turn, student in enumerate(np.sort(missing[np.isin(missing, tutoring.roster.student)]).tolist()):
            cause = ("DISTRICT", "PROVIDER", "NONE")[turn % 3]
            rule(
                "2026-06-11", "MISSING_TEST_CAUSE", tutoring, f"{students.number[student]:08d}", "SPRING", cause, "Reviewed by both parties"
            )
    return sorted(found, key=lambda ruling: ruling.ruled_on)
