"""Every kind of problem: what is changed, which line is named, what is said, and what would be right.

One case per rule: (file, text, replaced by, text on the named line, part of the message, part of what would be right).
"""

from __future__ import annotations

import pytest
from spoiled_documents import MATH, READ, Spoiled

MAP = "data_map.yml"
CI = "ci_structure.yml"
OBC = "obc.yml"

_FORM_ERRORS = [
    (MATH, "subject: math", "subjct: math", "subjct: math", "There is no key `subjct`", "`subject`?"),
    (MATH, "subject: math\n", "", "contract_id", "`subject` is missing", "math or reading"),
    (MATH, "subject: math", "subject: maths", "subject: maths", "`maths` is none of the known values", "`math`?"),
    (MATH, "version: 1", "version: one", "version: one", "`one` is not a whole number", "digits only"),
    (MATH, "service_start: 2025-10-06", "service_start: 10/6/2025", "service_start", "`10/6/2025` is not a date", "2025-10-06"),
    (MATH, "service_end: 2026-05-15", "service_end: 2026-02-30", "service_end", "There is no day `2026-02-30`", "a day that exists"),
    (MATH, "base_rate: 600.00", "base_rate: $600", "base_rate", "`$600` is not a number", "no currency sign"),
    (MATH, "base_rate: 600.00", "base_rate: 1,000.00", "base_rate", "`1,000.00` is not a number", "no thousands separator"),
    (MATH, "base_rate: 600.00", "base_rate: 600.005", "base_rate", "parts of a cent", "two decimals"),
    (MATH, "district_default_share: 1.00", "district_default_share: 100", "district_default_share", "not between 0 and 1", "0.40 for 40 %"),
    (MATH, "min_rate: 70/100", "min_rate: 70", "min_rate: 70", "`70` is more than the whole", "70%"),
    (MATH, "min_rate: 70/100", "min_rate: 7/0", "min_rate: 7/0", "divides by zero", "70/100"),
    (MATH, "cure_days: 0", "cure_days: -1", "cure_days: -1", "-1 is too small", "at least 0"),
    (MATH, "grades: ['6', '7', '8']", "grades: ['6', '7', '13']", "grades", "`13` is not a grade", "1 to 12"),
    (MATH, "grades: ['6', '7', '8']", "grades: 6-8", "grades", "a list is wanted", "a list"),
    (
        MATH,
        "excluded_reasons: [TRANSFER, OPT_OUT, MEDICAL, DATA_ERROR]\n",
        "",
        "contract_id",
        "`excluded_reasons` is missing",
        "[] for none",
    ),
    (MATH, "excluded_reasons: [TRANSFER,", "excluded_reasons: [TRANSFERED,", "excluded_reasons", "`TRANSFERED` is none", "`TRANSFER`?"),
    (MATH, "    dosage_gate: {unit: SESSIONS, min_rate: 70/100}\n", "", "line_id: G1", "`dosage_gate` is missing", "dosage_gate"),
    (MATH, "instrument: NWEA_MAP_MATH", "instrument: NWEA_MAP_MATHS", "NWEA_MAP_MATHS", "none of the known values", "`NWEA_MAP_MATH`?"),
    (MATH, "{threshold: 35, price: 250.00}", "{treshold: 35, price: 250.00}", "treshold", "no key `treshold`", "`threshold`?"),
    (OBC, "max_drop_share: 0.10", "max_drop_share: 10%", "max_drop_share", "not a share from 0 to 1", "0.10"),
    (OBC, "max_drop_share: 0.10", "accept: [{sha256: abc, by: me, reason: x}]", "accept", "not a SHA-256 hash", "64 hex digits"),
    (OBC, "received_at_from: file_time", "received_at_from: filetime", "filetime", "none of the known values", "`file_time`?"),
    (OBC, "  name: Cedar Valley School District\n", "", "id:", "`name` is missing", "name"),
    (OBC, "  school_year_end: 2026", "  school_year_end: 26", "school_year_end", "below 2000", "the school year ends"),
    (MAP, "frequency: YEARLY", "frequency: ANNUALLY", "ANNUALLY", "none of the known values", "YEARLY"),
    (MAP, "cron: '0 5 * * 1'", "cron: every Monday", "every Monday", "is not a cron schedule", "'0 6 * * 1'"),
    (MAP, "cron: '0 5 * * 1'", "cron: '0 25 * * 1'", "0 25", "`25` does not fit", "minute hour"),
    (MAP, "  nwea_map:\n", "  NWEA Map:\n", "NWEA Map:", "characters that do not fit", "small letters"),
    (MAP, "is_attended_only: true", "is_attended_only: maybe", "maybe", "neither true nor false", "true or false"),
    (MAP, "    owner_role: Student information manager\n", "", "format: oneroster", "`owner_role` is missing", "Who answers"),
    (CI, "cadence: WEEKLY", "cadence: weekly", "cadence: weekly", "none of the known values", "`WEEKLY`?"),
    (CI, "members: [District data team, District academics team]", "members: []", "members", "at least one entry", "a list"),
    (CI, "workgroups:", "workgroup:", "workgroup:", "There is no key `workgroup`", "`workgroups`"),
    (CI, "# improvement:", "improvement:\n  least_group: 5", "least_group: 5", "no key `least_group` in `improvement`", "`least_group_n`?"),
    (CI, "# improvement:", "improvement:\n  response_rate_min: 50", "response_rate_min", "not between 0 and 1", "0.40 for 40 %"),
    (CI, "# improvement:", "improvement:\n  action_window_weeks: 0", "action_window_weeks", "0 is too small", "at least 1"),
    (CI, "  cadence: MONTHLY              #", "  cadence: WEEKLY #", "cadence: WEEKLY #", "none of the known values", "QUARTERLY"),
    (CI, "releasers:", "releaser:", "releaser:", "no key `releaser` in `releases`", "`releasers`?"),
    (MATH, "ferpa_basis: SCHOOL_OFFICIAL", "ferpa_basis: VENDOR", "ferpa_basis", "none of the known values", "SCHOOL_OFFICIAL"),
]

