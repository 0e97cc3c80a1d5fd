"""The order of the payment decision (domain §4.2), for people: which step decided a line, and which ones it had passed before.

The rule itself is the CASE of `int_payment__decision.sql`; a test holds this list against it, so that neither changes alone.
"""

from __future__ import annotations

# Step of §4.2 -> what is asked there.
STEPS: dict[int, str] = {
    1: "Is the student on the frozen roster for this line?",
    2: "Did the student leave for a reason the contract excludes?",
    3: "Is there an open dispute, or an overlap nobody has ruled on?",
    4: "Has the line's window closed?",
    5: "Can the attendance gate be judged?",
    6: "Are the results in, or their due date over?",
    7: "May the provider still mend a breach?",
    8: "Did both parties fail?",
    9: "Did the provider fail?",
    10: "Did the district fail?",
    11: "Is the dose enough?",
    12: "Is the outcome measured?",
    13: "What does the rate card say?",
    14: "Does another line of the contract take it back (requires_line, excludes_line)?",
}

# reason_code -> step, in the order in which they are looked at.
STEP_OF_REASON: dict[str, int] = {
    "NOT_ON_ROSTER": 1,
    "NOT_ASSIGNED_IN_PERIOD": 1,
    "LEFT_ROSTER": 2,
    "UNKNOWN_STUDENT": 2,
    "OPEN_DISPUTE": 3,
    "OVERLAP_WITHOUT_SHARES": 3,
    "TWO_GROWTH_EVENTS": 3,
    "WINDOW_OPEN": 4,
    "NO_SESSION_DATA": 5,
    "UNKNOWN_ABSENCE_CAUSE": 5,
    "AWAITING_RESULTS": 6,
    "PROVIDER_IN_CURE": 7,
    "BOTH_DEFAULT_PROVIDER_LOSES": 8,
    "BOTH_DEFAULT_SPLIT": 8,
    "BOTH_DEFAULT": 8,
    "TEST_MISSED_BY_PROVIDER": 9,
    "PROVIDER_OBLIGATION_BREACHED": 9,
    "EARNED_ABOVE_DEFAULT": 10,
    "DISTRICT_OBLIGATION_BREACHED": 10,
    "DOSAGE_UNKNOWN": 11,
    "DOSAGE_BELOW_MINIMUM": 11,
    "TEST_INVALID": 12,
    "TEST_MISSING": 12,
    "TIER_REACHED": 13,
    "BELOW_PENALTY_THRESHOLD": 13,
    "BELOW_THRESHOLD": 13,
    "REQUIRED_LINE_DOES_NOT_PAY": 14,
    "EXCLUDED_BY_OTHER_LINE": 14,
    "OTHER_LINE_OPEN": 14,
}
