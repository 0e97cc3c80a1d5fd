"""`ci_structure.yml`: the workgroups that look at the data, who sits in them, how often they meet, what they see and decide."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from obc_pipeline.documents.fields import Document, Positive, Slug, Text

Cadence = Literal["WEEKLY", "BIWEEKLY", "MONTHLY", "QUARTERLY", "YEARLY", "AS_NEEDED"]

# Longest time between two meetings, in days.
CADENCE_DAYS: dict[str, int] = {"WEEKLY": 7, "BIWEEKLY": 14, "MONTHLY": 31, "QUARTERLY": 92, "YEARLY": 366, "AS_NEEDED": 366}


class Workgroup(Document):
    """One standing meeting."""

    workgroup_id: Slug = Field(description="Short name of the workgroup.", examples=["district_data_review"])
    name: Text = Field(description="Its name.", examples=["District Data Review"])
    purpose: Text = Field(description="What it is for.")
    members: tuple[Text, ...] = Field(description="Who sits in it, by role.", min_length=1)
    cadence: Cadence = Field(description="How often it meets.")
    duration_minutes: Positive | None = Field(default=None, description="How long a meeting is, in minutes.")
    data_review_cadence: Cadence | None = Field(default=None, description="How often it reviews data, when less often than it meets.")
    decisions: tuple[Text, ...] = Field(default=(), description="What it may decide.")
    audience: Text = Field(
        description="What it may see: `district`, `vendor` (each vendor its own), `school` (each school its own), `public`, "
        "or one of them: `vendor-<provider id>`, `school-<school id>`."
    )


class CiStructure(Document):
    """The whole of `ci_structure.yml`."""

    workgroups: tuple[Workgroup, ...] = Field(description="The workgroups.")
