"""`ci_structure.yml`: the workgroups that look at the data, how often they meet, what they may decide; and how the questions are measured."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

from pydantic import Field

from obc_pipeline.documents.fields import Count, Day, Document, Number, Positive, Share, Slug, Text

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


class Releaser(Document):
    """A person who may release files to those outside the district's data team."""

    name: Text = Field(description="The person's name, as given to `obc release --by`.", examples=["Dana Whitfield"])
    role: Text = Field(description="In which role; one of release_roles.", examples=["Director of academics"])


class Releases(Document):
    """When grouped numbers go out, and who says that something goes out at all."""

    cadence: Literal["MONTHLY", "QUARTERLY"] = Field(
        default="MONTHLY",
        description="How often suppressed aggregates may change: on the first day of the month, or of the quarter. "
        "What changes more often gives small groups away by what moved.",
    )
    dates: tuple[Day, ...] = Field(
        default=(), description="Days on which they may change, instead of the cadence.", examples=["[2025-11-03, 2026-02-16]"]
    )
    releasers: tuple[Releaser, ...] = Field(default=(), description="The people who may release; with none, nothing can be released.")
    release_roles: tuple[Text, ...] = Field(default=(), description="The roles that may release; every releaser's role unless stated.")

    @property
    def roles_that_release(self) -> tuple[str, ...]:
        """The roles that may release: those stated, else every releaser's."""
        return self.release_roles or tuple(dict.fromkeys(releaser.role for releaser in self.releasers))

    def last_date(self, as_of: dt.date, school_year: tuple[dt.date, dt.date]) -> dt.date | None:
        """The last release date of the school year on or before `as_of`; None when there was none yet."""
        return max((day for day in self._dates(school_year) if day <= as_of), default=None)

    def next_date(self, as_of: dt.date, school_year: tuple[dt.date, dt.date]) -> dt.date | None:
        """The first release date after `as_of`; None when the school year has no more."""
        return min((day for day in self._dates(school_year) if day > as_of), default=None)

    def _dates(self, school_year: tuple[dt.date, dt.date]) -> list[dt.date]:
        """Every release date of the school year; the cadence goes on for three months after it, for what is settled then."""
        if self.dates:
            return sorted(self.dates)
        first, last = school_year
        step = 1 if self.cadence == "MONTHLY" else 3
        months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month + 3)
        days = [dt.date(month // 12, month % 12 + 1, 1) for month in months if month % 12 % step == 0]
        return [day for day in days if day >= first]


class CiStructure(Document):
    """The whole of `ci_structure.yml`."""

    workgroups: tuple[Workgroup, ...] = Field(description="The workgroups.")
    releases: Releases = Field(
        default_factory=Releases, description="When suppressed aggregates may change, and who may release files to others."
    )
    improvement: Improvement = Field(default_factory=Improvement, description="Limits and windows of the improvement questions.")
