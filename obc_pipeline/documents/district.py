"""`obc.yml`: the district, the school year this home is about, and how files are taken in."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from obc_pipeline.documents.fields import Count, Day, Document, Identifier, Positive, Text, Truth, wrong


def _sha256(value: Any) -> str:
    text = str(value or "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise wrong("This is not a SHA-256 hash.", "the 64 hex digits that the quarantine report gives for the held file.")
    return text


def _drop_share(value: Any) -> float:
    try:
        share = float(str(value))
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise wrong("This is not a share from 0 to 1.", "a share from 0 to 1, such as 0.10 for 10 %.")
    return share


class Aliases(Document):
    """Other names and ids under which files may name this district; a file that names none of them is held."""

    names: tuple[Text, ...] = Field(default=(), description="Other spellings of the district's name in files.")
    ids: tuple[Identifier, ...] = Field(default=(), description="Other ids of the district in files.")


class District(Document):
    """Who the district is."""

    id: Identifier = Field(description="The district's id as senders write it, in quotes.", examples=["2800001"])
    name: Text = Field(description="The district's name.", examples=["Cedar Valley School District"])
    school_year_end: Positive = Field(description="The year in which the school year ends.", examples=["2026"], ge=2000, le=2100)
    school_year_starts_on: Day | None = Field(default=None, description="First day of the school year; 1 July before unless stated.")
    school_year_ends_on: Day | None = Field(default=None, description="Last day of the school year; 30 June unless stated.")
    aliases: Aliases = Field(default_factory=Aliases, description="Other names and ids of the district in files.")

    @property
    def school_year(self) -> tuple[dt.date, dt.date]:
        """First and last day of the school year, both inclusive."""
        return (
            self.school_year_starts_on or dt.date(self.school_year_end - 1, 7, 1),
            self.school_year_ends_on or dt.date(self.school_year_end, 6, 30),
        )


class AcceptedFile(Document):
    """A person's decision that a held file counts after all."""

    sha256: Annotated[str, BeforeValidator(_sha256)] = Field(description="SHA-256 of the held file, 64 hex digits.")
    by: Text = Field(description="Who decided.", examples=["J. Rivera, data team"])
    reason: Text = Field(description="Why the file is right in spite of the hold.")


class Intake(Document):
    """How files are taken in."""

    received_at_from: Literal["clock", "file_time"] = Field(
        default="clock", description="What tells when a file arrived: the clock at intake, or (synthetic homes only) the file's own time."
    )
    settle_seconds: Count = Field(default=2, description="Seconds a file must rest unchanged before it is taken in.")
    max_drop_share: Annotated[float, BeforeValidator(_drop_share)] = Field(
        default=0.10, description="A file that would lose more than this share of the rows it replaces is held. 0 to 1."
    )
    max_zip_bytes: Positive = Field(default=8 * 1024**3, description="A zip whose content would be larger, in bytes, is refused.")
    max_zip_ratio: Positive = Field(default=200, description="A zip that unpacks to more than this many times its size is refused.")
    accept: tuple[AcceptedFile, ...] = Field(default=(), description="Held files that a person has decided to let count.")


class Publish(Document):
    """Who gets a published file."""

    audiences: tuple[Text, ...] = Field(
        default=("district",), description="`district`, `public`, `vendor-<provider id>` or `school-<school id>`."
    )
    parquet: Truth = Field(default=True, description="Whether each mart is also written as Parquet.")


class Privacy(Document):
    """What may be shown outside the district."""

    n_min: Positive = Field(default=10, description="Groups smaller than this are not shown outside the district.")


class Settings(Document):
    """The whole of `obc.yml`."""

    district: District = Field(description="Who the district is.")
    timezone: Text = Field(
        default="America/New_York", description="Time zone of local times in files and of schedules.", examples=["America/Chicago"]
    )
    as_of: Day | None = Field(default=None, description="The day as of which everything is computed; left out in a living home (today).")
    intake: Intake = Field(default_factory=Intake, description="How files are taken in.")
    publish: Publish = Field(default_factory=Publish, description="Who gets a published file.")
    privacy: Privacy = Field(default_factory=Privacy, description="What may be shown outside the district.")
