"""A test that its own file states with two scores is known as such; a repeated row and a restatement are not."""

from __future__ import annotations

from pathlib import Path

from tests.dbt.small_lake import SmallLake
from tests.payment.conftest import dbt

MAP = {
    "student_id": "1", "term_name": "Spring 2025-2026", "course": "Math K-12", "test_name": "Growth: Math 6+", "test_start_date": "2026-05-04",
    "test_start_time": "09:00:00", "norms_reference_data": "2025", "test_id": "t1", "test_rit_score": 220,
    "fall_to_spring_conditional_growth_percentile": 55,
}  # fmt: skip
STAR = {"assessment_id": "a1", "unified_score": 1000, "student_growth_percentile_fall_spring": 51}
STATE = {"state_test_id": "s1", "scale_score": 430, "level_number": 3}


def test_two_scores_of_one_test(tmp_path: Path) -> None:
    lake = SmallLake(tmp_path / "warehouse.duckdb")
    map_rows = [
        MAP,
        MAP | {"fall_to_spring_conditional_growth_percentile": 49},  # the same test, a lower percentile: 2 and 1 contradict each other
        MAP | {"student_id": "2"},
        MAP | {"student_id": "2", "test_id": "t2", "test_rit_score": 230},  # another test
        MAP | {"student_id": "3"},
        MAP | {"student_id": "3", "norms_reference_data": "2020", "test_rit_score": 221},  # the same test by other norms
    ]
    lake.put("lake.nwea_map__assessment_results", map_rows, "map", rank=1)
    lake.put("lake.nwea_map__assessment_results", [MAP | {"student_id": "3", "test_rit_score": 199}], "map", rank=2)  # restated
    lake.put("lake.renaissance_star__star_test", [STAR, STAR | {"student_growth_percentile_fall_spring": None}], "star")
    lake.put("lake.renaissance_star__star_test", [STAR | {"assessment_id": "a2"}], "star")
    lake.put("lake.state_assessment__canonical_result", [STATE, STATE | {"level_number": 2}, STATE | {"state_test_id": "s2"}], "state")
    result = dbt(lake.path, tmp_path / "target", "run", "--select", "+input__assessment_conflict")
    assert result.exception is None, result.exception
    found = lake.rows("select file_id, row_number from input_layer.input__assessment_conflict order by row_number")
    assert [(row["file_id"], row["row_number"]) for row in found] == [
        ("map.1", 1), ("map.1", 2), ("star.1", 8), ("star.1", 9), ("state.1", 11), ("state.1", 12),
    ]  # fmt: skip