_SOURCE_ERRORS = [
    (MAP, "format: nwea_map\n", "format: nwea\n", "format: nwea", "There is no format `nwea`", "nwea_map"),
    (MAP, "preset: powerschool", "preset: powerscool", "powerscool", "no preset `powerscool`", "`powerschool`?"),
    (MAP, "layout: full", "layout: fuller", "layout: fuller", "no layout `fuller`", "`full`?"),
    (
        MAP,
        "    preset: powerschool",
        "    preset: powerschool\n    options: {hedder_rows: 2}",
        "hedder_rows",
        "no option `hedder_rows`",
        "`header_rows`?",
    ),
    (MAP, "Student_Number: student_id", "Student_Number: studentid", "studentid", "no column `studentid`", "`student_id`?"),
    (
        MAP,
        "    student_id_is: local                     # Student_Number",
        "    # Student_Number",
        "sis_attendance:",
        "which student number",
        "sourced",
    ),
    (MAP, "    expected_delay_days: 28\n", "", "state_assessment:", "no expected delay", "expected_delay_days"),
    (
        MAP,
        "expected_delay_days: 28",
        "expected_delay_days: 28\n    expected_delay_hours: 1",
        "expected_delay_hours: 1",
        "stated twice",
        "one of the two",
    ),
    (
        MAP,
        "{cron: '0 5 * * 1'}",
        "{cron: '0 5 * * 1', timezone: America/Chicgo}",
        "Chicgo",
        "no time zone `America/Chicgo`",
        "America/Chicago",
    ),
    (MAP, "    provider_id: brightpath\n", "", "sessions_brightpath:", "does not say whose feed", "provider_id"),
    (MAP, "    subject: math\n", "    subject: reading\n", "subject: reading", "contracted for math", "math"),
    (MAP, "is_attended_only: true", "is_attended_only: false", "is_attended_only: false", "one row per attended session", "layout: full"),
    (
        MAP,
        "{code: E, status: ABSENT, is_excused: true}",
        "{code: A, status: PRESENT}",
        "{code: A, status: PRESENT}",
        "explained twice",
        "one meaning",
    ),
    (MAP, "{code: S, status: PRESENT}", "{code: S, status: PRESENT, absent_share: 1}", "code: S", "misses nothing", "ABSENT"),
    (MAP, "absent_share: 0.5", "absent_share: 0", "absent_share: 0", "no part of the day", "above 0"),
    (MAP, "    scale_max: 5\n", "    scale_max: 1\n", "scale_max: 1", "goes from 1 to 1", "is_reverse"),
    (MAP, "item_code: EFFIC_1", "item_code: IDENT_1", "item_code: IDENT_1", "same item_code", "its own item_code"),
    (MAP, "header: Q2 ", "header: Q1 ", "header: Q1", "same header", "its own header"),
    (MAP, "        construct: satisfaction\n", "", "item_code: SATIS_1", "what it asks about", "identity"),
    (
        MAP,
        "        is_free_text: true\n",
        "        is_free_text: true\n        scale_min: 1\n",
        "item_code: OPEN_1",
        "free text and has a scale",
        "one of the two",
    ),
    (MAP, "Completely true: 5}", "Completely true: 6}", "Completely true: 6", "outside the scale 1 to 5", "inside the scale"),
    (MAP, "        scale_min: 1\n        scale_max: 7\n", "", "item_code: EFFIC_1", "has no scale", "0 and 1 for yes and no"),
    (
        MAP,
        "      Timestamp: submitted_at\n",
        "      Is there anything you want us to know?: tutor_id\n",
        "header: Is there",
        "an item and a column",
        "one of the two",
    ),
    (MAP, "    form_version: '2025-08'\n", "", "exit_tickets_brightpath:", "no form_version", "form_version"),
]

