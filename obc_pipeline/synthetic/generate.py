"""Makes a district that never was: its documents, and a school year of files in `landing/`, as its senders would have sent them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from obc_pipeline.home import Home
from obc_pipeline.synthetic import assessment_files, district_files, improvement_cycle, money, surroundings, vendor_files
from obc_pipeline.synthetic.attendance import make_attendance
from obc_pipeline.synthetic.history import make_history
from obc_pipeline.synthetic.landing import Landing
from obc_pipeline.synthetic.map_growth import make_map_tests
from obc_pipeline.synthetic.messy import plant
from obc_pipeline.synthetic.people import let_people_move, make_schools, make_students
from obc_pipeline.synthetic.register import connect, register_people
from obc_pipeline.synthetic.rulings import make_rulings
from obc_pipeline.synthetic.school_year import SchoolYear
from obc_pipeline.synthetic.star_reading import make_star_tests
from obc_pipeline.synthetic.state_test import make_state_results
from obc_pipeline.synthetic.surroundings import make_factors
from obc_pipeline.synthetic.surveys import make_answers
from obc_pipeline.synthetic.tutoring import MATH, READING, make_roster, make_tutoring

FEWEST_STUDENTS = 1_000
_DOCUMENTS = Path(__file__).parent.parent / "documents" / "templates" / "example_district"


def generate(home_path: Path | str, students: int, seed: int, messy: bool = False, progress: Callable[[str], None] | None = None) -> None:
    """Writes documents and `landing/` of a district with that many students; the same arguments give the same bytes.

    Raises ValueError below 1,000 students (the two programs would have too few) and FileExistsError when the home already
    has files in `landing/` or documents: nothing of somebody's home is overwritten.
    """
    if students < FEWEST_STUDENTS:
        raise ValueError(f"a synthetic district has at least {FEWEST_STUDENTS:,} students, not {students:,}")
    home, say = Home(home_path), progress or (lambda text: None)
    if any(home.landing.rglob("*")) if home.landing.exists() else False:
        raise FileExistsError(f"{home.landing} is not empty: generate into a new folder")
    _copy_documents(home)
    with tempfile.TemporaryDirectory() as scratch:
        connection = connect(seed)
        landing = Landing(home.landing, Path(scratch), connection)
        _write_year(landing, students, seed, say)
        if messy:
            say("planting what senders get wrong")
            plant(landing, home)
        connection.close()
    say(f"{sum(path.is_file() for path in home.landing.rglob('*'))} files in {home.landing}")


def _copy_documents(home: Home) -> None:
    """The example district's documents, as they are; existing ones are kept."""
    home.path.mkdir(parents=True, exist_ok=True)
    for document in sorted(_DOCUMENTS.rglob("*.yml")):
        target = home.path / document.relative_to(_DOCUMENTS)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(document, target)


def _write_year(landing: Landing, count: int, seed: int, say: Callable[[str], None]) -> None:
    year = SchoolYear()
    say(f"inventing {count:,} students and their schools")
    schools = make_schools(count, seed)
    students = make_students(count, schools, seed)
    rosters = {program.contract_id: make_roster(program, students, schools, seed) for program in (MATH, READING)}
    let_people_move(students, schools, year, seed)
    attendance = make_attendance(students, schools, year, seed)
    math = make_tutoring(MATH, rosters[MATH.contract_id], schools, attendance, year, seed)
    reading = make_tutoring(READING, rosters[READING.contract_id], schools, attendance, year, seed)
    register_people(landing.connection, schools, students)

    say("writing the student information system's files")
    district_files.write_oneroster(landing)
    district_files.write_attendance(landing, students, attendance, year)
    district_files.write_calendar(landing, year)
    district_files.write_program_flags(landing)

    say("writing the providers' session logs and exit tickets")
    vendor_files.register_visits(landing, math, "visit_math")
    vendor_files.register_visits(landing, reading, "visit_reading")
    vendor_files.write_full_sessions(landing, "middle-school-math")
    vendor_files.write_datas_sessions(landing)
    vendor_files.write_google_forms(landing, make_answers(math, seed, share=0.55))
    vendor_files.write_qualtrics(landing, make_answers(reading, seed, share=0.45))

    say("writing test results: MAP Growth, Star Reading, the state test")
    map_tests, map_story = make_map_tests(students, schools, attendance, year, math, seed)
    assessment_files.write_map(landing, students, map_tests)
    star_tests, star_story = make_star_tests(students, schools, attendance, year, reading, seed)
    assessment_files.write_star(landing, students, star_tests)
    assessment_files.write_history(landing, make_history(students, schools, year, seed))
    last_year, this_year = make_state_results(students, math, seed, years_ago=1), make_state_results(students, math, seed)
    assessment_files.write_state(landing, students, last_year, this_year)

    say("writing the contract office's roster and rulings")
    district_files.write_contract_roster(landing, students, (math, reading))
    rulings = make_rulings(students, math, reading, map_story, star_story, seed)
    district_files.write_rulings(landing, rulings)

    say("writing what happened around the programs, meetings, actions, follow-ups, costs and options")
    surroundings.write_factors(landing, make_factors(students, schools, attendance, year, seed))
    improvement_cycle.write_meetings(landing)
    improvement_cycle.write_actions(landing, schools)
    improvement_cycle.write_notes(landing, schools, seed)
    improvement_cycle.write_follow_ups(landing, students, math, year, seed)
    money.write_costs(landing, (math, reading), seed)
    money.write_options(landing, students, math, reading)
