"""What a source's attendance codes mean: its own list, else what the preset's system itself defines."""

from __future__ import annotations

from obc_pipeline.documents.data_map import AttendanceCode, Source
from obc_pipeline.sources.sis_attendance import ATTENDANCE_CODES


def codes_of(source: Source) -> tuple[AttendanceCode, ...]:
    """The source's own codes; without them the preset's; none when there is neither. Own codes replace the preset's altogether."""
    if source.attendance_codes or source.format != "sis_attendance":
        return source.attendance_codes
    return tuple(AttendanceCode.model_validate(dict(code)) for code in ATTENDANCE_CODES.get(source.preset or "", ()))
