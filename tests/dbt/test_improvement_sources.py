"""The input models of the improvement sources on hand-made rows: spelling, spans, unknown schools and students, what is not yet known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from building import run_dbt
from small_district import fill
from small_lake import SmallLake

NEW = ("external_factor", "ci_note", "ci_meeting", "ci_action", "ci_follow_up", "cost", "program_option")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, dbt_target: Path) -> SmallLake:
    """The small district, as of 2026-01-30, with rows of every improvement source; the input layer is built with its data tests."""
    lake = SmallLake(tmp_path_factory.mktemp("improvement_sources") / "warehouse.duckdb")
    fill(lake)
    _factors(lake)
    _people(lake)
    _actions(lake)
    _money(lake)
    _grades(lake)
    selected = [*(f"+input__{name}" for name in NEW), "+input__assessment_result"]
    result = run_dbt(
        lake.path, dbt_target, ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious", "--select", *selected]
    )
    bad = [f"{r.node.name}: {r.message}" for r in (result.result or []) if str(r.status) not in {"success", "pass"}]
    assert result.exception is None, result.exception
    assert not bad, "\n".join(bad)
    return lake


def _factors(lake: SmallLake) -> None:
    flu = {"factor_id": "flu", "factor": " Flu-like illness ", "kind": "rate", "unit": "share"}
    week = {"starts_on": date(2026, 1, 12), "ends_on": date(2026, 1, 16)}
    lake.put(
        "lake.external_factors__factor",
        [
            flu | week | {"school_id": "N001", "value": Decimal("0.08")},
            flu | week | {"school_id": "N999", "value": Decimal("0.02")},
            flu | {"starts_on": date(2026, 1, 19), "ends_on": date(2026, 1, 23), "school_id": "N001", "value": Decimal("0.12")},
            {"factor_id": "snow", "factor": "Snow day", "kind": "EVENT", "starts_on": date(2026, 1, 23), "value": Decimal(1)},
        ],
        "external_factors",
    )
    # A newer file writes the school by its name: a correction of the same week.
    school = lake.rows("select name from lake.oneroster__orgs where identifier = 'N001'")[0]["name"]
    lake.put("lake.external_factors__factor", [flu | week | {"school_id": school, "value": Decimal("0.09")}], "external_factors", rank=2)


def _people(lake: SmallLake) -> None:
    note = {"note_kind": "focus group", "contract_id": "MATH-1", "respondent_role": " Student ", "respondent_count": 8, "sentiment": -1}
    lake.put(
        "lake.ci_note__note",
        [
            note | {"note_id": "n1", "noted_on": date(2026, 1, 20), "theme": "late", "respondent_group": "english_learner = yes"},
            note | {"note_id": "n2", "noted_on": date(2026, 2, 1), "theme": "late"},
        ],
        "ci_note",
    )
    lake.put("lake.ci_note__note", [note | {"note_id": "n1", "noted_on": date(2026, 1, 20), "theme": "tutor is late"}], "ci_note", rank=2)
    met = {"workgroup_id": "District_Vendor_Coordination", "attendee_roles": "District academics team; Vendor program coordinator"}
    lake.put(
        "lake.ci_meeting__meeting",
        [
            met | {"meeting_id": "m1", "held_on": date(2026, 1, 14), "is_data_reviewed": True},
            met | {"meeting_id": "m2", "held_on": date(2026, 2, 4)},
        ],
        "ci_meeting",
    )
    call = {"contract_id": "MATH-1", "followed_up_on": date(2026, 1, 13), "kind": "schedule change"}
    lake.put(
        "lake.ci_follow_up__follow_up",
        [
            call | {"student_id": "00001", "by_role": "Counselor"},
            call | {"student_id": "77777"},
            call | {"student_id": "00001", "followed_up_on": date(2026, 2, 2)},
        ],
        "ci_follow_up",
    )


def _actions(lake: SmallLake) -> None:
    agreed = {"raised_on": date(2026, 1, 14), "status": "started", "owner_party": "joint", "action_text": "Escort from class"}
    lake.put(
        "lake.ci_action__action",
        [
            agreed | {"action_id": "a1", "metric_id": " Tutoring_Attendance ", "wanted_direction": "up", "school_id": "N001"},
            agreed | {"action_id": "a2", "school_id": "Closed School"},
            agreed | {"action_id": "a3", "metric_id": "smiles"},
        ],
        "ci_action",
    )


def _money(lake: SmallLake) -> None:
    cost = {"ingredient": "staff_time", "paid_by": "district", "starts_on": date(2025, 10, 6), "is_planned": False}
    lake.put("lake.cost__cost", [cost | {"cost_id": "1", "contract_id": "MATH-1", "amount": Decimal("1200.50")}], "costs_academics")
    lake.put("lake.cost__cost", [cost | {"cost_id": "1", "option_id": "o1", "amount": Decimal("-20.00")}], "costs_transport")
    option = {
        "option_id": "o1",
        "need": "Grade 6-8 mathematics",
        "option_name": "Summer program",
        "outcome_rate_gain_base": Decimal("0.05"),
    }
    lake.put("lake.program_option__option", [option | {"evidence_grade": "promising", "sustainability_years": Decimal("1.5")}], "options")


def _grades(lake: SmallLake) -> None:
    """MAP's Comprehensive file has the grade of a term beside the tests; Star says it itself, or by placement; a state file by the test."""
    term = "Winter 2025-2026"
    lake.put(
        "lake.nwea_map__students_by_school", [{"student_id": "00008", "term_name": term, "school_name": "x", "grade": "13"}], "nwea_map"
    )
    star = {"student_identifier": "00001", "school_year": "2025-2026", "product": "SR", "completed_date_local": "2025-09-10T09:00:00.000Z"}
    lake.put(
        "lake.renaissance_star__star_test",
        [star | {"assessment_id": "g1", "grade": "04"}, star | {"assessment_id": "g2", "grade_placement": Decimal("4.05")}],
        "renaissance_star",
    )
    state = {"local_student_id": "00001", "subject": "math", "school_year_end": 2025, "status": "scored", "enrolled_grade": "5"}
    lake.put("lake.state_assessment__canonical_result", [state | {"state_test_id": "g3"}], "state_assessment")


