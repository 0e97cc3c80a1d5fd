"""The files of the test publishers and of the state, as a district downloads them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from obc_pipeline.synthetic import headers
from obc_pipeline.synthetic.chance import Ints
from obc_pipeline.synthetic.history import PastYear
from obc_pipeline.synthetic.landing import Landing, Table, dates, numbers, words
from obc_pipeline.synthetic.map_growth import COURSES, PAIRS, MapTests
from obc_pipeline.synthetic.people import Students
from obc_pipeline.synthetic.register import register_students
from obc_pipeline.synthetic.school_year import (
    DISTRICT_ID,
    DISTRICT_NAME,
    FIRST_DAY,
    LAST_DAY,
    SCHOOL_YEAR_END,
    THIS_YEAR,
    WINTER_TIME,
    ExportYear,
    at,
)
from obc_pipeline.synthetic.star_reading import GROWTH_PAIRS, NO_PERCENTILE, StarTests
from obc_pipeline.synthetic.state_test import LEVELS, STATUS_REASONS, STATUSES, SUBJECTS, StateResults

_TERMS = ("Fall", "Winter", "Spring")
MAP_ARRIVALS = (datetime(2025, 10, 15, 13, 5), datetime(2026, 2, 18, 13, 5), datetime(2026, 6, 10, 13, 5))
HISTORY_ARRIVAL = datetime(2025, 8, 4, 13, 5)
STAR_ARRIVALS = (datetime(2025, 10, 16, 7, 0), datetime(2026, 2, 19, 7, 0), datetime(2026, 6, 11, 7, 0), datetime(2026, 6, 26, 7, 0))
MAP_ZIP = "CDF_CedarValley.zip"
_DEACTIVATED_AFTER = date(2026, 6, 12)  # deactivations show only in the last delivery
_MATH_GOALS = (
    "Operations and Algebraic Thinking",
    "The Real and Complex Number Systems",
    "Geometry",
    "Statistics, Probability, and Measurement",
)
_READING_GOALS = (
    "Literary Text: Key Ideas, Craft, and Structure",
    "Informational Text: Key Ideas and Details",
    "Vocabulary: Acquisition and Use",
)
_LANGUAGE_GOALS = (
    "Writing: Write, Revise Texts for Purpose and Audience",
    "Language: Understand, Edit for Grammar",
    "Mechanics: Capitalize, Spell",
)
_QUINTILES = ("Low", "LoAvg", "Avg", "HiAvg", "High")


def write_map(landing: Landing, students: Students, tests: MapTests) -> None:
    """Three Comprehensive Data Files, one per term, under one and the same name as the portal gives it."""
    register_map(landing.connection, students, tests, np.arange(len(students)))
    for term, arrived_at in enumerate(MAP_ARRIVALS):
        landing.zip("nwea_map", f"{arrived_at:%Y-%m-%d}/{MAP_ZIP}", arrived_at, map_members(term))


def map_members(term: int, year: ExportYear = THIS_YEAR) -> dict[str, Table | bytes]:
    """What the zip of a term holds, once the tests are registered."""
    return {"AssessmentResults.csv": _assessment_results(term, year), "StudentsBySchool.csv": _students_by_school(term, year)}


def register_map(
    connection: duckdb.DuckDBPyConnection, students: Students, tests: MapTests, ix: Ints, year: ExportYear = THIS_YEAR
) -> None:
    """The tests as a table that the files are written from. `ix` says which row of the year's student table each student is."""
    position = np.arange(len(tests))
    columns: dict[str, object] = {
        "ix": position,
        "student": ix[tests.student],
        "school": students.school_on(tests.student, tests.on),
        "course": tests.course,
        "term": tests.term,
        "counts": tests.is_growth_event,
        "tested_on": dates(tests.on),
        "rit": tests.rit,
        "se": tests.standard_error_tenths,
        "rapid": tests.rapid_guessing,
        "pct": tests.percentile,
    }
    for number, pair in enumerate(PAIRS):
        valid = tests.has_growth[number]
        columns[f"{pair}_projected"] = numbers(tests.projected_tenths[number], valid)
        columns[f"{pair}_observed"] = numbers(tests.observed[number], valid)
        columns[f"{pair}_index"] = numbers(tests.index_hundredths[number], valid)
        columns[f"{pair}_percentile"] = numbers(tests.growth_percentile[number], valid)
        columns[f"{pair}_typical"] = numbers(tests.typical[number], tests.typical[number] > 0)
    connection.register(year.table("map_numbers"), pa.table(columns))


