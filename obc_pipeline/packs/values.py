"""How values are written in a pack: the same on the page and on paper. Unknown is an em dash, never 0."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from obc_pipeline.packs.content import Kind

UNKNOWN = "—"


def written(value: Any, kind: Kind) -> str:
    """The value as text: rates as percent with one decimal, differences in percentage points with their sign, amounts to the cent."""
    if value is None or (isinstance(value, float) and value != value):
        return UNKNOWN
    match kind:
        case "code":
            # Ids of lines (G1) are not words.
            return str(value).replace("_", " ").lower() if "_" in str(value) or len(str(value)) > 4 else str(value)
        case "count":
            return f"{int(value):,}"
        case "decimal":
            return f"{_rounded(value, '0.01'):,}"
        case "rate":
            return f"{_rounded(Decimal(str(value)) * 100, '0.1')} %"
        case "points":
            return f"{_rounded(Decimal(str(value)) * 100, '0.1'):+} pp"
        case "amount":
            return f"${_rounded(value, '0.01'):,}"
        case "date":
            return value.strftime("%Y-%m-%d") if isinstance(value, date | datetime) else str(value)
        case "yes_no":
            return "yes" if value else "no"
    return str(value)


def is_number(kind: Kind) -> bool:
    """Whether values of this kind stand to the right of their column."""
    return kind in ("count", "decimal", "rate", "points", "amount")


def _rounded(value: Any, step: str) -> Decimal:
    return Decimal(str(value)).quantize(Decimal(step), rounding=ROUND_HALF_UP)
