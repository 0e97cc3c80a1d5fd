"""`data_map.yml`: the feeds that come in (`sources`) and what is measured with them (`rows`, the guide's five columns).

Metric and instrument are separate fields: a growth percentile of Star (SGP) and one of MAP Growth (CGP) are different products.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from obc_pipeline.documents.fields import Count, Document, Identifier, Share, Slug, Text, Truth, Whole, wrong

Instrument = Literal[
    "NWEA_MAP_MATH",
    "NWEA_MAP_READING",
    "RENAISSANCE_STAR_MATH",
    "RENAISSANCE_STAR_READING",
    "RENAISSANCE_STAR_EARLY_LITERACY",
    "STATE_TEST_MATH",
    "STATE_TEST_ELA",
    "SIS_ATTENDANCE",
    "TUTORING_SESSIONS",
]
Frequency = Literal["DAILY", "WEEKLY", "BIWEEKLY", "MONTHLY", "QUARTERLY", "PER_WINDOW", "YEARLY", "AS_NEEDED"]
Construct = Literal["identity", "efficacy", "engagement", "satisfaction", "relationship", "understanding"]
AttendanceStatus = Literal["ABSENT", "PRESENT", "TARDY", "EARLY_DEPARTURE"]


def instrument_format(instrument: str) -> str:
    """The format that carries an instrument's results."""
    if instrument.startswith("NWEA_MAP"):
        return "nwea_map"
    if instrument in ("SIS_ATTENDANCE", "TUTORING_SESSIONS"):
        return instrument.lower()
    return "renaissance_star" if instrument.startswith("RENAISSANCE_STAR") else "state_assessment"


def instrument_subject(instrument: str) -> str | None:
    """`math` or `reading`, the contract subject an instrument measures; None for attendance, which belongs to any."""
    if instrument in ("SIS_ATTENDANCE", "TUTORING_SESSIONS"):
        return None
    return "math" if instrument.endswith("_MATH") else "reading"


def _cron(value: Any) -> str:
    text = str(value or "").strip()
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    parts = text.split()
    right = "five fields: minute hour day month weekday, such as '0 6 * * 1' for Mondays at six."
    if len(parts) != 5:
        raise wrong(f"`{text}` is not a cron schedule.", right)
    for part, (low, high) in zip(parts, bounds, strict=True):
        for piece in part.split(","):
            span, _, step = piece.partition("/")
            numbers = [] if span == "*" else span.split("-")
            is_fine = len(numbers) <= 2 and all(number.isdigit() and low <= int(number) <= high for number in numbers)
            if not is_fine or ("/" in piece and not (step.isdigit() and int(step) > 0)):
                raise wrong(f"`{part}` does not fit in a cron schedule there.", right)
    return text


def _delimiter(value: Any) -> str:
    text = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(str(value), str(value))
    if len(text) != 1:
        raise wrong("A delimiter is one character.", "',', ';', '|' or tab.")
    return text


class Schedule(Document):
    """When the pipeline goes and looks for the source's files."""

    cron: Annotated[str, BeforeValidator(_cron)] = Field(
        description="Five cron fields: minute hour day month weekday.", examples=["'0 6 * * 1'"]
    )
    timezone: Text | None = Field(default=None, description="Time zone of the schedule; the district's unless stated.")


class AttendanceCode(Document):
    """What one local attendance code means. Codes differ by district: the same letter is another thing next door."""

    code: Identifier = Field(description="The code as the file writes it.", examples=["A"])
    excuse: Text | None = Field(default=None, description="The excuse mark beside the code, where the system has one; any when left out.")
    status: AttendanceStatus = Field(description="What the code means. Tardy and early departure count as present.")
    is_excused: Truth | None = Field(default=None, description="Whether the absence is excused.")
    absent_share: Share | None = Field(
        default=None, description="Part of the day missed, 0 to 1; 1 for ABSENT and 0 for the others unless stated."
    )

    @property
    def share_absent(self) -> Decimal:
        """Part of the day missed, 0 to 1."""
        if self.absent_share is not None:
            return self.absent_share
        return Decimal(1) if self.status == "ABSENT" else Decimal(0)


class ExitTicketItem(Document):
    """One question of an exit ticket: how its column is headed, what it asks about, and on which scale."""

    item_code: Identifier = Field(description="Our short name of the item.", examples=["EFFIC_1"])
    header: Text = Field(description="Header of its column: the full question (Google Forms) or its id (Qualtrics).")
    earlier_headers: tuple[Text, ...] = Field(default=(), description="Headers the same question had before it was reworded.")
    asks_about: Construct | None = Field(default=None, alias="construct", description="What the item asks about; left out for free text.")
    scale_min: Whole | None = Field(default=None, description="Lowest value of the scale.")
    scale_max: Whole | None = Field(default=None, description="Highest value of the scale.")
    is_reverse: Truth = Field(default=False, description="Whether a high answer is the poor one.")
    is_free_text: Truth = Field(default=False, description="Whether the answer is free text, which is kept apart and never shared.")
    labels: dict[str, Whole] = Field(default_factory=dict, description="Answer label: value. Labels not listed are no answer.")