def write_history(landing: Landing, past: Iterable[PastYear]) -> None:
    """Two earlier years as the district downloaded them again in August: two Comprehensive Data Files and one Star zip for each."""
    arrived_at = HISTORY_ARRIVAL
    for earlier in past:
        year = earlier.year
        register_students(landing.connection, earlier.students, earlier.ix, year.table("student"))
        register_map(landing.connection, earlier.students, earlier.map_tests, earlier.ix, year)
        register_star(landing.connection, earlier.students, earlier.star_tests, earlier.ix, year)
        for term in (0, 2):
            landing.zip("nwea_map", f"history/{year.label}/{_TERMS[term]}/{MAP_ZIP}", arrived_at, map_members(term, year))
            arrived_at += timedelta(minutes=5)
        members: dict[str, Table | bytes] = {"SR.csv": star_reading_table(arrived_at, year)}
        landing.zip("renaissance_star", f"history/{year.label}/{DISTRICT_NAME}.zip", arrived_at, members)


def _quintile(percentile: str) -> str:
    return f"{words(_QUINTILES)}[1 + ({percentile} - 1) // 20]"


def _decimal(tenths: str) -> str:
    """Tenths as a number with one decimal, also for negative ones."""
    return f"printf('%.1f', {tenths} / 10.0)"


def _assessment_results(term: int, year: ExportYear) -> Table:
    weeks = f"cast(date_diff('day', date '{year.day(FIRST_DAY)}', t.tested_on) // 7 as varchar)"
    values = {
        "TermName": f"'{_TERMS[term]} {year.label}'",
        "DistrictName": f"'{DISTRICT_NAME}'",
        "District_StateID": f"'{DISTRICT_ID}'",
        "SchoolName": "c.name",
        "School_StateID": f"'{DISTRICT_ID}' || c.school_id",
        "StudentID": "s.local_id",
        "Student_StateID": "s.state_id",
        "Subject": f"{words([course.subject for course in COURSES])}[t.course + 1]",
        "Course": f"{words([course.name for course in COURSES])}[t.course + 1]",
        "GrowthMeasureYN": "case when t.counts then 'TRUE' else 'FALSE' end",
        "NormsReferenceData": "'2025'",
        ("WISelectedAYFall", "WISelectedAYWinter", "WISelectedAYSpring")[term]: weeks,
        "TestType": "'Survey With Goals'",
        "TestName": f"{words(['Growth: Math', 'Growth: Reading', 'Growth: Language'])}[t.course + 1] || case when t.course = 2 then ' 2-12' "
        "when s.grade >= 6 then ' 6+' else ' 2-5' end || ' CCSS 2010 V4'",
        "TestID": f"cast({712_000_000 - 100_000_000 * year.years_ago} + t.ix as varchar)",
        "TestStartDate": "strftime(t.tested_on, '%m/%d/%Y')",
        "TestStartTime": "printf('%02d:%02d:%02d', 8 + (t.ix * 7 % 6), t.ix * 13 % 60, t.ix * 29 % 60)",
        "TestDurationMinutes": "cast(31 + (t.ix * 11 % 44) as varchar)",
        "TestRITScore": "cast(t.rit as varchar)",
        "TestStandardError": "printf('%.2f', t.se / 10.0)",
        "TestPercentile": "cast(t.pct as varchar)",
        "AchievementQuintile": _quintile("t.pct"),
        "PercentCorrect": "cast(44 + (t.ix * 3 % 13) as varchar)",
        "RapidGuessingPercentage": "printf('%.4f', t.rapid / 100.0)",
        "LexileScore": "case when t.course = 1 then case when t.rit >= 167 then ((t.rit - 160) * 18 // 5 * 5) || 'L' "
        "else 'BR' || ((172 - t.rit) * 15 // 5 * 5) || 'L' end end",
        "QuantileScore": "case when t.course = 0 then case when t.rit >= 167 then ((t.rit - 160) * 15 // 5 * 5) || 'Q' "
        "else 'EM' || ((172 - t.rit) * 15 // 5 * 5) || 'Q' end end",
        "ProjectedProficiencyStudy1": "case when t.course < 2 and s.grade between 3 and 8 then 'State Summative Assessment' end",
        "ProjectedProficiencyLevel1": f"case when t.course < 2 and s.grade between 3 and 8 then {words(LEVELS[1:])}"
        "[1 + (t.pct > 30)::int + (t.pct > 58)::int + (t.pct > 85)::int] end",
        **_growth_values(),
        **_goal_values(),
    }
    rows = (
        f"from {year.table('map_numbers')} as t join {year.table('student')} as s on s.ix = t.student join school as c on c.ix = t.school "
        f"where t.term = {term} order by t.ix"
    )
    return Table(headers.NWEA_ASSESSMENT_RESULTS, values, rows, is_quoted=True)


