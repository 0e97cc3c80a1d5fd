"""The improvement sources take what can be used and quarantine the rows that contradict themselves, each with its rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_files_as_received import read

FACTORS = """factor_id,factor,kind,school_id,starts_on,ends_on,value,unit
F1,Flu-like illness,RATE,0201,2026-02-09,2026-02-13,0.08,share
F1,Flu-like illness,RATE,,02/16/2026,,0,share
F1,Flu-like illness,RATE,0201,2026-02-23,2026-02-27,,share
S1,Snow,EVENT,,2026-01-30,2026-01-26,,
S2,Snow,WEATHER,,2026-01-30,,,
"""
NOTES = """note_id,noted_on,note_kind,respondent_group,theme,sentiment,respondent_count,text
N1,2026-02-09,FOCUS_GROUP,english_learner=yes,late,-1,8,What was said
N2,2026-02-09,focus group,,late,,,What was said
N3,2026-02-09,SURVEY,English learners,late,0,3,
N4,2026-02-09,SURVEY,,late,5,3,
N5,2026-02-09,SURVEY,,,1,3,
"""
MEETINGS = """meeting_id,workgroup_id,held_on,is_data_reviewed
M1,district_data_review,2026-02-09,yes
M2,somebody_new,2026-02-10,
M3,,2026-02-10,no
"""
ACTIONS = """action_id,raised_on,action_text,status,started_on,check_on,due_on,metric_id,population_dimension,population_category
A1,2026-02-09,Escort,STARTED,2026-02-16,2026-03-16,2026-02-20,skip_in_school,grade,7
A2,2026-02-09,Newsletter,DONE,,,,,,
A3,2026-02-09,Smiles,DONE,,,,smiles,,
A4,2026-02-09,Escort,STARTED,2026-02-16,2026-02-01,,skip_in_school,,
A5,2026-02-09,Escort,STARTED,,,2026-01-01,skip_in_school,,
A6,2026-02-09,Escort,BEGUN,,,,skip_in_school,,
A7,2026-02-09,Escort,PLANNED,,,,skip_in_school,grade,
"""
FOLLOW_UPS = """contract_id,student_id,followed_up_on,kind,text
C1,00412345,2026-02-09,CALL,What came of it
C1,00412345,2026-02-10,schedule change,
C1,4.12E+05,2026-02-10,CALL,
C1,00412345,2026-02-11,LETTER,
"""
COSTS = """cost_id,contract_id,option_id,ingredient,paid_by,starts_on,ends_on,amount,is_planned
1,C1,,STAFF_TIME,DISTRICT,2025-10-06,2026-05-15,1200.50,no
2,,O1,space,grant,2025-10-06,,-20,yes
3,,,SPACE,DISTRICT,2025-10-06,,20,yes
4,C1,,SNACKS,DISTRICT,2025-10-06,,20,yes
5,C1,,SPACE,DISTRICT,2025-10-06,2025-10-01,20,yes
6,C1,,SPACE,DISTRICT,2025-10-06,,"1,200 $",yes
"""
OPTIONS = """option_id,need,option_name,outcome_rate_gain_low,outcome_rate_gain_base,outcome_rate_gain_high,evidence_grade,capacity_students
O1,Mathematics,Tutoring,0.05,0.10,0.15,STRONG,120
O2,Mathematics,Nothing known yet,,,,,
O3,Mathematics,In percent,5,10,15,STRONG,
O4,Mathematics,Upside down,0.15,0.10,0.05,STRONG,
O5,Mathematics,By hearsay,0.05,0.10,0.15,HEARSAY,
"""


@pytest.mark.parametrize(
    ("format_name", "text", "accepted", "rules"),
    [
        ("external_factors", FACTORS, 2, {"rule:rate_has_value", "rule:span_ends_after_it_starts", "rule:kind_known"}),
        ("ci_note", NOTES, 2, {"rule:respondent_group_is_pair", "rule:sentiment_in_range", "missing:theme"}),
        ("ci_meeting", MEETINGS, 2, {"missing:workgroup_id"}),
        ("ci_action", ACTIONS, 3, {"rule:checked_after_start", "rule:due_after_raised", "rule:status_known", "rule:population_is_pair"}),
        ("ci_follow_up", FOLLOW_UPS, 2, {"excel_id:student_id", "rule:kind_known"}),
        ("cost", COSTS, 2, {"rule:cost_of_something", "rule:ingredient_known", "rule:span_ends_after_it_starts", "untyped:amount"}),
        ("program_option", OPTIONS, 2, {"rule:gain_low_is_share", "rule:base_not_below_low", "rule:evidence_grade_known"}),
    ],
)
def test_what_contradicts_itself_is_quarantined_and_the_rest_goes_on(
    format_name: str, text: str, accepted: int, rules: set[str], tmp_path: Path
) -> None:
    path = tmp_path / f"{format_name}.csv"
    path.write_text(text, encoding="utf-8")
    report, verdict = read(path, format_name)
    assert (report.status, report.accepted) == ("READ", accepted)
    assert {row["rule"] for row in verdict.quarantined} == rules
    assert report.rows_in == report.accepted + report.quarantined == text.count("\n") - 1


@pytest.mark.parametrize(("format_name", "text"), [("ci_note", NOTES), ("ci_follow_up", FOLLOW_UPS)])
def test_what_was_said_is_not_in_the_reasons(format_name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / f"{format_name}.csv"
    path.write_text(text, encoding="utf-8")
    _, verdict = read(path, format_name)
    assert all("said" not in str(row["reason"]) and "00412345" not in str(row["reason"]) for row in verdict.quarantined)