class Source(Document):
    """One feed: one landing folder, one format, one owner, one timing."""

    _name: str = PrivateAttr(default="")
    format: Text = Field(description="Format of the files.", examples=["nwea_map"])
    system: Text = Field(description="The system the data lives in.", examples=["PowerSchool"])
    provider_id: Identifier | None = Field(default=None, description="The provider, when this is a provider's feed.")
    subject: Literal["math", "reading"] | None = Field(default=None, description="Subject of a provider's feed.")
    layout: Text | None = Field(default=None, description="Which of the format's layouts is sent (tutoring sessions: `datas` or `full`).")
    preset: Text | None = Field(default=None, description="A known sender's headers (`powerschool`, `google_forms`, ...).")
    columns: dict[str, Text] = Field(default_factory=dict, description="The sender's header: column of the lake, where they differ.")
    delimiter: Annotated[str, BeforeValidator(_delimiter)] | None = Field(
        default=None, description="Column separator, when not the format's own."
    )
    student_id_is: Literal["local", "sourced", "state"] | None = Field(
        default=None, description="Which identifier the feed carries: the district's own number, OneRoster's sourcedId, or the state's."
    )
    owner_role: Text = Field(description="Who answers for the data.", examples=["District data team"])
    access_method: Text = Field(description="How the district gets the data.", examples=["CSV by SFTP"])
    frequency: Frequency = Field(description="How often it comes.")
    expected_delay_hours: Count | None = Field(default=None, description="Hours from measurement to arrival.")
    expected_delay_days: Count | None = Field(default=None, description="Days from measurement to arrival.")
    schedule: Schedule | None = Field(default=None, description="When to look for it.")
    is_attended_only: Truth | None = Field(default=None, description="Whether session logs hold only attended sessions.")
    attendance_codes: tuple[AttendanceCode, ...] = Field(default=(), description="What each local attendance code means.")
    form_version: Text | None = Field(default=None, description="Version of the exit ticket form.", examples=["'2025-09'"])
    items: tuple[ExitTicketItem, ...] = Field(default=(), description="The exit ticket's item dictionary.")
    own_options: dict[str, Any] = Field(default_factory=dict, alias="options", description="Further options of the format.")

    @property
    def name(self) -> str:
        """Its key in the data map; also its landing folder."""
        return self._name

    @property
    def delay_hours(self) -> int:
        """Expected hours from measurement to arrival."""
        if self.expected_delay_hours is not None:
            return self.expected_delay_hours
        return (self.expected_delay_days or 0) * 24

    @property
    def delay_days(self) -> int:
        """Expected days from measurement to arrival, rounded up to whole days."""
        return math.ceil(self.delay_hours / 24)

    @property
    def reports_attended_only(self) -> bool:
        """Whether scheduled sessions cannot be counted from this feed. DATAS 1.0.0 has one row per attended session, nothing else."""
        return self.is_attended_only if self.is_attended_only is not None else self.layout == "datas"

    @property
    def options(self) -> dict[str, Any]:
        """Everything that changes how its files are read, as the formats want it: preset, layout, columns, items, and what `options:` adds.

        `items` have `header` as a list: the present one, then the earlier ones.
        """
        items = [
            {**item.model_dump(by_alias=True, exclude={"earlier_headers"}), "header": [item.header, *item.earlier_headers]}
            for item in self.items
        ]
        stated = {
            "layout": self.layout,
            "preset": self.preset,
            "columns": dict(self.columns),
            "delimiter": self.delimiter,
            "form_version": self.form_version,
            "items": items,
        }
        return {name: value for name, value in stated.items() if value not in (None, [], {})} | self.own_options


class DataMapRow(Document):
    """One line of the data map: outcome and metric, measurement, access, timing, accuracy."""

    row_id: Slug = Field(description="Short name of the row.", examples=["sgp_reading"])
    metric: Text = Field(description="What is measured.", examples=["Student growth percentile (SGP)"])
    kind: Literal["PAYMENT", "PROCESS"] = Field(description="PAYMENT triggers money; PROCESS is watched to improve.")
    instrument: Instrument | None = Field(default=None, description="The test that measures it; must be stated for PAYMENT.")
    measurement: Text = Field(description="How it is measured.")
    source: Slug | None = Field(default=None, description="The source that brings it.")
    sources: tuple[Slug, ...] = Field(default=(), description="The sources that bring it, when there are several.")
    system: Text | None = Field(default=None, description="Where it is stored; as the source says unless stated.")
    owner_role: Text | None = Field(default=None, description="Who answers for it; as the source says unless stated.")
    access_method: Text | None = Field(default=None, description="How the district gets it; as the source says unless stated.")
    frequency: Frequency | None = Field(default=None, description="How often it is measured; as the source says unless stated.")
    expected_delay_hours: Count | None = Field(
        default=None, description="Hours from measurement to arrival; as the source says unless stated."
    )
    expected_delay_days: Count | None = Field(
        default=None, description="Days from measurement to arrival; as the source says unless stated."
    )
    accuracy_status: Literal["TRUSTED", "NEW", "TBD"] = Field(description="TRUSTED: failing checks block. NEW or TBD: they only warn.")
    checks: tuple[Text, ...] = Field(default=(), description="Expectation suites that watch it, by file name in expectations/.")

    def delay_hours(self, source: Source) -> int:
        """Expected hours from measurement to arrival: the row's own, else the source's."""
        if self.expected_delay_hours is not None:
            return self.expected_delay_hours
        return self.expected_delay_days * 24 if self.expected_delay_days is not None else source.delay_hours

    @property
    def source_names(self) -> tuple[str, ...]:
        """Every source of the row, in order."""
        return tuple(dict.fromkeys(([self.source] if self.source else []) + list(self.sources)))


class DataMap(Document):
    """The whole of `data_map.yml`."""

    sources: dict[Slug, Source] = Field(description="The feeds by name; each has the folder landing/<name>/.")
    rows: tuple[DataMapRow, ...] = Field(description="What is measured, one row per metric.")

    @model_validator(mode="after")
    def _name_sources(self) -> DataMap:
        for name, source in self.sources.items():
            source._name = name
        return self


__all__ = [
    "AttendanceCode",
    "DataMap",
    "DataMapRow",
    "ExitTicketItem",
    "Schedule",
    "Source",
    "instrument_format",
    "instrument_subject",
]