def _growth_values() -> dict[str, str]:
    values = {}
    for pair in PAIRS:
        projected, observed, percentile = f"t.{pair}_projected", f"t.{pair}_observed", f"t.{pair}_percentile"
        met = f"{observed} * 10 >= {projected}"
        doubtful = f"case when abs({observed} * 10 - {projected}) < 15 then '*' else '' end"
        values[f"{pair}ProjectedGrowth"] = _decimal(projected)
        values[f"{pair}ObservedGrowth"] = f"cast({observed} as varchar)"
        values[f"{pair}ObservedGrowthSE"] = f"case when {observed} is not null then printf('%.1f', (t.se + 15) / 10.0) end"
        values[f"{pair}MetProjectedGrowth"] = f"case when {met} then 'Yes' when not ({met}) then 'No' end || {doubtful}"
        values[f"{pair}ConditionalGrowthIndex"] = f"printf('%.2f', t.{pair}_index / 100.0)"
        values[f"{pair}ConditionalGrowthPercentile"] = f"cast({percentile} as varchar)"
        values[f"{pair}GrowthQuintile"] = _quintile(percentile)
        values[f"Typical{pair}Growth"] = f"cast(t.{pair}_typical as varchar)"
    return values


def _goal_values() -> dict[str, str]:
    values = {}
    for goal in range(1, 5):
        names = [goals[goal - 1] if goal <= len(goals) else "" for goals in (_MATH_GOALS, _READING_GOALS, _LANGUAGE_GOALS)]
        filled = "t.course = 0" if goal > len(_READING_GOALS) else "true"
        score = f"(t.rit - 7 + (t.ix * {goal * 5 + 2} % 15))"
        error = f"(52 + (t.ix * {goal + 3} % 14))"
        values[f"Goal{goal}Name"] = f"{words(names)}[t.course + 1]"
        values[f"Goal{goal}RitScore"] = f"case when {filled} then {score} end"
        values[f"Goal{goal}StdErr"] = f"case when {filled} then {_decimal(error)} end"
        values[f"Goal{goal}Range"] = f"case when {filled} then ({score} - 6) || '-' || ({score} + 6) end"
        values[f"Goal{goal}Adjective"] = (
            f"case when {filled} then {_quintile(f'greatest(1, least(99, t.pct + 4 * ({score} - t.rit)))')} end"
        )
    return values


def _students_by_school(term: int, year: ExportYear) -> Table:
    opens, closes = list(year.windows.values())[term]
    grade = "case when s.grade = 0 then 'K' else cast(s.grade as varchar) end"
    ethnic = (
        "case s.race when 'hispanic' then 'Hispanic or Latino' when 'black' then 'Black or African American' when 'white' then 'White' "
        "when 'asian' then 'Asian' when 'native' then 'American Indian or Alaska Native' else 'Multi-ethnic' end"
    )
    values = {
        "TermName": f"'{_TERMS[term]} {year.label}'",
        "DistrictName": f"'{DISTRICT_NAME}'",
        "District_StateID": f"'{DISTRICT_ID}'",
        "SchoolName": "c.name",
        "School_StateID": f"'{DISTRICT_ID}' || c.school_id",
        "StudentLastName": "s.last_name",
        "StudentFirstName": "s.first_name",
        "StudentMI": "s.middle_name",
        "StudentID": "s.local_id",
        "Student_StateID": "s.state_id",
        "StudentDateOfBirth": "strftime(s.born_on, '%m/%d/%Y')",
        "StudentEthnicGroup": ethnic,
        "NWEAStandard_EthnicGroup": ethnic,
        "StudentGender": "case when s.is_female then 'F' else 'M' end",
        "Grade": grade,
        "NWEAStandard_Grade": grade,
    }
    # A student who moved inside the window is in two schools, as in the real file.
    attends = (
        f"((c.ix = s.school and (s.moves_on is null or s.moves_on > date '{opens}')) or "
        f"(c.ix = s.next_school and s.moves_on <= date '{closes}'))"
    )
    # Of an earlier year only those who were tested: the district kept no more.
    listed = "true" if year == THIS_YEAR else f"s.ix in (select student from {year.table('map_numbers')})"
    rows = (
        f"from {year.table('student')} as s join school as c on {attends} where {listed} and s.grade between 2 and 10 and s.enters_on <= date '{closes}' "
        f"and (s.leaves_on is null or s.leaves_on > date '{opens}') order by s.ix, c.ix"
    )
    return Table(headers.NWEA_STUDENTS_BY_SCHOOL, values, rows, is_quoted=True)


