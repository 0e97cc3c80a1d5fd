"""Small districts with a known truth, stacked in one warehouse: what would have happened to each tutored student is part of the simulation.

A student has a true score; the fall and spring tests see it with error; growth depends on the district, its school and the year. Who is
tutored is chosen by the fall score that the district sees, as districts do, so students picked for a bad day rise by themselves. The truth
is worked out from the same distributions, for exactly the students drawn: the chance of meeting the threshold given the fall score, with
and without tutoring.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import yaml
from scipy import stats

from obc_pipeline.documents.tables import SCHEMAS
from tests.dbt.small_lake import SmallLake

YEAR = 2026
HISTORY_YEARS = 3
GRADES = ("6", "7")
THRESHOLD = 50
INPUT_LAYER = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "input_layer"

# The test: true scores of a grade, error of one test, growth from fall to spring, in points.
MEAN = {"6": 215.0, "7": 221.0}
SPREAD = 12.0
TEST_ERROR = 3.0
GROWTH = 6.0
GROWTH_SPREAD = 5.0
ROUNDING = 1 / 12  # variance that rounding a score to whole points adds

# The publisher's norms: expected growth and its spread for a fall score, from a population that grows as GROWTH says.
_SEEN = SPREAD**2 + TEST_ERROR**2 + ROUNDING
SHRINK = SPREAD**2 / _SEEN
NORM_SD = float(np.sqrt(SPREAD**2 * (1 - SHRINK) + GROWTH_SPREAD**2 + TEST_ERROR**2 + ROUNDING))


@dataclass(frozen=True)
class Scenario:
    """One kind of district.

    name:     prefix of its districts' ids.
    effect:   what tutoring adds to growth, in standard deviations of growth (CGI).
    slope:    how much less than the norm low scorers of these districts grow, points per point of fall score: makes students "easier".
    vendors:  1, or 2 of which the first is given the higher scorers.
    """

    name: str
    effect: float
    slope: float = 0.0
    vendors: int = 1


@dataclass(frozen=True)
class Simulated:
    """What the simulation knows and the marts do not: one row per contract, with the true excess rate and effect of its students."""

    truth: pd.DataFrame
    students: pd.DataFrame


def projected_growth(grade: np.ndarray, fall: np.ndarray) -> np.ndarray:
    """Growth the norms expect for a fall score: high scores fall back, low ones rise."""
    centre = np.where(grade == "6", MEAN["6"], MEAN["7"])
    return GROWTH + (SHRINK - 1) * (fall - centre)


def simulate(scenario: Scenario, districts: int, per_grade: int, tutored_per_grade: int, seed: int) -> Simulated:
    """Students of every district, this year and HISTORY_YEARS before.

    Districts differ in level and growth, their schools and years in growth; none of that is in the norms. Tutored are drawn from the lowest
    two fifths of the fall scores.
    """
    chance = np.random.default_rng(seed)
    years = np.arange(YEAR - HISTORY_YEARS, YEAR + 1)
    shape = (districts, len(years), len(GRADES), per_grade)
    index = np.indices(shape)
    district, year, grade_place = (part.ravel() for part in index[:3])
    size = district.size

    level = chance.normal(0, 4, districts)
    growth_of_district = chance.normal(0, 1.2, districts)
    growth_of_year = chance.normal(0, 0.4, (districts, len(years)))
    schools = 4
    growth_of_school = chance.normal(0, 0.3, (districts, schools))
    school = chance.integers(0, schools, size)

    grade = np.array(GRADES)[grade_place]
    centre = np.where(grade == "6", MEAN["6"], MEAN["7"])
    true_fall = centre + level[district] + chance.normal(0, SPREAD, size)
    fall = np.round(true_fall + chance.normal(0, TEST_ERROR, size))
    drift = (
        growth_of_district[district]
        + growth_of_year[district, year]
        + growth_of_school[district, school]
        + scenario.slope * (true_fall - centre - level[district])
    )
    frame = pd.DataFrame(
        {
            "district": district,
            "school_year_end": years[year],
            "grade": grade,
            "school": school,
            "fall": fall,
            "is_english_learner": chance.random(size) < 0.15,
            "is_iep": chance.random(size) < 0.12,
        }
    )
    frame["vendor"] = _chosen(frame, scenario, tutored_per_grade, chance)
    added = scenario.effect * NORM_SD * (frame["vendor"] >= 0).to_numpy()
    spring = np.round(true_fall + GROWTH + drift + added + chance.normal(0, GROWTH_SPREAD, size) + chance.normal(0, TEST_ERROR, size))
    frame["spring"] = spring
    frame["projected"] = projected_growth(grade, fall)
    frame["cgi"] = (spring - fall - frame["projected"]) / NORM_SD
    frame["cgp"] = np.clip(np.round(100 * stats.norm.cdf(frame["cgi"])), 1, 99)

    # Given the fall score the true score is normal around its shrunken value: the chance of the threshold follows, with and without.
    expected_true = centre + level[district] + SHRINK * (fall - centre - level[district])
    spread = np.sqrt(SPREAD**2 * (1 - SHRINK) * (1 + scenario.slope) ** 2 + GROWTH_SPREAD**2 + TEST_ERROR**2 + ROUNDING)
    drift_expected = drift + scenario.slope * (expected_true - true_fall)
    # A percentile of 50 is an index that rounds to it; a whole-point score must reach the next whole point.
    needed = np.ceil(fall + frame["projected"] + NORM_SD * stats.norm.ppf((THRESHOLD - 0.5) / 100)) - 0.5
    without = stats.norm.sf((needed - expected_true - GROWTH - drift_expected) / spread)
    with_tutoring = stats.norm.sf((needed - expected_true - GROWTH - drift_expected - added) / spread)
    frame["chance_without"] = without
    frame["chance_with"] = with_tutoring
    frame["scenario"] = scenario.name
    number = np.char.zfill(district.astype(str), 3)
    frame["district_id"] = np.char.add(f"{scenario.name}", number)
    frame["school_id"] = frame["district_id"] + "-" + frame["school"].astype(str)
    frame["student_id"] = frame["district_id"] + "-" + pd.Series(np.arange(size)).astype(str)
    contract = frame["district_id"] + "-" + np.where(frame["vendor"] == 0, "A", "B")
    frame["contract_id"] = contract.where(frame["vendor"] >= 0)
    tutored = frame[frame["vendor"] >= 0]
    truth = (
        tutored.groupby("contract_id")
        .agg(
            scenario=("scenario", "first"),
            district_id=("district_id", "first"),
            n_students=("student_id", "size"),
            achieved=("cgp", lambda values: float((values >= THRESHOLD).mean())),
            with_tutoring=("chance_with", "mean"),
            without=("chance_without", "mean"),
        )
        .reset_index()
    )
    truth["excess"] = truth["with_tutoring"] - truth["without"]
    truth["effect"] = scenario.effect
    return Simulated(truth, frame)


def _chosen(frame: pd.DataFrame, scenario: Scenario, tutored_per_grade: int, chance: np.random.Generator) -> np.ndarray:
    """-1 untutored, else the vendor's number. This year only, by lot among the lowest two fifths of the fall scores of the grade; of two
    vendors the first gets the upper half of that pool, the second the lower."""
    vendor = np.full(len(frame), -1)
    this_year = frame[frame["school_year_end"] == YEAR]
    for _, group in this_year.groupby(["district", "grade"], sort=True):
        pool = group.index.to_numpy()[np.argsort(np.asarray(group["fall"]), kind="stable")][: int(len(group) * 0.4)]
        parts = [pool] if scenario.vendors == 1 else [pool[len(pool) // 2 :], pool[: len(pool) // 2]]
        for number, part in enumerate(parts):
            vendor[chance.choice(part, tutored_per_grade, replace=False)] = number
    return vendor


def create_input_tables(lake: SmallLake) -> None:
    """Empty input-layer tables with the columns their public contract states."""
    with duckdb.connect(str(lake.path)) as connection:
        connection.execute("CREATE SCHEMA input_layer")
        for path in sorted(INPUT_LAYER.glob("input__*.yml")):
            for declared in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
                columns = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in declared["columns"])
                connection.execute(f"CREATE TABLE input_layer.{declared['name']} ({columns})")


def put_frame(connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    """Appends a frame's columns to a table by name; columns not there stay NULL."""
    names = ", ".join(f'"{column}"' for column in frame.columns)
    connection.register("put_frame", frame)
    connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM put_frame")
    connection.unregister("put_frame")