_ROW_ERRORS = [
    (MAP, "row_id: dosage_reading", "row_id: dosage_math", "row_id: dosage_math", "Two rows have the row_id", "its own row_id"),
    (
        MAP,
        "source: renaissance_star",
        "source: renaisance_star",
        "renaisance_star",
        "There is no source `renaisance_star`",
        "`renaissance_star`?",
    ),
    (MAP, "    source: nwea_map\n", "", "row_id: cgp_math", "names no source", "source:"),
    (
        MAP,
        "checks: [renaissance_star__star_test]",
        "checks: [star_test]",
        "checks: [star_test]",
        "no expectation suite `star_test`",
        "renaissance_star__star_test",
    ),
    (
        MAP,
        "checks: [renaissance_star__star_test]",
        "checks: [exit_tickets__response]",
        "exit_tickets__response",
        "checks files of the format exit_tickets",
        "star_test",
    ),
    (MAP, "    instrument: STATE_TEST_MATH\n", "", "row_id: proficiency_math", "does not name its instrument", "RENAISSANCE_STAR_READING"),
    (
        MAP,
        "source: state_assessment",
        "source: nwea_map",
        "source: nwea_map",
        "STATE_TEST_MATH is not in files of the format nwea_map",
        "state_assessment",
    ),
]

_TERM_ERRORS = [
    (MATH, "service_end: 2026-05-15", "service_end: 2025-09-15", "service_end", "Service ends before it starts", "a day after"),
    (MATH, "service_end: 2026-05-15", "service_end: 2027-05-15", "service_end", "service_end lies outside the school year", "2026-06-30"),
    (MATH, "effective_from: 2025-07-01", "effective_from: 2025-11-01", "effective_from", "before the contract is in force", "2025-10-06"),
    (
        MATH,
        "effective_from: 2025-07-01",
        "effective_from: 2025-07-01\neffective_to: 2025-07-01",
        "effective_to",
        "ends before it begins",
        "or none",
    ),
    (MATH, "window_id: WINTER", "window_id: FALL", "window_id: FALL, opens_on: 2026", "two FALL windows", "each window once"),
    (MATH, "closes_on: 2025-10-03", "closes_on: 2025-08-01", "closes_on: 2025-08-01", "closes before it opens", "or later"),
    (MATH, "data_due_on: 2025-10-17", "data_due_on: 2025-10-01", "data_due_on: 2025-10-01", "due before it closes", "two weeks"),
    (
        MATH,
        "data_due_on: 2025-10-17",
        "data_due_on: 2025-10-17, late_baseline_until: 2025-09-01",
        "late_baseline_until",
        "Late baselines end",
        "or later",
    ),
    (MATH, "opens_on: 2026-01-05", "opens_on: 2025-09-05", "opens_on: 2025-09-05", "before the FALL window closes", "without overlap"),
    (
        MATH,
        "opens_on: 2025-08-18",
        "opens_on: 2025-06-18",
        "opens_on: 2025-06-18",
        "FALL window lies outside the school year",
        "2025-07-01",
    ),
    (
        MATH,
        "restatement_deadline: 2026-08-31",
        "restatement_deadline: 2026-06-20",
        "data_due_on: 2026-06-26",
        "after the restatement deadline",
        "later",
    ),
    (
        MATH,
        "restatement_deadline: 2026-08-31",
        "restatement_deadline: 2026-06-01",
        "window_id: SPRING",
        "SPRING window are due after",
        "later",
    ),
    (MATH, "destroy_by: 2027-06-30", "destroy_by: 2026-06-01", "destroy_by", "destroyed before the last results", "statement"),
    (
        CI,
        "release_roles: [Director",
        "release_roles: [Directer",
        "release_roles",
        "Nobody has the release role",
        "`Director of academics`?",
    ),
    (CI, "name: Priya Raman", "name: dana  whitfield", "whitfield", "stands twice", "each person once"),
    (CI, "  # dates: [2025-11-03, 2026-02-16]", "  dates: [2025-11-03, 2027-02-16]", "dates:", "outside the school year", "2026-06-30"),
    (
        MATH,
        "nte_ceiling: 816000.00",
        "nte_ceiling: 200000.00",
        "nte_ceiling",
        "below the base payment for 480 students (288000.00)",
        "288000.00",
    ),
    (MATH, "target_students: 480", "target_students: 480\nmax_students: 100", "max_students", "At most 100 students", "480"),
    (MATH, "base_rate: 600.00", "base_rate: -600.00", "base_rate", "base_rate is negative", "0 or more"),
    (MATH, "contract_id: CVSD-MATH-2026", "contract_id: CVSD|MATH", "contract_id", "may not hold |", "letters, digits"),
    (MATH, "contract_id: CVSD-MATH-2026", 'contract_id: "CVSD\\x01MATH"', "contract_id", "may not hold U+0001", "letters, digits"),
    (MATH, "contract_id: CVSD-MATH-2026", f"contract_id: {'数' * 40}", "contract_id", "too long for the name of a folder", "shorter"),
    (READ, "contract_id: CVSD-READ-2026", "contract_id: cvsd-math-2026", "contract_id", "differ in spelling alone", "ids that differ"),
]