def write_star(landing: Landing, students: Students, tests: StarTests) -> None:
    """The nightly zip as fetched four times: the school year to date; deactivations appear only in the last one."""
    register_star(landing.connection, students, tests, np.arange(len(students)))
    for arrived_at in STAR_ARRIVALS:
        landing.zip(
            "renaissance_star", f"{arrived_at:%Y-%m-%d}/{DISTRICT_NAME}.zip", arrived_at, {"SR.csv": star_reading_table(arrived_at)}
        )


def register_star(
    connection: duckdb.DuckDBPyConnection, students: Students, tests: StarTests, ix: Ints, year: ExportYear = THIS_YEAR
) -> None:
    """The tests as a table that the files are written from. `ix` says which row of the year's student table each student is."""
    columns: dict[str, object] = {
        "ix": np.arange(len(tests)),
        "student": ix[tests.student],
        "school": students.school_on(tests.student, tests.on),
        "window_ix": tests.window,
        "tested_on": dates(tests.on),
        "minute": tests.minute,
        "is_monitoring": tests.is_progress_monitoring,
        "is_deactivated": tests.is_deactivated,
        "unified": tests.unified_score,
        "pr": tests.percentile,
        "current": numbers(tests.current_growth, tests.current_growth != NO_PERCENTILE),
        "number": tests.number,
    }
    for row, pair in enumerate(GROWTH_PAIRS):
        columns[f"growth_{pair}"] = numbers(tests.growth[row], tests.growth[row] != NO_PERCENTILE)
    connection.register(year.table("star_numbers"), pa.table(columns))