def write(lake: SmallLake, simulated: list[Simulated]) -> None:
    """Puts districts into the input layer and their contracts into the documents."""
    students = pd.concat([part.students for part in simulated], ignore_index=True)
    truth = pd.concat([part.truth for part in simulated], ignore_index=True)
    with duckdb.connect(str(lake.path)) as connection:
        schools = students[["school_id", "district_id"]].drop_duplicates()
        put_frame(
            connection, "input_layer.input__school", schools.assign(school_key=schools["school_id"], school_name=schools["school_id"])
        )
        now = students.loc[students["school_year_end"] == YEAR]
        put_frame(
            connection,
            "input_layer.input__student",
            now.loc[:, ["student_id", "school_id"]].assign(student_key=now["student_id"], grade_level=now["grade"]),
        )
        put_frame(
            connection,
            "input_layer.input__school_enrollment",
            pd.DataFrame({"student_key": now["student_id"], "school_id": now["school_id"], "enrolled_on": date(YEAR - 1, 8, 11)}),
        )
        rostered = now.loc[now["vendor"] >= 0]
        put_frame(
            connection,
            "input_layer.input__roster_assignment",
            rostered.loc[:, ["contract_id", "student_id", "school_id"]].assign(
                student_key=rostered["student_id"], start_on=date(YEAR - 1, 10, 6), source="roster", file_id="roster.1", row_number=1
            ),
        )
        for column, program in (("is_english_learner", "EL"), ("is_iep", "IEP")):
            enrolled = now.loc[now[column]]
            put_frame(
                connection,
                "input_layer.input__program_status",
                enrolled.loc[:, ["student_id"]].assign(student_key=enrolled["student_id"], program=program, begin_on=date(YEAR - 1, 8, 11)),
            )
        _write_tests(connection, students)
        _write_contracts(connection, truth)