_RATE_CARD_ERRORS = [
    (MATH, "line_id: M1", "line_id: M|1", "line_id: M|1", "may not hold |", "letters, digits"),
    (MATH, "line_id: M1", "line_id: G1", "line_id: G1", "Two lines have the line_id", "its own line_id"),
    (MATH, "baseline_window: FALL", "baseline_window: SPRING", "baseline_window: SPRING", "from an earlier window", "before SPRING"),
    (MATH, "    baseline_window: FALL\n", "", "line_id: G1", "has no baseline_window", "FALL"),
    (MATH, "  - {window_id: WINTER", "  # - {window_id: WINTER", "end_window: WINTER", "no WINTER window", "under `windows`"),
    (MATH, "metric: CGP_FALL_SPRING", "metric: SGP_FALL_SPRING", "metric: SGP_FALL_SPRING", "Nobody measures SGP_FALL_SPRING", "`CGP_FALL_SPRING`?"),
    (MATH, "metric: CGP_FALL_SPRING", "metric: CGP_WINTER_SPRING", "metric: CGP_WINTER_SPRING", "runs from WINTER to SPRING", "CGP_FALL_SPRING"),
    (MATH, "instrument: STATE_TEST_MATH", "instrument: STATE_TEST_ELA", "STATE_TEST_ELA", "does not measure math", "an instrument of math"),
    (MATH, "source_column: level_number", "source_column: level_no", "level_no", "PROFICIENCY_LEVEL is not in the column `level_no`", "level_number"),
    (READ, "source_column: StudentGrowthPercentileFallSpring", "source_column: CurrentSGP", "CurrentSGP", "changes with every test", "FallSpring"),
    (READ, "source_column: StudentGrowthPercentileFallSpring", "source_column: StudentGrowthPercentileFallWinter", "FallWinter", "is not in the column", "FallSpring"),
    (MATH, "outcome_class: PROFICIENCY", "outcome_class: GROWTH", "outcome_class: GROWTH", "is no growth", "PROFICIENCY") ,
    (MATH, "outcome_class: MIDYEAR", "outcome_class: PROFICIENCY", "outcome_class: PROFICIENCY", "is growth, not proficiency", "MIDYEAR"),
    (MATH, "outcome_class: MIDYEAR", "outcome_class: COURSE", "outcome_class: COURSE", "prices a metric no source measures", "GROWTH"),
    (MATH, "{threshold: 50, price: 500.00}", "{threshold: 35, price: 500.00}", "{threshold: 35, price: 500.00}", "The tiers overlap", "rise from tier to tier"),
    (MATH, "{threshold: 50, price: 500.00}", "{threshold: 30, price: 500.00}", "{threshold: 30, price: 500.00}", "The tiers overlap", "rise from tier to tier"),
    (MATH, "{threshold: 65, price: 750.00}", "{threshold: 65, price: 75.00}", "{threshold: 65, price: 75.00}", "no more than the tier below", "CUMULATIVE"),
    (MATH, "{threshold: 35, price: 250.00}", "{threshold: 0.35, price: 250.00}", "threshold: 0.35", "every student would reach it", "1 to 99"),
    (MATH, "{threshold: 3, price: 200.00}", "{threshold: 30, price: 200.00}", "threshold: 30", "30 is no performance level", "1 to 10"),
    (MATH, "{threshold: 35, price: 250.00}", "{threshold: 35, price: -250.00}", "price: -250.00", "would pay -250.00", "`penalty`"),
    (READ, "price: -75.00", "price: 75.00", "price: 75.00", "would pay the provider", "-75.00"),
    (READ, "penalty: {threshold: 20", "penalty: {threshold: 60", "threshold: 60", "the two overlap", "50 or less"),
    (MATH, "{unit: SESSIONS, min_rate: 70/100}", "{unit: SESSIONS}", "dosage_gate: {unit: SESSIONS}", "states no dose", "dosage_gate: none"),
    (MATH, "{unit: SESSIONS, min_rate: 70/100}", "{min_rate: 0.7, min_sessions: 50}", "min_sessions: 50", "states min_rate and min_sessions", "exactly one"),
    (MATH, "{unit: SESSIONS, min_rate: 70/100}", "{min_sessions: 80}", "min_sessions: 80", "more than the whole", "required_sessions"),
    (MATH, "{unit: SESSIONS, min_rate: 70/100}", "{min_hours: 36}", "min_hours: 36", "share of required_minutes", "required_minutes: a number"),
    (MATH, "{unit: SESSIONS, min_rate: 70/100}", "{unit: SESSIONS, min_hours: 36}", "unit: SESSIONS", "does not count SESSIONS", "no unit"),
    (MATH, "{unit: SESSIONS, min_rate: 70/100}", "often", "dosage_gate: often", "is not a dosage gate", "none"),
    (READ, "missing_test_rule: NOT_PAYABLE", "missing_test_rule: DISTRICT_DEFAULT_IF_DISTRICT_CAUSE", "missing_test_rule", "does not state district_default_share", "at the top"),
    (READ, "tiers:", "price_unit: COHORT_THRESHOLD\n    tiers:", "line_id: G1", "does not state student_threshold", "shares of the students"),
    (READ, "tiers:", "price_unit: COHORT_THRESHOLD\n    student_threshold: 50\n    tiers:", "threshold: 50", "50 is no share", "0.60"),
    (READ, "tiers:", "price_unit: PER_POINT_ABOVE_TARGET\n    tiers:", "line_id: G1", "does not state points_max", "points_max: the most"),
    (MATH, "tier_mode: BEST_TIER", "price_unit: PER_POINT_ABOVE_TARGET\n    points_max: 30", "tiers:", "counted above one target", "one tier"),
    (READ, "tiers:", "points_max: 30\n    tiers:", "points_max", "belongs to price_unit", "PER_POINT_ABOVE_TARGET"),
    (MATH, "tier_mode: BEST_TIER", "line_cap: 700.00", "line_cap", "below what one payment of it can be (750.00)", "750.00 or more"),
    (MATH, "tier_mode: BEST_TIER", "uplift: [{program: EL, multiplier: 110}]", "multiplier: 110", "110 is no multiplier", "1.10"),
    (MATH, "outcome_class: MIDYEAR", "outcome_class: ATTENDANCE", "CGP_FALL_WINTER", "no rate of attendance", "SCHOOL_ATTENDANCE_RATE"),
    (MATH, "metric: CGP_FALL_WINTER", "metric: SCHOOL_ATTENDANCE_RATE", "MIDYEAR", "is a rate of attendance, not MIDYEAR", "ATTENDANCE"),
    (MATH, "metric: CGP_FALL_WINTER", "metric: ASSESSMENT_COMPLETED", "ASSESSMENT_COMPLETED", "do not belong together", "ASSESSMENT_COMPLETION"),
    (MATH, "role: Procurement manager", "role: Procurement", "approver_roles", "Nobody has the approver role `Procurement manager`", "Procurement"),
    (MATH, "name: Ines Calloway", "name: Dana Whitfield", "name: Dana Whitfield", "two signatures of one person", "once"),
    (READ, "base_model: PER_SESSION", "base_model: FIXED_INSTALMENT", "base_model", "does not say when", "payment_schedule"),
    (MATH, "metric: DATA_TIMELINESS", "due_on: 2026-01-01\n    metric: DATA_TIMELINESS", "due_on", "not measured on one day", "no due_on"),
    (MATH, "metric: ASSESSMENT_ADMINISTERED", "metric: DATA_FEED_BY_DATE", "obligation_id: tests_given", "does not say by which day", "2025-10-01"),
    (MATH, "nte_ceiling: 816000.00", "nte_ceiling: 500.00", "nte_ceiling", "below the base payment itself (600.00)", "600.00 or more"),
    (READ, "tiers:", "excludes_line: G2\n    tiers:", "excludes_line: G2", "no other line `G2`", "nothing"),
    (READ, "tiers:\n      - {threshold: 50", "comparator: '>'\n    tiers:\n      - {threshold: 99", "threshold: 99", "Nothing is above 99", ">="),
]  # fmt: skip

