"""The files of the student information system and of the contract office."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa

from obc_pipeline.synthetic import headers
from obc_pipeline.synthetic.attendance import CODES, PRESENCE, SchoolAttendance
from obc_pipeline.synthetic.landing import Landing, Table, dates, words
from obc_pipeline.synthetic.people import NEVER, Students
from obc_pipeline.synthetic.rulings import Ruling
from obc_pipeline.synthetic.school_year import DISTRICT_ID, DISTRICT_NAME, LAST_DAY, SCHOOL_YEAR, SCHOOL_YEAR_END, Day, SchoolYear, at
from obc_pipeline.synthetic.tutoring import END_REASONS, OPT_OUT, Tutoring

_YEAR_END_EXCLUSIVE = LAST_DAY + timedelta(days=1)
ONEROSTER_ARRIVALS = (datetime(2025, 8, 14, 10, 0), datetime(2026, 1, 8, 10, 0), datetime(2026, 5, 18, 10, 0))
ATTENDANCE_ARRIVALS = tuple(
    at(on, 10)
    for on in (
        date(2025, 9, 2),
        date(2025, 10, 1),
        date(2025, 11, 3),
        date(2025, 12, 1),
        date(2026, 1, 6),
        date(2026, 2, 2),
        date(2026, 3, 2),
        date(2026, 4, 1),
        date(2026, 5, 1),
        date(2026, 6, 8),
    )
)
PROGRAM_ARRIVALS = tuple(datetime(2025, month, 15, 14, 0) for month in (9, 10, 11, 12)) + tuple(
    datetime(2026, month, 15, 14, 0) for month in range(1, 7)
)
ROSTER_ARRIVALS = (datetime(2025, 10, 3, 16, 0), datetime(2026, 1, 13, 16, 0), datetime(2026, 6, 8, 16, 0))
_COURSES = (
    ("HR", "homeroom", "Homeroom", ""),
    ("MA", "scheduled", "Mathematics", "mathematics"),
    ("EN", "scheduled", "English Language Arts", "ela"),
)


def write_oneroster(landing: Landing) -> None:
    """OneRoster 1.1 bulk zips in August, January and May. Who left stays in, disabled and end-dated, until the year is over."""
    _register_classes(landing)
    for arrived_at in ONEROSTER_ARRIVALS:
        landing.zip("oneroster", f"{arrived_at:%Y-%m-%d}/oneroster.zip", arrived_at, oneroster_members(arrived_at))


def oneroster_members(arrived_at: datetime) -> dict[str, Table | bytes]:
    """What a bulk zip of that day holds, once the classes are registered."""
    on = f"date '{arrived_at:%Y-%m-%d}'"
    return {
        "manifest.csv": _manifest(),
        "academicSessions.csv": _academic_sessions(),
        "orgs.csv": _orgs(),
        "courses.csv": _courses(),
        "classes.csv": _classes(),
        "users.csv": _users(on),
        "enrollments.csv": _enrollments(on),
        "demographics.csv": _demographics(on),
    }


def _register_classes(landing: Landing) -> None:
    """Tables `membership` (who is in which grade of which school from when to when) and `section` (about 24 students each)."""
    landing.connection.execute(
        f"""create table membership as
            with stay as (
                select ix as student, school, grade, enters_on as begin_on,
                       coalesce(least(moves_on, leaves_on), date '{_YEAR_END_EXCLUSIVE}') as end_on
                from student
                union all
                select ix, next_school, grade, moves_on, coalesce(leaves_on, date '{_YEAR_END_EXCLUSIVE}') from student where moves_on is not null
            ), size as (select school, grade, greatest(1, count(*) // 24) as sections from stay group by all)
            select stay.*, stay.student % size.sections as section
            from stay join size using (school, grade) where begin_on < end_on order by stay.student, begin_on"""
    )
    landing.connection.execute(
        """create table section as select school, grade, section, row_number() over (order by school, grade, section) as number
           from (select distinct school, grade, section from membership) order by number"""
    )


def _manifest() -> bytes:
    files = ("academicSessions", "orgs", "courses", "classes", "users", "enrollments", "demographics")
    absent = ("resources", "classResources", "courseResources", "categories", "lineItems", "results")
    rows = [("manifest.version", "1.0"), ("oneroster.version", "1.1"), ("source.systemName", "District SIS"), ("source.systemCode", "SIS")]
    rows += [(f"file.{name}", "bulk") for name in files] + [(f"file.{name}", "absent") for name in absent]
    return ("propertyName,value\n" + "".join(f"{name},{value}\n" for name, value in rows)).encode()


def _academic_sessions() -> bytes:
    year, fall, spring = "year-2026", "term-2026-fall", "term-2026-spring"
    rows = [
        (year, SCHOOL_YEAR, "schoolYear", "2025-08-11", f"{_YEAR_END_EXCLUSIVE}", ""),
        (fall, "Fall", "semester", "2025-08-11", "2025-12-20", year),
        (spring, "Spring", "semester", "2026-01-05", f"{_YEAR_END_EXCLUSIVE}", year),
    ]
    lines = [f"{key},,,{title},{kind},{start},{end},{parent},{SCHOOL_YEAR_END}" for key, title, kind, start, end, parent in rows]
    return _lines(headers.ONEROSTER["academicSessions"], lines)


def _orgs() -> Table:
    values = {"sourcedId": "sourced_id", "name": "name", "type": "type", "identifier": "identifier", "parentSourcedId": "parent"}
    rows = f"""from (
        select -1 as ix, guid('district', 0) as sourced_id, '{DISTRICT_NAME}' as name, 'district' as type, '{DISTRICT_ID}' as identifier, null as parent
        union all select ix, sourced_id, name, 'school', school_id, guid('district', 0) from school) order by ix"""
    return Table(headers.ONEROSTER["orgs"], values, rows)


def _course_list() -> str:
    return (
        "(values "
        + ", ".join(f"({n}, '{c}', '{k}', '{t}', '{s}')" for n, (c, k, t, s) in enumerate(_COURSES))
        + ") as c (n, code, kind, title, subject)"
    )


def _grade_code(grade: str) -> str:
    return f"case when {grade} = 0 then 'KG' else printf('%02d', {grade}) end"


def _courses() -> Table:
    values = {
        "sourcedId": "guid('course', c.code || g.grade)",
        "schoolYearSourcedId": "'year-2026'",
        "title": "c.title || ' ' || " + _grade_code("g.grade"),
        "courseCode": "c.code || " + _grade_code("g.grade"),
        "grades": _grade_code("g.grade"),
        "orgSourcedId": "guid('district', 0)",
        "subjects": "nullif(c.subject, '')",
    }
    return Table(headers.ONEROSTER["courses"], values, f"from {_course_list()}, range(13) as g (grade) order by c.n, g.grade")


def _classes() -> Table:
    values = {
        "sourcedId": "guid('class', c.code || s.number)",
        "title": "c.title || ' ' || h.school_id || '-' || " + _grade_code("s.grade") + " || '-' || (s.section + 1)",
        "grades": _grade_code("s.grade"),
        "courseSourcedId": "guid('course', c.code || s.grade)",
        "classCode": "c.code || '-' || s.number",
        "classType": "c.kind",
        "location": "'Room ' || (100 + s.number % 60)",
        "schoolSourcedId": "h.sourced_id",
        "termSourcedIds": "'term-2026-fall,term-2026-spring'",
        "subjects": "nullif(c.subject, '')",
        "periods": "cast(c.n + 1 as varchar)",
    }
    rows = f"from section as s join school as h on h.ix = s.school, {_course_list()} order by s.number, c.n"
    return Table(headers.ONEROSTER["classes"], values, rows)


def _users(on: str) -> Table:
    """Students who have come by then, and one teacher per section."""
    values = {
        "sourcedId": "sourced_id",
        "enabledUser": "enabled",
        "orgSourcedIds": "org",
        "role": "role",
        "username": "username",
        "givenName": "given_name",
        "familyName": "family_name",
        "middleName": "middle_name",
        "identifier": "identifier",
        "grades": "grades",
    }
    rows = f"""from (
        select 0 as kind, s.ix as number, s.sourced_id, case when s.leaves_on <= {on} then 'false' else 'true' end as enabled,
               h.sourced_id as org, 'student' as role, lower(substr(s.first_name, 1, 1)) || s.local_id as username, s.first_name as given_name,
               s.last_name as family_name, s.middle_name, s.local_id as identifier, {_grade_code("s.grade")} as grades
        from student as s join school as h on h.ix = case when s.moves_on <= {on} then s.next_school else s.school end where s.enters_on <= {on}
        union all
        select 1, t.number, guid('teacher', t.number), 'true', h.sourced_id, 'teacher', 't' || t.number,
               ['Alex', 'Blair', 'Casey', 'Drew', 'Emery', 'Frankie', 'Gray'][1 + t.number % 7],
               ['Arnold', 'Becker', 'Cole', 'Dorsey', 'Engel', 'Flores', 'Grant', 'Hobbs', 'Irwin', 'Joyce', 'Kent'][1 + t.number % 11],
               null, 'T' || printf('%05d', t.number), null
        from section as t join school as h on h.ix = t.school) order by kind, number"""
    return Table(headers.ONEROSTER["users"], values, rows)


def _enrollments(on: str) -> Table:
    values = {
        "sourcedId": "sourced_id",
        "classSourcedId": "class_id",
        "schoolSourcedId": "school_id",
        "userSourcedId": "user_id",
        "role": "role",
        "primary": "is_primary",
        "beginDate": "begin_date",
        "endDate": "end_date",
    }
    rows = f"""from (
        select 0 as kind, m.student as number, c.n, m.begin_on, guid('enrollment', c.code || m.student || '-' || m.school) as sourced_id,
               guid('class', c.code || s.number) as class_id, h.sourced_id as school_id, p.sourced_id as user_id, 'student' as role,
               null as is_primary, strftime(m.begin_on, '%Y-%m-%d') as begin_date,
               strftime(case when m.end_on <= {on} then m.end_on else date '{_YEAR_END_EXCLUSIVE}' end, '%Y-%m-%d') as end_date
        from membership as m join section as s using (school, grade, section) join school as h on h.ix = m.school
             join student as p on p.ix = m.student, {_course_list()}
        where m.begin_on <= {on}
        union all
        select 1, s.number, c.n, date '2025-08-11', guid('teaching', c.code || s.number), guid('class', c.code || s.number), h.sourced_id,
               guid('teacher', s.number), 'teacher', 'true', '2025-08-11', '{_YEAR_END_EXCLUSIVE}'
        from section as s join school as h on h.ix = s.school, {_course_list()}) order by kind, number, begin_on, n"""
    return Table(headers.ONEROSTER["enrollments"], values, rows)


def _demographics(on: str) -> Table:
    def is_race(race: str) -> str:
        return f"case when s.race = '{race}' then 'true' else 'false' end"

    values = {
        "sourcedId": "s.sourced_id",
        "birthDate": "strftime(s.born_on, '%Y-%m-%d')",
        "sex": "case when s.is_female then 'female' else 'male' end",
        "americanIndianOrAlaskaNative": is_race("native"),
        "asian": is_race("asian"),
        "blackOrAfricanAmerican": is_race("black"),
        "nativeHawaiianOrOtherPacificIslander": "'false'",
        "white": is_race("white"),
        "demographicRaceTwoOrMoreRaces": is_race("multiple"),
        "hispanicOrLatinoEthnicity": is_race("hispanic"),
    }
    return Table(headers.ONEROSTER["demographics"], values, f"from student as s where s.enters_on <= {on} order by s.ix")


def write_attendance(landing: Landing, students: Students, attendance: SchoolAttendance, year: SchoolYear) -> None:
    """Exceptions only, the whole year to date each month, under one name."""
    student, day = np.nonzero(attendance.code)
    on = year.ordinals[day]
    table = pa.table(
        {
            "ix": np.arange(len(student)),
            "student": student,
            "school": students.school_on(student, on),
            "on_date": dates(on),
            "code": attendance.code[student, day],
        }
    )
    landing.connection.register("absence_numbers", table)
    values = {
        "Student_Number": "s.local_id",
        "SchoolID": "h.school_id",
        "Att_Date": "strftime(a.on_date, '%m/%d/%Y')",
        "Att_Code": f"{words(CODES)}[a.code + 1]",
        "Presence_Status_CD": f"{words(PRESENCE)}[a.code + 1]",
        "Att_Mode_Code": "'ATT_ModeDaily'",
        "Total_Minutes": "['0', '390', '390', '195', '15', '45', '0'][a.code + 1]",
    }
    source = "from absence_numbers as a join student as s on s.ix = a.student join school as h on h.ix = a.school"
    for arrived_at in ATTENDANCE_ARRIVALS:
        rows = f"{source} where a.on_date < date '{arrived_at:%Y-%m-%d}' order by a.ix"
        landing.csv(
            "sis_attendance", f"{arrived_at:%Y-%m-%d}/attendance_year_to_date.csv", arrived_at, Table(headers.SIS_ATTENDANCE, values, rows)
        )
    landing.connection.unregister("absence_numbers")


def write_calendar(landing: Landing, year: SchoolYear) -> None:
    """The calendar as planned in August, and again in February after the snow week."""
    for arrived_at, days in ((datetime(2025, 8, 5, 14, 0), year.planned_days), (datetime(2026, 2, 2, 14, 0), year.days)):
        landing.put("school_calendar", f"calendar_{SCHOOL_YEAR}_{arrived_at:%Y%m%d}.csv", arrived_at, _calendar(days))


def _calendar(days: Iterable[Day]) -> bytes:
    lines = [f",{day.on},{'true' if day.is_in_session else 'false'},{day.day_type},{SCHOOL_YEAR},{day.note}" for day in days]
    return _lines(headers.SCHOOL_CALENDAR, lines)


def write_program_flags(landing: Landing) -> None:
    """EL, IEP and economic disadvantage, each month with those who came since."""
    values = {"student_id": "s.local_id", "program": "p.program", "begin_on": "strftime(s.enters_on, '%Y-%m-%d')", "end_on": "null"}
    flag = "case p.n when 0 then s.is_el when 1 then s.has_iep else s.is_disadvantaged end"
    programs = "(values (0, 'EL'), (1, 'IEP'), (2, 'ECONOMIC_DISADVANTAGE')) as p (n, program)"
    for arrived_at in PROGRAM_ARRIVALS:
        rows = f"from student as s, {programs} where {flag} and s.enters_on <= date '{arrived_at:%Y-%m-%d}' order by s.ix, p.n"
        landing.csv("program_flags", f"program_flags_{arrived_at:%Y%m}.csv", arrived_at, Table(headers.PROGRAM_FLAGS, values, rows))


def write_contract_roster(landing: Landing, students: Students, programs: Iterable[Tutoring]) -> None:
    """The whole list each time: before service begins, in January and in June."""
    for arrived_at in ROSTER_ARRIVALS:
        known = arrived_at.date().toordinal() + 3
        lines = [line for tutoring in programs for line in _assignments(landing, students, tutoring, known)]
        content = _lines(headers.CONTRACT_ROSTER, lines)
        landing.put("contract_roster", f"contract_roster_{arrived_at:%Y-%m-%d}.csv", arrived_at, content)


def _assignments(landing: Landing, students: Students, tutoring: Tutoring, known: int) -> list[str]:
    schools = [row[0] for row in landing.connection.execute("select school_id from school order by ix").fetchall()]
    roster, lines = tutoring.roster, []
    for row in range(len(roster)):
        if roster.start_on[row] > known:
            continue
        has_ended = roster.end_on[row] <= known
        reason = int(roster.end_reason[row]) if has_ended else 0
        replaced = int(roster.substituted_for[row])
        fields = (
            tutoring.program.contract_id,
            f"{students.number[roster.student[row]]:08d}",
            "",
            schools[roster.school[row]],
            date.fromordinal(int(roster.start_on[row])).isoformat(),
            date.fromordinal(int(roster.end_on[row])).isoformat() if has_ended and roster.end_on[row] < NEVER else "",
            END_REASONS[reason],
            "",
            f"{students.number[replaced]:08d}" if replaced >= 0 else "",
            "false" if reason == OPT_OUT else "true",
        )
        lines.append(",".join(fields))
    return lines


def write_rulings(landing: Landing, rulings: Iterable[Ruling]) -> None:
    """What people decided, as of mid June."""
    lines = [",".join(_quoted(value) for value in ruling.fields()) for ruling in rulings]
    landing.put("ruling", "rulings_2026-06-18.csv", datetime(2026, 6, 18, 17, 0), _lines(headers.RULING, lines))


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if any(mark in value for mark in ',"\n') else value


def _lines(header: Iterable[str], lines: Iterable[str]) -> bytes:
    return ("\n".join([",".join(header), *lines]) + "\n").encode()