def star_reading_table(arrived_at: datetime, year: ExportYear = THIS_YEAR) -> Table:
    """SR.csv as exported that night, once the tests are registered."""
    local = "(t.tested_on + to_minutes(t.minute) + to_seconds(t.ix * 17 % 60))"
    winter = f"t.tested_on between date '{year.day(WINTER_TIME[0])}' and date '{year.day(WINTER_TIME[1])}'"
    utc = f"({local} + case when {winter} then interval 6 hour else interval 5 hour end)"
    stamp = "'%Y-%m-%dT%H:%M:%S.'"
    milliseconds = "printf('%03dZ', t.ix * 37 % 1000)"
    deactivated = "t.is_deactivated" if arrived_at.date() > _DEACTIVATED_AFTER else "false"
    category = "case when t.pr < 10 then 4 when t.pr < 25 then 3 when t.pr < 40 then 2 else 1 end"
    grade = "cast(s.grade as varchar)"
    yes = "case when {} then 'Yes' else 'No' end"
    values = {
        "RenaissanceClientID": "'280114'",
        "SchoolYear": f"'{year.label}'",
        "SchoolYearStartDate": f"'{year.day(FIRST_DAY)}T00:00:00Z'",
        "SchoolYearEndDate": f"'{year.day(LAST_DAY)}T00:00:00Z'",
        "StudentRenaissanceID": "guid('star student', t.student)",
        "StudentSourcedID": "s.sourced_id",
        "StudentIdentifier": "s.local_id",
        "StudentUserID": "lower(substr(s.first_name, 1, 1)) || s.local_id",
        "StudentStateID": "s.state_id",
        "StudentFirstName": "s.first_name",
        "StudentMiddleName": "s.middle_name",
        "StudentLastName": "s.last_name",
        "Gender": "case when s.is_female then 'F' else 'M' end",
        "BirthDate": "strftime(s.born_on, '%Y-%m-%dT00:00:00Z')",
        "MultiRace": yes.format("s.race = 'multiple'"),
        "HispanicOrLatino": yes.format("s.race = 'hispanic'"),
        "AmericanIndianOrAlaskaNative": yes.format("s.race = 'native'"),
        "Asian": yes.format("s.race = 'asian'"),
        "BlackOrAfricanAmerican": yes.format("s.race = 'black'"),
        "NativeHawaiianOrOtherPacificIslander": "'No'",
        "White": yes.format("s.race = 'white'"),
        "CurrentGrade": grade,
        "EnrollmentStatus": f"case when s.leaves_on <= date '{arrived_at:%Y-%m-%d}' then 'Withdrawn' else 'Enrolled' end",
        "DistrictRenaissanceID": "guid('star district', 1)",
        "DistrictIdentifier": f"'{DISTRICT_ID}'",
        "DistrictStateID": f"'{DISTRICT_ID}'",
        "DistrictName": f"'{DISTRICT_NAME}'",
        "SchoolRenaissanceID": "guid('star school', t.school)",
        "SchoolSourcedID": "c.sourced_id",
        "SchoolIdentifier": "c.school_id",
        "SchoolName": "c.name",
        "CourseName": f"'Reading Grade ' || {grade}",
        "GroupOrClassName": "'Homeroom ' || c.school_id || '-' || s.grade",
        "AssessmentID": f"guid('{'star test' if year == THIS_YEAR else f'star test {year.end}'}', t.ix)",
        "LaunchDate": f"strftime({utc} - to_minutes(14 + t.ix % 9), {stamp}) || {milliseconds}",
        "CompletedDate": f"strftime({utc}, {stamp}) || {milliseconds}",
        "CompletedDateLocal": f"strftime({local}, {stamp}) || {milliseconds}",
        "AssessmentNumber": "t.number",
        "AssessmentType": "case when t.is_monitoring then 'Progress Monitoring' else 'Enterprise' end",
        "AssessmentStatus": f"case when {deactivated} then 'Deactivated' else 'Active' end",
        "DeactivationReason": f"case when {deactivated} then 'Test environment was disrupted' end",
        "GradePlacement": f"printf('%.2f', s.grade + least(9, greatest(0, date_diff('month', date '{year.end - 1}-09-01', t.tested_on))) / 10.0)",
        "Grade": grade,
        "ExtraTime": yes.format("s.has_iep and t.ix % 3 = 0"),
        "ScaledScore": "greatest(0, least(1400, (t.unified - 600) * 5 // 3))",
        "StandardErrorOfMeasurement": "printf('%.3f', 0.34 + (t.ix * 7 % 90) / 1000.0)",
        "RaschScore": "printf('%.2f', (t.unified - 950) / 55.0)",
        "UnifiedScore": "t.unified",
        "GradeEquivalent": "case when t.unified > 1180 then '>12.9' else printf('%.1f', greatest(0, (t.unified - 720) / 55.0)) end",
        "PercentileRank": "t.pr",
        "NormalCurveEquivalent": "printf('%.1f', 1 + (t.pr - 1) * 98 / 98.0)",
        "InstructionalReadingLevel": "case when t.unified < 780 then 'PP' else printf('%.1f', greatest(0.1, (t.unified - 760) / 55.0)) end",
        "LowerZoneOfProximalDevelopment": "printf('%.1f', greatest(0.5, (t.unified - 780) / 60.0))",
        "UpperZoneOfProximalDevelopment": "printf('%.1f', greatest(1.5, (t.unified - 720) / 60.0))",
        "Lexile": "case when t.unified < 800 then 'BR' || ((805 - t.unified) * 2 // 5 * 5) || 'L' else ((t.unified - 795) * 3 // 5 * 5) || 'L' end",
        "TotalTimeInSeconds": "480 + t.ix * 31 % 900",
        "TotalCorrect": "14 + t.ix % 15",
        "TotalPossible": "34",
        **{f"StudentGrowthPercentile{pair}": f"t.growth_{pair}" for pair in GROWTH_PAIRS},
        "ScreeningPeriodWindowName": "['Fall', 'Winter', 'Spring'][t.window_ix + 1]",
        "ScreeningWindowStartDate": words([f"{opens}T00:00:00Z" for opens, _ in year.windows.values()]) + "[t.window_ix + 1]",
        "ScreeningWindowEndDate": words([f"{closes}T00:00:00Z" for _, closes in year.windows.values()]) + "[t.window_ix + 1]",
        "RenaissanceBenchmarkCategoryName": f"{words(['At/Above Benchmark', 'On Watch', 'Intervention', 'Urgent Intervention'])}[{category}]",
        "RenaissanceBenchmarkCategoryLevel": category,
        "RenaissanceBenchmarkCategoryNumberOfLevels": "4",
        "RenaissanceBenchmarkCategoryMinPercentileRank": f"[40, 25, 10, 1][{category}]",
        "RenaissanceBenchmarkCategoryMaxPercentileRank": f"[99, 39, 24, 9][{category}]",
        "CurrentSGP": "t.current",
        "TakenAt": "'school'",
        "StudentDisplayID": "s.local_id",
    }
    rows = (
        f"from {year.table('star_numbers')} as t join {year.table('student')} as s on s.ix = t.student join school as c on c.ix = t.school "
        f"where t.tested_on < date '{arrived_at:%Y-%m-%d}' order by t.ix"
    )
    return Table(headers.STAR, values, rows)