_OBLIGATION_ERRORS = [
    (MATH, "obligation_id: group_size", "obligation_id: same_tutor", "obligation_id: same_tutor", "Two obligations have the id", "its own id"),
    (MATH, "consequence: VOID_OUTCOME", "consequence: DEFAULT_PAY", "consequence: DEFAULT_PAY", "would make the district pay", "VOID_OUTCOME"),
    (MATH, "consequence: DEFAULT_PAY", "consequence: VOID_ALL", "consequence: VOID_ALL", "would take the provider's pay", "DEFAULT_PAY"),
    (MATH, "max_group_size: 4\n", "", "GROUP_SIZE_COMPLIANCE", "against max_group_size", "max_group_size: a number"),
    (MATH, "evidence_source: nwea_map", "evidence_source: nweamap", "nweamap", "no source `nweamap`", "`nwea_map`?"),
    (MATH, "evidence_source: nwea_map", "evidence_source: renaissance_star", "evidence_source: renaissance_star", "none of the tests of the rate card", "nwea_map"),
    (MATH, "evidence_source: sessions_brightpath", "evidence_source: sessions_lumen", "sessions_lumen", "the feed of lumen", "a feed of brightpath"),
    (MATH, "evidence_source: sessions_brightpath", "evidence_source: nwea_map", "evidence_source: nwea_map", "SAME_TUTOR_SHARE cannot be measured", "sessions_brightpath"),
    (MATH, "comparator: '>='\n    value: 1/1", "comparator: '>'\n    value: 1/1", "value: 1/1", "always breached", ">="),
]  # fmt: skip

