"""What a vendor may be told of why a line is as it is: the same words in its statement and in its file."""

from __future__ import annotations

# Reasons whose words come from nothing but the contract itself, the vendor's own sessions, its own roster rows and the students' tests.
# What is not listed here is not told to a vendor, so a reason added to the models stays inside until somebody has looked at it.
TOLD_TO_VENDORS = frozenset(
    {
        "NOT_ON_ROSTER", "NOT_ASSIGNED_IN_PERIOD", "UNKNOWN_STUDENT", "TWO_GROWTH_EVENTS", "WINDOW_OPEN", "NO_SESSION_DATA",
        "UNKNOWN_ABSENCE_CAUSE", "AWAITING_RESULTS", "PROVIDER_IN_CURE", "BOTH_DEFAULT", "BOTH_DEFAULT_PROVIDER_LOSES",
        "BOTH_DEFAULT_SPLIT", "TEST_MISSED_BY_PROVIDER", "PROVIDER_OBLIGATION_BREACHED", "EARNED_ABOVE_DEFAULT",
        "DISTRICT_OBLIGATION_BREACHED", "DOSAGE_UNKNOWN", "DOSAGE_BELOW_MINIMUM", "TEST_INVALID", "TEST_MISSING", "TIER_REACHED",
        "BELOW_PENALTY_THRESHOLD", "BELOW_THRESHOLD", "REQUIRED_LINE_DOES_NOT_PAY", "EXCLUDED_BY_OTHER_LINE", "OTHER_LINE_OPEN",
        "NO_STUDENT_IN_SCOPE", "COHORT_STUDENT_DISPUTED", "COHORT_WINDOW_OPEN", "COHORT_STUDENT_OPEN", "COHORT_BOTH_DEFAULT",
        "COHORT_PROVIDER_FAILED", "COHORT_DISTRICT_DEFAULT", "COHORT_NOT_MEASURED", "COHORT_TIER_REACHED",
        "COHORT_BELOW_PENALTY_THRESHOLD", "COHORT_BELOW_THRESHOLD",
        "SERVED", "NOT_SERVED", "TERMS_INCOMPLETE", "NOT_BEGUN", "NOT_DUE", "FIXED_INSTALMENT", "NO_LONGER_EXPECTED",
    }
)  # fmt: skip

# One wording for every dispute: were an overlap with another vendor told apart from other disputes, that alone would tell of it.
DISPUTES = ("OPEN_DISPUTE", "OVERLAP_WITHOUT_SHARES")
HELD = ("HELD_DISPUTE", "Held until the district has ruled on it.")
LEFT = ("LEFT_ROSTER", "Left the roster before the test, for a reason the contract excludes.")
NOT_TOLD = ("NOT_STATED", "The district can say why.")