def _one(lake: SmallLake, sql: str) -> dict[str, Any]:
    found = lake.rows(sql)
    assert len(found) == 1, found
    return found[0]


def test_a_blank_school_is_all_and_an_unknown_one_is_none_of_ours(lake: SmallLake) -> None:
    spans = lake.rows("select factor_id, kind, school_id, starts_on, ends_on, value from input_layer.input__external_factor order by all")
    assert [tuple(span.values()) for span in spans] == [
        ("flu", "RATE", "N001", date(2026, 1, 12), date(2026, 1, 16), Decimal("0.09")),  # the newer file, by name
        ("flu", "RATE", "N001", date(2026, 1, 19), date(2026, 1, 23), Decimal("0.12")),
        ("flu", "RATE", "N999", date(2026, 1, 12), date(2026, 1, 16), Decimal("0.02")),
        ("snow", "EVENT", None, date(2026, 1, 23), date(2026, 1, 23), None),
    ]


def test_a_note_says_what_its_newest_row_says_and_only_from_its_day_on(lake: SmallLake) -> None:
    note = _one(lake, "select * from input_layer.input__ci_note")
    assert (note["note_id"], note["note_kind"], note["theme"], note["respondent_group"]) == ("n1", "FOCUS_GROUP", "tutor is late", None)
    assert (note["respondent_role"], note["sentiment"], note["respondent_count"]) == ("student", -1, 8)
    assert "text" not in note


def test_a_meeting_of_next_week_was_not_held_yet(lake: SmallLake) -> None:
    meeting = _one(lake, "select * from input_layer.input__ci_meeting")
    assert (meeting["meeting_id"], meeting["workgroup_id"], meeting["is_data_reviewed"]) == ("m1", "district_vendor_coordination", True)


def test_an_action_that_cannot_be_judged_stays(lake: SmallLake) -> None:
    actions = lake.rows(
        "select action_id, metric_id, school_id, status, owner_party, wanted_direction from input_layer.input__ci_action order by 1"
    )
    assert [tuple(action.values()) for action in actions] == [
        ("a1", "tutoring_attendance", "N001", "STARTED", "JOINT", "UP"),
        ("a2", None, "Closed School", "STARTED", "JOINT", None),
        ("a3", "smiles", None, "STARTED", "JOINT", None),
    ]


def test_a_follow_up_finds_its_student_or_stays_without_a_key(lake: SmallLake) -> None:
    found = lake.rows(
        "select student_id, student_key is not null as is_known, kind, by_role from input_layer.input__ci_follow_up order by 1"
    )
    assert [tuple(row.values()) for row in found] == [
        ("00001", True, "SCHEDULE_CHANGE", "Counselor"),
        ("77777", False, "SCHEDULE_CHANGE", None),
    ]


def test_two_feeds_may_number_their_costs_alike(lake: SmallLake) -> None:
    costs = lake.rows("select source, cost_id, contract_id, option_id, ingredient, amount, ends_on from input_layer.input__cost order by 1")
    assert [tuple(cost.values()) for cost in costs] == [
        ("costs_academics", "1", "MATH-1", None, "STAFF_TIME", Decimal("1200.50"), date(2025, 10, 6)),
        ("costs_transport", "1", None, "o1", "STAFF_TIME", Decimal("-20.00"), date(2025, 10, 6)),
    ]
    option = _one(lake, "select * from input_layer.input__program_option")
    assert (option["evidence_grade"], option["outcome_rate_gain_low"], option["sustainability_years"]) == (
        "PROMISING",
        None,
        Decimal("1.50"),
    )


def test_the_grade_at_the_test_is_where_the_export_states_it(lake: SmallLake) -> None:
    grades = lake.rows("select coalesce(test_id, instrument) as test, grade_level from input_layer.input__assessment_result")
    assert {row["test"]: row["grade_level"] for row in grades if row["grade_level"]} == {
        "NWEA_MAP_LANGUAGE_USAGE": "KG",
        "g1": "4",
        "g2": "4",
        "g3": "5",
    }