_COVERAGE_ERRORS = [
    (MATH, "    evidence_source: nwea_map", "    evidence_source: nwea_map\n    measurement_window: WEEK", "measurement_window: WEEK", "is not measured by week", "CONTRACT_TO_DATE"),
    (MATH, "party: DISTRICT", "party: PROVIDER", "party: PROVIDER", "provider would answer for them", "MISSING_TEST_CAUSE"),
    (READ, "dosage_denominator: REQUIRED ", "dosage_denominator: SCHEDULED ", "dosage_denominator: SCHEDULED", "sessions_lumen reports attended sessions only", "REQUIRED"),
    (READ, "dosage_denominator: REQUIRED ", "dosage_denominator: SCHEDULED_NET_OF_EXCUSED ", "SCHEDULED_NET_OF_EXCUSED", "attended sessions only", "REQUIRED"),
    (READ, "provider_id: lumen", "provider_id: lumens", "provider_id: lumens", "lumens has no sessions source", "format: tutoring_sessions"),
    (READ, "instrument: RENAISSANCE_STAR_READING", "instrument: RENAISSANCE_STAR_EARLY_LITERACY", "EARLY_LITERACY", "no PAYMENT row", "a row with kind: PAYMENT"),
]  # fmt: skip

_SETTING_ERRORS = [
    (OBC, "timezone: America/Chicago", "timezone: Americas/Chicago", "Americas/Chicago", "no time zone", "America/Chicago"),
    (OBC, "audiences: [district, public]", "audiences: [distrct]", "distrct", "no audience `distrct`", "`district`?"),
    (
        OBC,
        "audiences: [district, public]",
        "audiences: [vendor-brightpth]",
        "vendor-brightpth",
        "No contract has the provider",
        "`vendor-brightpath`?",
    ),
    (
        OBC,
        "  school_year_end: 2026",
        "  school_year_end: 2026\n  school_year_ends_on: 2027-06-10",
        "school_year_end: 2026",
        "ends on 2027-06-10",
        "2027",
    ),
    (CI, "audience: school", "audience: schools", "audience: schools", "no audience `schools`", "`school`?"),
    (CI, "audience: vendor", "audience: vendor-nobody", "audience: vendor-nobody", "No contract has the provider", "vendor-brightpath"),
    (
        CI,
        "workgroup_id: district_vendor_coordination",
        "workgroup_id: district_data_review",
        "workgroup_id",
        "Two workgroups have the id",
        "its own id",
    ),
    (CI, "# improvement:", "improvement:\n  least_group_n: 40", "least_group_n: 40", "(40) is above `normal_group_n` (30)", "at most 30"),
    (
        CI,
        "# improvement:",
        "improvement:\n  change_index_max: 1.2",
        "change_index_max",
        "(1.2) is above `scale_index_min` (1.1)",
        "at most 1.1",
    ),
]

