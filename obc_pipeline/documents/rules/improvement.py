"""Rules about the limits of the improvement questions: two limits of one thing must not cross."""

from __future__ import annotations

from obc_pipeline.documents.rules.context import Readings

# Field that must not be above the other, and why.
_ORDERED = (
    ("least_group_n", "normal_group_n", "a group that is not shown at all would be a normal one"),
    ("balance_fine_sd", "balance_limit_sd", "groups too different to compare would need no adjustment"),
    ("change_index_max", "scale_index_min", "a program would have to change and to be scaled at once"),
)


def check(readings: Readings) -> None:
    reading = readings.ci_structure
    if reading.model is None or not reading.is_whole("improvement"):
        return
    settings = reading.model.improvement
    for lower, upper, because in _ORDERED:
        low, high = getattr(settings, lower), getattr(settings, upper)
        if low > high:
            reading.error(
                ("improvement", lower),
                f"`improvement.{lower}` ({_plain(low)}) is above `{upper}` ({_plain(high)}): {because}.",
                f"at most {_plain(high)}.",
            )


def _plain(number: object) -> str:
    text = str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text
