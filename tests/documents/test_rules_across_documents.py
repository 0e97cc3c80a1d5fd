"""Rules that need more than one change to break: versions, missing feeds, what is measured when, who meets how often."""

from __future__ import annotations

import re

import pytest
from spoiled_documents import MATH, READ, Spoiled

from obc_pipeline.documents import load

MAP = "data_map.yml"
AMENDED = "contracts/CVSD-MATH-2026.v2.yml"


def _without_source(spoiled: Spoiled, name: str) -> None:
    """Takes a source out of the data map: its key and everything indented below."""
    text = spoiled.text(MAP)
    changed = re.sub(rf"(?m)^  {name}:\n(?:    .*\n|\n(?=    ))+", "", text)
    assert changed != text
    spoiled.write(MAP, changed)


def _without_row(spoiled: Spoiled, row_id: str) -> None:
    text = spoiled.text(MAP)
    changed = re.sub(rf"(?m)^  - row_id: {row_id}\n(?:    .*\n)+", "", text)
    assert changed != text
    spoiled.write(MAP, changed)


def _amend(spoiled: Spoiled, version: int = 2, effective_from: str = "2026-01-01") -> None:
    """Adds a further file with the mathematics contract as another version."""
    text = re.sub(r"(?m)^effective_to: .*\n", "", spoiled.text(MATH)).replace("version: 1", f"version: {version}")
    spoiled.write(AMENDED, re.sub(r"(?m)^effective_from: .*$", f"effective_from: {effective_from}", text))


def test_the_example_district_has_no_error_and_one_warning(spoiled: Spoiled) -> None:
    """The reading contract pays 400 of 1,300 dollars on outcomes: less than the standard 40 %, more than nothing."""
    assert [(problem.severity, problem.file) for problem in spoiled.problems()] == [("warning", READ)]
    assert "30.8 %" in spoiled.problems()[0].message


def test_an_amendment_that_leaves_the_first_version_open_overlaps_it(spoiled: Spoiled) -> None:
    _amend(spoiled)
    problem = spoiled.said("in force at the same time from 2026-01-01")
    assert problem.file == AMENDED
    assert "effective_from: 2026-01-01" in spoiled.line(problem)
    assert "effective_to: 2026-01-01 in version 1" in problem.would_be_right


def test_an_amendment_after_a_closed_version_is_fine(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "effective_from: 2025-07-01", "effective_from: 2025-07-01\neffective_to: 2026-01-01")
    _amend(spoiled)
    assert spoiled.problems("error") == []
    assert [(contract.contract_id, contract.version) for contract in load(spoiled.home).contracts] == [
        ("CVSD-MATH-2026", 1),
        ("CVSD-MATH-2026", 2),
        ("CVSD-READ-2026", 1),
    ]


def test_days_between_versions_belong_to_no_version(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "effective_from: 2025-07-01", "effective_from: 2025-07-01\neffective_to: 2025-12-01")
    _amend(spoiled)
    assert spoiled.said("No version of CVSD-MATH-2026 is in force from 2025-12-01 until 2026-01-01").severity == "warning"


def test_the_same_version_in_two_files(spoiled: Spoiled) -> None:
    _amend(spoiled, version=1)
    problem = spoiled.said(f"version 1 is also in {AMENDED}")
    assert (problem.file, problem.severity) == (MATH, "error")


def test_a_later_version_that_takes_effect_earlier(spoiled: Spoiled) -> None:
    _amend(spoiled, effective_from="2025-06-01")
    assert spoiled.said("not after version 1").severity == "error"


def test_an_amendment_does_not_change_the_provider(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "effective_from: 2025-07-01", "effective_from: 2025-07-01\neffective_to: 2026-01-01")
    _amend(spoiled)
    spoiled.replace(AMENDED, "provider_id: brightpath", "provider_id: lumen")
    assert "provider_id: lumen" in spoiled.line(spoiled.said("Version 1 of CVSD-MATH-2026 is with brightpath"))


def test_an_amendment_names_the_version_before_it(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "effective_from: 2025-07-01", "effective_from: 2025-07-01\neffective_to: 2026-01-01")
    _amend(spoiled)
    spoiled.replace(AMENDED, "version: 2", "version: 2\namendment_of: 5")
    assert "amendment_of: 1" in spoiled.said("Version 2 follows version 1").would_be_right


def test_two_sources_of_one_name(spoiled: Spoiled) -> None:
    spoiled.replace(MAP, "  exit_tickets_lumen:", "  sessions_lumen:")
    problem = spoiled.said("`sessions_lumen` is written twice")
    assert "sessions_lumen:" in spoiled.line(problem)
    assert problem.severity == "error"


def test_a_test_that_no_feed_brings(spoiled: Spoiled) -> None:
    _without_source(spoiled, "state_assessment")
    problem = spoiled.said("Nobody measures PROFICIENCY_LEVEL for the line P1")
    assert (problem.file, "instrument: STATE_TEST_MATH" in spoiled.line(problem)) == (MATH, True)
    assert "format: state_assessment" in problem.would_be_right


def test_no_roster_means_nobody_is_paid_for(spoiled: Spoiled) -> None:
    _without_source(spoiled, "contract_roster")
    problems = [problem for problem in spoiled.problems("error") if "format contract_roster" in problem.message]
    assert {problem.file for problem in problems} == {MATH, READ}


def test_a_district_default_without_its_price(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "district_default_share: 1.00\n", "")
    spoiled.replace(MATH, "district_default_scope: STUDENT\n", "")
    said = [problem for problem in spoiled.problems("error") if "tests_given makes the district pay by default" in problem.message]
    assert {"district_default_share" in problem.message or "district_default_scope" in problem.message for problem in said} == {True}
    assert len(said) == 2
    assert all("consequence: DEFAULT_PAY" in spoiled.line(problem) for problem in said)