_ERRORS = (
    _FORM_ERRORS + _SOURCE_ERRORS + _ROW_ERRORS + _TERM_ERRORS + _RATE_CARD_ERRORS + _OBLIGATION_ERRORS + _COVERAGE_ERRORS + _SETTING_ERRORS
)

_WARNINGS = [
    (OBC, "as_of: 2026-06-30 ", "# ", "received_at_from: file_time", "which anyone can set", "clock"),
    (OBC, "n_min: 10", "n_min: 5", "n_min: 5", "Groups of 5 would be shown", "10 or more"),
    (OBC, "as_of: 2026-06-30", "as_of: 2024-06-30", "as_of", "before the school year", "in or after"),
    (MAP, "Att_Code: code", "Att_Code: code\n      Code: code", "Code: code", "Two headers lead to `code`", "one header per column"),
    (MAP, ", Completely true: 5}", "}", "labels:", "none for 5", "each value"),
    (MAP, "metric: Conditional growth percentile (CGP)", "metric: SGP", "metric: SGP", "SGP is Renaissance Star's", "instrument reports"),
    (MAP, "measurement: Star Reading, taken", "measurement: STAR Renaissance MAP, taken", "STAR Renaissance MAP", "names Star and MAP together", "one row per product"),
    (MAP, "accuracy_status: TRUSTED", "accuracy_status: NEW", "accuracy_status: NEW", "Money hangs on a measure", "TRUSTED"),
    (MAP, "    checks: [nwea_map__assessment_results]\n", "", "row_id: cgp_math", "no suite watches it", "checks"),
    (MAP, "provider_id: brightpath", "provider_id: brightpth", "brightpth", "counts for nothing", "`brightpath`?"),
    (READ, "school_year_end: 2026", "school_year_end: 2027", "school_year_end: 2027", "this home is for 2026", "2026"),
    (READ, "provider_id: lumen\nprovider_name: Lumen Reading", "provider_id: brightpath\nprovider_name: Lumen", "provider_name", "called otherwise", "Brightpath Tutoring"),
    (MATH, "required_sessions: 72", "required_sessions: 720", "required_sessions", "are at most 95", "at most 95"),
    (MATH, "base_rate: 600.00", "base_rate: 1700.00", "rate_card:", "Only 39.3 % of the most", "lower base"),
    (MATH, "nte_ceiling: 816000.00", "nte_ceiling: 300000.00", "nte_ceiling", "together exceed the ceiling", "816000.00"),
    (MATH, "restatement_deadline", "contingent_share_declared: 0.40\nrestatement_deadline", "contingent_share_declared", "its prices make it 64.7 %", "0.65"),
    (READ, "required_sessions: 60", "# ", "base_model", "contingent share cannot be computed", "required_sessions"),
    (MATH, "agreement_signed_on: 2025-07-01", "agreement_signed_on: 2025-12-01", "agreement_signed_on", "after service starts", "2025-10-06"),
    (MATH, "min_rate: 70/100", "min_rate: 0.7%", "min_rate: 0.7%", "below 5 %", "0.70"),
    (MATH, "tier_mode: BEST_TIER", "uplift: [{program: EL, multiplier: 0.9}]", "multiplier: 0.9", "lowers the price", "above 1"),
    (READ, "role: Director of academics}", "role: Director}\n  - {name: Lena Ortiz, role: Director of academics}", "role: Director}", "can approve nothing", "Director of academics"),
    (READ, "penalty:", "rapid_guessing_max_share: 0.3\n    penalty:", "rapid_guessing", "reports no rapid guessing", "NWEA MAP"),
    (MATH, "metric: CGP_FALL_WINTER\n    source_column: FallToWinterConditionalGrowthPercentile\n    baseline_window: FALL\n    end_window: WINTER",
     "metric: CGP_FALL_SPRING\n    source_column: FallToSpringConditionalGrowthPercentile\n    baseline_window: FALL\n    end_window: SPRING",
     "line_id: M1", "pay for the same result twice", "one line"),
    (MATH, "value: 80/100", "value: 0/100", "value: 0/100", "always reached", "above 0"),
    (CI, "audience: vendor", "audience: district", "audience: district", "other vendors' students included", "audience: vendor"),
]  # fmt: skip


