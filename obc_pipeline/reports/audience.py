"""What each reader of a statement may be told of a student's line: the district's procurement office, and the vendor it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from obc_pipeline.sharing.told import DISPUTES, HELD, LEFT, NOT_TOLD, TOLD_TO_VENDORS

Audience = Literal["procurement", "vendor"]

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
    if reason_code in DISPUTES:
        return HELD
    if reason_code == "LEFT_ROSTER":
        return LEFT
    return (reason_code, reason) if reason_code in TOLD_TO_VENDORS else NOT_TOLD


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
