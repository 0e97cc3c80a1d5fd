"""`ci_structure.yml`: the workgroups that look at the data, how often they meet, what they may decide; and how the questions are measured."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from obc_pipeline.documents.fields import Count, Document, Number, Positive, Share, Slug, Text

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


class Improvement(Document):
    """From when on a number is shown, called a change or worth a person's look. Every field has a default; confidence is always 95 %."""

    least_group_n: Positive = Field(default=10, description="Students below which a group's numbers are not shown.")
    normal_group_n: Positive = Field(default=30, description="Students below which a group's numbers are shown as those of a small group.")
    history_years: Count = Field(default=3, description="Earlier school years whose untutored students say what growth is to be expected.")
    balance_limit_sd: Number = Field(
        default=Decimal("0.250000"), ge=0, description="Baseline difference, in standard deviations, above which groups are not compared."
    )
    balance_fine_sd: Number = Field(
        default=Decimal("0.050000"), ge=0, description="Baseline difference, in standard deviations, that needs no adjustment."
    )
    association_min_pairs: Positive = Field(default=30, description="Students with both values that an association needs.")
    response_rate_min: Share = Field(
        default=Decimal("0.500000"),
        description="Share of attended sessions with an answer below which answers are not related to outcomes.",
    )
    action_window_weeks: Positive = Field(default=4, description="Weeks before and after an action's start that are compared.")
    trend_window_weeks: Positive = Field(default=4, description="Weeks in each of the equal windows of a trend.")
    follow_up_misses: Positive = Field(default=3, description="Missed sessions in a row from which a student is followed up.")
    follow_up_rate: Share = Field(default=Decimal("0.500000"), description="Tutoring attendance below which a student is followed up.")
    follow_up_weeks: Positive = Field(default=3, description="Weeks over which that attendance is measured.")
    substitution_review_weeks: Positive = Field(
        default=6, description="Weeks of persistent absence after which a place is reviewed for substitution."
    )
    lag_weeks_max: Count = Field(default=2, description="Most weeks by which an effect may follow its factor.")
    scale_index_min: Number = Field(
        default=Decimal("1.100000"), ge=0, description="Planned over projected cost per outcome from which a program may be scaled."
    )
    change_index_max: Number = Field(
        default=Decimal("0.900000"), ge=0, description="Planned over projected cost per outcome below which a program should change."
    )
    change_months: Positive = Field(default=2, description="Months in a row below that index before a change is called for.")


class CiStructure(Document):
    """The whole of `ci_structure.yml`."""

    workgroups: tuple[Workgroup, ...] = Field(description="The workgroups.")
    improvement: Improvement = Field(default_factory=Improvement, description="Limits and windows of the improvement questions.")
