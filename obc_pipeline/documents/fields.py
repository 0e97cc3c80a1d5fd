"""The kinds of value a document holds (day, money, share, whole number, id ...), read from text exactly as written.

Each takes the text of a YAML scalar or the Python value itself, and says in plain words what would be right. Nothing passes
through a float: money and shares are compared and paid to the cent.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def wrong(message: str, right: str) -> PydanticCustomError:
    """An error that carries what would be right, for the place where the value stands."""
    return PydanticCustomError("obc", "{message}", {"message": message, "right": right})


class Document(BaseModel):
    """Base of every part of a document: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Ratio(NamedTuple):
    """A share kept as it was written, so that it is compared in whole numbers: `70/100`, `0.70` and `70%` are (70, 100)."""

    numerator: int
    denominator: int

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)


def _as_text(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, (list, tuple, dict)):
        raise wrong(f"A single value is wanted, not {_kind(value)}.", "one plain value.")
    return str(value).strip()


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return {list: "a list", tuple: "a list", dict: "a mapping", bool: "true or false"}.get(type(value), "this")


def _text(value: Any) -> str:
    text = _as_text(value)
    if not text:
        raise wrong("The text is empty.", "some text.")
    return text


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    text = _as_text(value)
    if not _DAY.fullmatch(text):
        raise wrong(f"`{text}` is not a date.", "a date as year-month-day, such as 2025-10-06.")
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise wrong(f"There is no day `{text}`.", "a day that exists, as year-month-day.") from None


def _whole(value: Any) -> int:
    text = _as_text(value)
    if not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise wrong(f"`{text}` is not a whole number.", "digits only, such as 72.")
    return int(text)


def _at_least(lowest: int) -> Any:
    def check(value: Any) -> int:
        number = _whole(value)
        if number < lowest:
            raise wrong(f"{number} is too small.", f"a whole number of at least {lowest}.")
        return number

    return check


def _decimal(value: Any) -> Decimal:
    text = repr(value) if isinstance(value, float) else _as_text(value)
    if not _NUMBER.fullmatch(text) or len(text) > 30:
        raise wrong(
            f"`{text}` is not a number.", "digits with at most one decimal point, such as 12.5; no thousands separator, no currency sign."
        )
    try:
        return Decimal(text)
    except InvalidOperation:
        raise wrong(f"`{text}` is not a number.", "digits with at most one decimal point.") from None


def _money(value: Any) -> Decimal:
    number = _decimal(value)
    cents = number.quantize(Decimal("0.01"))
    if cents != number:
        raise wrong(f"`{number}` has parts of a cent.", "US dollars with at most two decimals, such as 600.00.")
    if abs(cents) >= Decimal(10) ** 12:
        raise wrong("The amount has more than twelve digits.", "US dollars, such as 600.00.")
    return cents


def _threshold(value: Any) -> Decimal:
    number = _decimal(value)
    exact = number.quantize(Decimal("0.000001"))
    if exact != number or abs(number) >= Decimal(10) ** 9:
        raise wrong(f"`{number}` has too many digits.", "a number with at most six decimals.")
    return exact


def _ratio(value: Any) -> Ratio:
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return Ratio(_whole(value[0]), _whole(value[1]))
    text = repr(value) if isinstance(value, float) else _as_text(value)
    right = "a share from 0 to 1, such as 0.70, 70/100 or 70%."
    parts = re.fullmatch(r"(\d{1,9})\s*/\s*(\d{1,9})", text)
    percent = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)\s*%", text)
    if parts:
        ratio = Ratio(int(parts[1]), int(parts[2]))
    elif percent:
        ratio = _of_decimal(Decimal(percent[1]) / 100)
    elif re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        ratio = _of_decimal(Decimal(text))
    else:
        raise wrong(f"`{text}` is not a share.", right)
    if ratio.denominator == 0:
        raise wrong(f"`{text}` divides by zero.", right)
    if ratio.numerator > ratio.denominator:
        raise wrong(f"`{text}` is more than the whole.", right)
    return ratio


def _of_decimal(number: Decimal) -> Ratio:
    """`0.70` as 70/100: in hundredths where that is exact, else in the power of ten that is."""
    denominator = 100
    while number * denominator != int(number * denominator):
        denominator *= 10
    return Ratio(int(number * denominator), denominator)


def _share(value: Any) -> Decimal:
    number = _threshold(value)
    if not 0 <= number <= 1:
        raise wrong(f"`{number.normalize():f}` is not between 0 and 1.", "a share from 0 to 1, such as 0.40 for 40 %.")
    return number


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = _as_text(value).lower()
    if text not in {"true", "yes", "false", "no"}:
        raise wrong(f"`{text}` is neither true nor false.", "true or false.")
    return text in {"true", "yes"}


def _grade(value: Any) -> str:
    text = _as_text(value).upper()
    named = {"K": "KG", "KG": "KG", "KINDERGARTEN": "KG", "0": "KG", "00": "KG", "PK": "PK", "PREK": "PK", "PRE-K": "PK"}
    if text in named:
        return named[text]
    if re.fullmatch(r"0?[1-9]|1[0-2]", text):
        return str(int(text))
    raise wrong(f"`{text}` is not a grade.", "PK, KG or 1 to 12.")


_AS_TEXT = PlainSerializer(lambda value: str(value), return_type=str, when_used="json")
_NUMBER_SCHEMA: dict[str, Any] = {"type": "number"}

Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
Identifier = Annotated[str, BeforeValidator(_text), StringConstraints(max_length=64), WithJsonSchema({"type": "string", "minLength": 1})]
Slug = Annotated[
    str,
    BeforeValidator(_text),
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$"),
    WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"}),
]
Day = Annotated[dt.date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Whole = Annotated[int, BeforeValidator(_whole), WithJsonSchema({"type": "integer"})]
Count = Annotated[int, BeforeValidator(_at_least(0)), WithJsonSchema({"type": "integer", "minimum": 0})]
Positive = Annotated[int, BeforeValidator(_at_least(1)), WithJsonSchema({"type": "integer", "minimum": 1})]
Money = Annotated[Decimal, BeforeValidator(_money), _AS_TEXT, WithJsonSchema(_NUMBER_SCHEMA)]
Number = Annotated[Decimal, BeforeValidator(_threshold), _AS_TEXT, WithJsonSchema(_NUMBER_SCHEMA)]
Share = Annotated[Decimal, BeforeValidator(_share), _AS_TEXT, WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Rate = Annotated[
    Ratio,
    BeforeValidator(_ratio),
    PlainSerializer(lambda ratio: f"{ratio[0]}/{ratio[1]}", return_type=str, when_used="json"),
    WithJsonSchema({"type": ["number", "string"], "description": "A share from 0 to 1: 0.70, 70/100 or 70%."}),
]
Truth = Annotated[bool, BeforeValidator(_truth), WithJsonSchema({"type": "boolean"})]
Grade = Annotated[str, BeforeValidator(_grade), WithJsonSchema({"type": ["string", "integer"]})]
