"""What each reader of a statement may be told of a student's line: the district's procurement office, and the vendor it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Audience = Literal["procurement", "vendor"]

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
_HELD = ("HELD_DISPUTE", "Held until the district has ruled on it.")
_LEFT = ("LEFT_ROSTER", "Left the roster before the test, for a reason the contract excludes.")
_NOT_TOLD = ("NOT_STATED", "The district can say why.")
WITHHELD = "withheld"


@dataclass(frozen=True)
class Told:
    """What one reader is told of one line. student: pseudonymous key, or the vendor's own id where the reader is the vendor."""

    line_key: str
    student_key: str
    vendor_student_id: str
    decision: str
    reason_code: str
    reason: str


def reason_for(audience: Audience, reason_code: str, reason: str) -> tuple[str, str]:
    """Reason code and words as this reader may see them."""
    if audience == "procurement":
        return reason_code, reason
    if reason_code in ("OPEN_DISPUTE", "OVERLAP_WITHOUT_SHARES"):
        return _HELD
    if reason_code == "LEFT_ROSTER":
        return _LEFT
    return (reason_code, reason) if reason_code in TOLD_TO_VENDORS else _NOT_TOLD


def told(
    audience: Audience,
    *,
    line_key: str,
    student_key: str | None,
    vendor_student_id: str | None,
    decision: str | None,
    reason_code: str,
    reason: str,
    has_opted_out: bool,
) -> Told:
    """One line as this reader may see it.

    has_opted_out: the parents no longer share data with the vendor; the vendor then sees the amount and nothing of the student.
    """
    code, words = reason_for(audience, reason_code, reason)
    if audience == "procurement":
        return Told(line_key, student_key or "", "", decision or "", code, words)
    if has_opted_out:
        return Told(WITHHELD, WITHHELD, WITHHELD, "", "", "")
    # Why a student left (medical, opted out) is nobody's business outside the district.
    shown = "EXCLUDED" if (decision or "").startswith("EXCLUDED_") else decision or ""
    return Told(line_key, student_key or "", vendor_student_id or "", shown, code, words)