def test_attendance_codes_are_local(spoiled: Spoiled) -> None:
    spoiled.replace(MAP, "    preset: powerschool\n", "")
    text = spoiled.text(MAP)
    spoiled.write(MAP, re.sub(r"(?m)^    attendance_codes:.*\n(?:      - .*\n)+", "", text))
    problem = spoiled.said("does not say what its attendance codes mean")
    assert "sis_attendance:" in spoiled.line(problem)


def test_attendance_codes_without_an_absence(spoiled: Spoiled) -> None:
    spoiled.write(MAP, re.sub(r"(?m)^      - \{code: [AEH],.*\n", "", spoiled.text(MAP)))
    assert "attendance_codes:" in spoiled.line(spoiled.said("No code means ABSENT"))


def test_scheduled_gates_need_to_know_why_sessions_were_missed(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "dosage_denominator: REQUIRED", "dosage_denominator: SCHEDULED_NET_OF_EXCUSED")
    assert spoiled.problems("error") == []
    _without_source(spoiled, "school_calendar")
    assert spoiled.said("no source tells closures and assessment days").severity == "warning"


def test_a_delivery_rate_cannot_be_seen_in_attended_only_logs(spoiled: Spoiled) -> None:
    duty = "obligations:\n  - {obligation_id: delivery, party: PROVIDER, scope: CONTRACT, metric: DELIVERY_RATE, value: 90%, consequence: NOTICE_ONLY,"
    spoiled.replace(READ, "obligations: []", f"{duty} evidence_source: sessions_lumen}}")
    assert "not held cannot be seen" in spoiled.said("reports attended sessions only").message


@pytest.mark.parametrize("window", ["WEEK", "MONTH", "TERM"])
def test_what_sessions_count_for_is_measured_by_any_window(spoiled: Spoiled, window: str) -> None:
    spoiled.replace(MATH, "    metric: SAME_TUTOR_SHARE\n", f"    metric: SAME_TUTOR_SHARE\n    measurement_window: {window}\n")
    assert spoiled.problems("error") == []


def test_something_must_be_measured_before_services_end(spoiled: Spoiled) -> None:
    """The seed guide's checklist: not all data may wait until the end of services."""
    _without_row(spoiled, "dosage_reading")
    assert spoiled.problems("error") == []
    _without_row(spoiled, "student_identity_reading")
    problem = spoiled.said("Nothing of CVSD-READ-2026 is measured before services end")
    assert (problem.file, spoiled.line(problem), problem.severity) == (READ, "rate_card:", "error")


def test_a_mid_year_test_is_measured_before_services_end(spoiled: Spoiled) -> None:
    """The mathematics contract has a winter line: that is enough."""
    _without_row(spoiled, "dosage_math")
    _without_row(spoiled, "student_identity_math")
    assert spoiled.problems("error") == []


def test_a_feed_that_comes_once_a_year_is_too_late_to_steer_by(spoiled: Spoiled) -> None:
    _without_row(spoiled, "student_identity_reading")
    spoiled.replace(
        MAP,
        "scheduled is not reported\n    source: sessions_lumen",
        "scheduled is not reported\n    source: sessions_lumen\n    frequency: YEARLY",
    )
    assert spoiled.said("Nothing of CVSD-READ-2026 is measured before services end").severity == "error"


def test_a_providers_feed_that_no_row_uses(spoiled: Spoiled) -> None:
    _without_row(spoiled, "student_identity_reading")
    problem = spoiled.said("No row of the data map uses the source exit_tickets_lumen")
    assert (problem.severity, "exit_tickets_lumen:" in spoiled.line(problem)) == ("warning", True)


def test_meetings_must_be_as_frequent_as_the_contract_says(spoiled: Spoiled) -> None:
    spoiled.replace("ci_structure.yml", "cadence: WEEKLY", "cadence: MONTHLY")
    problems = [problem for problem in spoiled.problems("warning") if "at least every 14 days" in problem.message]
    assert {problem.file for problem in problems} == {MATH, READ}
    assert all("ci_meeting_max_gap_days: 14" in spoiled.line(problem) for problem in problems)


def test_data_reviewed_more_often_than_the_group_meets(spoiled: Spoiled) -> None:
    spoiled.replace("ci_structure.yml", "data_review_cadence: MONTHLY", "data_review_cadence: WEEKLY")
    spoiled.replace("ci_structure.yml", "cadence: WEEKLY", "cadence: BIWEEKLY")
    assert "data_review_cadence" in spoiled.line(spoiled.said("more often than it meets"))


def test_a_home_without_contracts(spoiled: Spoiled) -> None:
    for file in (MATH, READ):
        (spoiled.home.path / file).unlink()
    assert spoiled.said("There is no contract").severity == "warning"
    assert load(spoiled.home).contracts == ()


def test_lines_may_exclude_each_other_and_then_only_one_counts_for_the_share(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "  - line_id: P1", "  - line_id: P1\n    excludes_line: G1")
    contract = load(spoiled.home).contracts[0]
    assert contract.max_contingent_per_student == 750 + 150


def test_a_fixed_number_of_sessions_is_a_share_of_the_required_ones(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "{unit: SESSIONS, min_rate: 70/100}", "{min_sessions: 50}")
    contract = load(spoiled.home).contracts[0]
    assert contract.gate_rate(contract.rate_card[0]) == (50, 72)


def test_a_line_without_a_gate_says_so(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "{unit: SESSIONS, min_rate: 70/100}", "none")
    contract = load(spoiled.home).contracts[0]
    assert contract.gate_rate(contract.rate_card[0]) == (0, 1)