def _named_line(spoiled: Spoiled, fragment: str) -> tuple[str, str, str]:
    problem = spoiled.said(fragment)
    return spoiled.line(problem), problem.severity, problem.would_be_right


@pytest.mark.parametrize(("file", "old", "new", "line", "message", "right"), _ERRORS, ids=[case[4] for case in _ERRORS])
def test_error(spoiled: Spoiled, file: str, old: str, new: str, line: str, message: str, right: str) -> None:
    spoiled.replace(file, old, new)
    named, severity, would_be_right = _named_line(spoiled, message)
    assert severity == "error"
    assert line in named
    assert right in would_be_right


@pytest.mark.parametrize(("file", "old", "new", "line", "message", "right"), _WARNINGS, ids=[case[4] for case in _WARNINGS])
def test_warning(spoiled: Spoiled, file: str, old: str, new: str, line: str, message: str, right: str) -> None:
    spoiled.replace(file, old, new)
    named, severity, would_be_right = _named_line(spoiled, message)
    assert severity == "warning"
    assert line in named
    assert right in would_be_right


def test_lines_that_depend_on_each_other_are_refused_on_both(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "    tier_mode: BEST_TIER", "    requires_line: M1")
    spoiled.replace(MATH, "    outcome_class: MIDYEAR", "    outcome_class: MIDYEAR\n    excludes_line: P1")
    assert spoiled.problems("error") == []
    spoiled.replace(MATH, "    outcome_class: PROFICIENCY", "    outcome_class: PROFICIENCY\n    requires_line: G1")
    circles = [problem for problem in spoiled.problems("error") if "neither could be decided" in problem.message]
    assert ["_line: " in spoiled.line(problem) for problem in circles] == [True, True, True]


def test_two_signatures_need_two_people(spoiled: Spoiled) -> None:
    text = spoiled.text(MATH)
    kept = [line for line in text.splitlines() if "Oyelaran" not in line and "Calloway" not in line]
    spoiled.write(MATH, "\n".join(kept).replace(", Chief financial officer, Procurement manager]", "]"))
    problem = spoiled.said("one person can approve")
    assert (problem.severity, "dual_control_above" in spoiled.line(problem)) == ("error", True)


def test_one_person_in_two_spellings_is_one_person(spoiled: Spoiled) -> None:
    """Else one person could sign twice where two must."""
    twice = "{name: Zoe\u0301  WHITFIELD, role: Director of academics}\n  - {name: Zo\u00e9 Whitfield, role: Director of academics}"
    spoiled.replace(MATH, "{name: Dana Whitfield, role: Director of academics}", twice)
    assert "Zo\u00e9 Whitfield" in spoiled.line(spoiled.said("two signatures of one person are one"))


def test_a_cohort_line_is_not_for_contracts_that_split_a_loss(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "both_default_rule: HOLD", "both_default_rule: SPLIT")
    spoiled.replace(MATH, "      - {threshold: 3, price: 200.00}", "      - {threshold: 0.60, price: 20000.00}")
    spoiled.replace(
        MATH, "    outcome_class: PROFICIENCY", "    outcome_class: PROFICIENCY\n    price_unit: COHORT_THRESHOLD\n    student_threshold: 3"
    )
    assert "half a student" in spoiled.said("SPLIT").message
    spoiled.replace(MATH, "both_default_rule: SPLIT", "both_default_rule: PROVIDER_LOSES")
    assert spoiled.problems("error") == []


def test_an_attendance_line_needs_a_feed_that_tells_what_was_missed(spoiled: Spoiled) -> None:
    line = """rate_card:
  - line_id: A1
    outcome_name: Comes to nine of ten sessions
    outcome_class: ATTENDANCE
    instrument: TUTORING_SESSIONS
    metric: TUTORING_ATTENDANCE_RATE
    end_window: SPRING
    tiers: [{threshold: 0.90, price: 50.00}]
    dosage_gate: none
"""
    row = """
  - row_id: tutoring_attendance
    metric: Tutoring attendance
    kind: PAYMENT
    instrument: TUTORING_SESSIONS
    measurement: Sessions attended of those held
    sources: [sessions_brightpath, sessions_lumen]
    accuracy_status: TRUSTED
    checks: [tutoring_sessions__session_student]
"""
    spoiled.write("data_map.yml", spoiled.text("data_map.yml") + row)
    spoiled.replace(MATH, "rate_card:\n", line)
    assert spoiled.problems("error") == []
    spoiled.replace(READ, "rate_card:\n", line)
    problem = spoiled.said("prices a metric no source measures")
    assert problem.file == READ
    assert "TUTORING_ATTENDANCE_RATE" in spoiled.line(problem)