def write_state(landing: Landing, students: Students, last_year: StateResults, this_year: StateResults) -> None:
    """The canonical long file of last spring (sent in August) and of this spring (sent in late June)."""
    for years_ago, results, arrived_on in ((1, last_year, date(2025, 8, 20)), (0, this_year, date(2026, 6, 24))):
        landing.connection.register("state_numbers", _state_table(students, results))
        year_end = SCHOOL_YEAR_END - years_ago
        landing.csv("state_assessment", f"state_results_spring_{year_end}.csv", at(arrived_on, 15), _state_results(year_end))
        landing.connection.unregister("state_numbers")


def _state_table(students: Students, results: StateResults) -> pa.Table:
    return pa.table(
        {
            "ix": np.arange(len(results.student)),
            "student": results.student,
            "subject": results.subject,
            "tested_grade": results.grade,
            "status": results.status,
            "score": results.scale_score,
            "level": results.level,
            "pct": results.percentile,
        }
    )


def _state_results(year_end: int) -> Table:
    def scored(value: str) -> str:
        return f"case when t.status = 0 then {value} end"

    values = {
        "district_id": f"'{DISTRICT_ID}'",
        "state_test_id": f"'ST{year_end}-' || printf('%07d', t.ix)",
        "assessment_family": "'State Summative'",
        "subject": f"{words(SUBJECTS)}[t.subject + 1]",
        "tested_grade": "t.tested_grade",
        "enrolled_grade": "t.tested_grade",
        "school_year_end": str(year_end),
        "admin_window": "'Spring'",
        "test_date": scored(f"strftime(date '{year_end}-04-28' + cast(t.subject + t.ix % 5 as integer), '%Y-%m-%d')"),
        "state_student_id": "s.state_id",
        "local_student_id": "s.local_id",
        "testing_school_id": "c.school_id",
        "accountable_school_id": "c.school_id",
        "scale_score": scored("t.score"),
        "score_sem": scored("printf('%.1f', 8 + (t.ix % 40) / 10.0)"),
        "level_number": scored("t.level"),
        "level_label": scored(f"{words(LEVELS)}[t.level + 1]"),
        "is_proficient": scored("case when t.level >= 3 then 'true' else 'false' end"),
        "percentile": scored("t.pct"),
        "status": f"{words(STATUSES)}[t.status + 1]",
        "status_reason": f"nullif({words(STATUS_REASONS)}[t.status + 1], '')",
        "full_academic_year": f"case when s.enters_on <= date '2025-10-01' or {year_end} < {SCHOOL_YEAR_END} then 'true' else 'false' end",
        "source_layout": "'canonical'",
    }
    rows = (
        "from state_numbers as t join student as s on s.ix = t.student join school as c on c.ix = "
        f"(case when s.moves_on <= date '{year_end}-04-28' then s.next_school else s.school end) order by t.ix"
    )
    return Table(headers.STATE_CANONICAL, values, rows)