def _write_tests(connection: duckdb.DuckDBPyConnection, students: pd.DataFrame) -> None:
    for window, score, month, day, years_back in (("FALL", "fall", 9, 10, 1), ("SPRING", "spring", 5, 5, 0)):
        tests = pd.DataFrame(
            {
                "assessment_result_key": students["student_id"] + "-" + window,
                "student_key": students["student_id"],
                "student_id": students["student_id"],
                "instrument": "NWEA_MAP_MATH",
                "subject": "MATH",
                "grade_level": students["grade"],
                "school_year_end": students["school_year_end"],
                "window_id": window,
                "tested_on": [date(year - years_back, month, day) for year in students["school_year_end"]],
                "test_type": "GROWTH",
                "score": students[score],
                "score_se": TEST_ERROR,
                "is_growth_event": True,
                "is_valid": True,
                "school_id": students["school_id"],
                "source": "nwea_map",
                "file_id": "map.1",
                "row_number": 1,
            }
        )
        put_frame(connection, "input_layer.input__assessment_result", tests)
    for metric, column in (
        ("CGP_FALL_SPRING", "cgp"),
        ("CGI_FALL_SPRING", "cgi"),
        ("PROJECTED_GROWTH_FALL_SPRING", "projected"),
    ):
        values = pd.DataFrame(
            {
                "assessment_result_key": students["student_id"] + "-SPRING",
                "metric": metric,
                "source_column": metric,
                "value": students[column],
            }
        )
        put_frame(connection, "input_layer.input__assessment_metric", values)


def _write_contracts(connection: duckdb.DuckDBPyConnection, truth: pd.DataFrame) -> None:
    contracts: list[dict[str, Any]] = []
    windows: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    tiers: list[dict[str, Any]] = []
    for contract_id in truth["contract_id"]:
        key = {"contract_id": contract_id, "version": 1}
        contracts.append(
            key
            | {"effective_from": date(YEAR - 1, 8, 1), "provider_id": contract_id[-1], "provider_name": f"Provider {contract_id[-1]}"}
            | {"school_year_end": YEAR, "subject": "math", "service_start_on": date(YEAR - 1, 10, 6), "service_end_on": date(YEAR, 5, 15)}
            | {"required_sessions": 72, "sessions_per_week": 3, "min_session_minutes": 30, "max_group_size": 4}
        )
        for window, opens, closes in (
            ("FALL", date(YEAR - 1, 8, 18), date(YEAR - 1, 10, 3)),
            ("SPRING", date(YEAR, 4, 20), date(YEAR, 5, 29)),
        ):
            windows.append(key | {"window_id": window, "opens_on": opens, "closes_on": closes, "data_due_on": date(YEAR, 6, 12)})
        lines.append(
            key
            | {"line_id": "G1", "outcome_name": "Growth in mathematics", "outcome_class": "GROWTH", "instrument": "NWEA_MAP_MATH"}
            | {"metric": "CGP_FALL_SPRING", "baseline_window": "FALL", "end_window": "SPRING", "comparator": ">=", "tier_mode": "BEST_TIER"}
            | {"price_unit": "PER_STUDENT_OUTCOME", "dosage_min_rate_numerator": 0, "dosage_min_rate_denominator": 100}
        )
        tiers.append(
            key | {"line_id": "G1", "tier_number": 1, "kind": "TIER", "threshold": Decimal(THRESHOLD), "price_amount": Decimal(500)}
        )
    rows = {"contract": contracts, "contract_window": windows, "rate_card_line": lines, "rate_card_tier": tiers}
    rows["district"] = [{"district_id": "2800001", "district_name": "Stacked", "school_year_end": YEAR}]
    for table, values in rows.items():
        schema = pa.schema(list(SCHEMAS[table].items()))
        stacked = pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in values], schema)  # noqa: F841
        connection.execute(f"INSERT INTO documents.{table} SELECT * FROM stacked")
