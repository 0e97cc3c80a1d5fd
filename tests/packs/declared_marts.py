"""A published file with every mart as its contract declares it, and the rows a test puts in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from ruamel.yaml import YAML

MODELS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"
AS_OF = date(2026, 3, 31)


@cache
def declared() -> dict[str, dict[str, str]]:
    """`schema.table` -> column -> type, of every mart's contract; the schema is the folder."""
    tables: dict[str, dict[str, str]] = {}
    for path in sorted(MODELS.rglob("*.yml")):
        for model in YAML(typ="safe").load(path.read_text(encoding="utf-8")).get("models", []):
            columns = {column["name"]: column["data_type"] for column in model.get("columns", []) if "data_type" in column}
            if columns:
                tables[f"{path.parent.relative_to(MODELS).parts[0]}.{model['name']}"] = columns
    return tables


def write_marts(
    path: Path,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    leave_out: Sequence[str] = (),
    tables: Mapping[str, Mapping[str, str]] | None = None,
) -> Path:
    """A file with all marts (or those of `tables`) but those left out; in each the given rows, NULL where a row says nothing."""
    with duckdb.connect(str(path)) as connection:
        for table, columns in (declared() if tables is None else tables).items():
            if table in leave_out:
                continue
            connection.execute(f"create schema if not exists {table.split('.')[0]}")
            connection.execute(f"create table {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
            for row in rows.get(table, ()):
                unknown = set(row) - set(columns)
                assert not unknown, f"{table} has no {unknown}"
                connection.execute(f"insert into {table} by name select {', '.join(f'? as {name}' for name in row)}", list(row.values()))
        connection.execute("create schema if not exists quality")
        connection.execute(
            "create table quality.published_run as select 'run-1' as run_id, ?::date as as_of_date, ?::timestamp as evidence_cutoff_at, '' as held_back_contracts",
            [AS_OF, datetime(2026, 3, 30, 8, 0)],
        )
    return path


def small_district() -> dict[str, list[dict[str, Any]]]:
    """Two schools, one contract, three students, a gap, an action that worked: enough that every section says something."""
    contract, provider = "CTR-1", "brightpath"
    schools = [{"school_id": "S1", "school_name": "Aspen School"}, {"school_id": "S2", "school_name": "Birch & Elm School"}]

    def student(number: int, school: str, **more: Any) -> dict[str, Any]:
        return {
            "contract_id": contract, "provider_id": provider, "student_id": f"0000{number}", "student_key": f"key{number}", "school_id": school,
            "assigned_from_on": date(2026, 1, 5), "is_active": True, "sessions_attended": 10 * number, "attendance_numerator": 10 * number,
            "attendance_denominator": 40, "attendance_rate": number / 4, "attended_minutes": 300 * number, "same_tutor_share": 1, "is_on_pace": number > 1,
            "can_still_qualify": True, "sessions_unknown_cause": 0, "sessions_in_conflict": 0, "is_persistently_absent": number == 1,
            "attendance_factor_status": "ON_TRACK", "provider_factor_status": "ON_TRACK", "outcome_factor_status": "UNKNOWN",
        } | more  # fmt: skip

    weeks = [date(2026, 2, 2), date(2026, 2, 9), date(2026, 2, 16)]
    return {
        "core.dim_school": schools,
        "process.msr_student_tutoring": [student(1, "S1", sessions_unknown_cause=2), student(2, "S1"), student(3, "S2")],
        "process.agg_delivery_weekly": [
            {"contract_id": contract, "provider_id": provider, "school_id": "S1", "week_start_on": week, "student_sessions_scheduled": 30,
             "provider_lost_numerator": 2, "district_lost_numerator": 1, "calendar_lost_numerator": 0, "unknown_lost_numerator": 0} for week in weeks
        ],
        "process.rpt_tutoring_vs_school_attendance": [
            {"contract_id": contract, "provider_id": provider, "school_id": school, "week_start_on": week, "tutoring_numerator": 16, "tutoring_denominator": 20,
             "school_numerator": 19, "school_denominator": 20, "skip_numerator": 3, "skip_denominator": 19, "n_students": 12}
            for week in weeks for school in ("S1", "S2")
        ],
        "quality.data_map_status": [
            {"row_id": "cgp", "metric": "Growth <percentile>", "kind": "PAYMENT", "system": "MAP", "owner_role": "Coordinator", "is_fresh": False, "accuracy_status": "TRUSTED"}
        ],
        "payable.rpt_contract_summary": [
            {"contract_id": contract, "provider_id": provider, "provider_name": "Brightpath", "subject": "math", "students_assigned": 3, "earned_count": 1,
             "earned_rate_denominator": 2, "earned_rate": 0.5, "base_amount": 1234.5, "contingent_net_amount": 500, "held_count": 0, "pending_count": 1,
             "held_amount": 0, "pending_amount": 750}
        ],
        "payable.rpt_loss_waterfall": [
            {"contract_id": contract, "line_id": "G1", "step_number": 3, "step": "DOSAGE_MET", "students_before": 3, "students_left": 2, "students_lost": 1},
            {"contract_id": contract, "line_id": "G1", "step_number": 6, "step": "OUTCOME_MET", "students_before": 2, "students_left": 1, "students_lost": 1},
        ],
        "improvement.rpt_metric_trend": [
            {"contract_id": contract, "scope": "CONTRACT", "metric_id": "tutoring_attendance", "metric_label": "Tutoring attendance", "week_start_on": week,
             "rate": rate, "mean_rate": 0.8, "lower_limit": 0.7, "upper_limit": 0.9, "is_out_of_control": rate < 0.7, "signal": "WORSE" if rate < 0.7 else None,
             "external_events": "Snow" if rate < 0.7 else None, "closed_days": 0, "n_students": 30, "status": "ok"}
            for week, rate in zip(weeks, (0.82, 0.6, 0.81), strict=True)
        ],
        "improvement.agg_outcome_subgroup": [
            {"contract_id": contract, "measure": "G1", "line_id": "G1", "metric_id": "g1", "dimension": "gender", "category": category, "n_students": 40,
             "numerator": 10, "denominator": 40, "rate": 0.25, "gap_rate": gap, "gap_low": gap - 0.1, "gap_high": gap + 0.1, "status": "ok"}
            for category, gap in (("female", 0.3), ("male", -0.3))
        ],
        "improvement.rpt_growth_vs_expected": [
            {"contract_id": contract, "line_id": "G1", "population": "all_measured", "n_students": 40, "numerator": 20, "rate": 0.5, "expected_rate": 0.4,
             "excess_rate": 0.1, "ci_low": -0.05, "ci_high": 0.25, "status": "ok"},
            {"contract_id": contract, "line_id": "P1", "population": "all_measured", "n_students": 2, "status": "not_enough_data",
             "what_is_missing": "Only 2 students have both tests; 10 are needed."},
        ],
        "payable.fct_payment_decision": [
            {"contract_id": contract, "student_id": "00002", "line_id": "G1", "metric": "CGP_FALL_WINTER", "metric_value": 63, "threshold_value": 50,
             "end_window": "WINTER", "end_tested_on": date(2026, 1, 20)}
        ],
    }  # fmt: skip
