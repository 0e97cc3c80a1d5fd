"""`contracts/*.yml`: one version of one contract with its rate card and the obligations of both parties.

Field names and defaults are those of the domain notes (contract model, payment decision). What has no agreed default has none
here: a contract must state its dosage gate, the reasons that exclude a student, and what a district's default pays.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from obc_pipeline.documents.data_map import Instrument, instrument_format
from obc_pipeline.documents.fields import Count, Day, Document, Grade, Identifier, Money, Number, Positive, Rate, Share, Slug, Text, wrong

WindowId = Literal["FALL", "WINTER", "SPRING"]
WINDOW_ORDER: tuple[WindowId, ...] = ("FALL", "WINTER", "SPRING")

Metric = Literal[
    "CGP_FALL_WINTER",
    "CGP_FALL_SPRING",
    "CGP_WINTER_SPRING",
    "SGP_FALL_WINTER",
    "SGP_FALL_SPRING",
    "SGP_WINTER_SPRING",
    "PROFICIENCY_LEVEL",
    "PERCENTILE",
    "TUTORING_ATTENDANCE_RATE",
    "SCHOOL_ATTENDANCE_RATE",
    "ASSESSMENT_COMPLETED",
    "COURSE_PASSED",
]
# Rates of attendance: no test measures them, so they have an instrument of their own and no column.
ATTENDANCE_METRICS = {"TUTORING_ATTENDANCE_RATE": "TUTORING_SESSIONS", "SCHOOL_ATTENDANCE_RATE": "SIS_ATTENDANCE"}
LegalBasis = Literal["SCHOOL_OFFICIAL", "STUDIES", "AUDIT_EVALUATION", "CONSENT"]
EndReason = Literal["TRANSFER", "OPT_OUT", "SUBSTITUTED", "SCHEDULE", "MEDICAL", "GRADUATED", "DATA_ERROR"]
ObligationMetric = Literal[
    "SAME_TUTOR_SHARE",
    "GROUP_SIZE_COMPLIANCE",
    "DURATION_COMPLIANCE",
    "FREQUENCY_COMPLIANCE",
    "DATA_TIMELINESS",
    "ASSESSMENT_ADMINISTERED",
    "DELIVERY_RATE",
    "ROSTER_BY_DATE",
    "DATA_FEED_BY_DATE",
]


# The export column that holds a metric, by format: a contract must name exactly this one, so that both parties read the same number.
METRIC_COLUMNS: dict[tuple[str, str], str] = {
    ("nwea_map", "CGP_FALL_WINTER"): "FallToWinterConditionalGrowthPercentile",
    ("nwea_map", "CGP_FALL_SPRING"): "FallToSpringConditionalGrowthPercentile",
    ("nwea_map", "CGP_WINTER_SPRING"): "WinterToSpringConditionalGrowthPercentile",
    ("nwea_map", "PERCENTILE"): "TestPercentile",
    ("renaissance_star", "SGP_FALL_WINTER"): "StudentGrowthPercentileFallWinter",
    ("renaissance_star", "SGP_FALL_SPRING"): "StudentGrowthPercentileFallSpring",
    ("renaissance_star", "SGP_WINTER_SPRING"): "StudentGrowthPercentileWinterSpring",
    ("renaissance_star", "PERCENTILE"): "PercentileRank",
    ("state_assessment", "PROFICIENCY_LEVEL"): "level_number",
    ("state_assessment", "PERCENTILE"): "percentile",
}


class Window(Document):
    """A testing window of the contract. All days are inclusive."""

    window_id: WindowId = Field(description="FALL, WINTER or SPRING.")
    opens_on: Day = Field(description="First testing day.")
    closes_on: Day = Field(description="Last testing day.")
    data_due_on: Day = Field(description="Day by which results must have arrived; what comes later needs a ruling.")
    late_baseline_until: Day | None = Field(
        default=None, description="Until when a student who joins late may still take the baseline test."
    )


class Tier(Document):
    """A price reached at a threshold."""

    threshold: Number = Field(description="Value of the metric from which the price is earned.", examples=["50"])
    price: Money = Field(description="US dollars per student.", examples=["500.00"])


class Penalty(Document):
    """A negative price for a student who falls below a threshold."""

    threshold: Number = Field(description="Below this value the penalty applies.", examples=["20"])
    price: Money = Field(description="US dollars per student, negative.", examples=["-75.00"])


class DosageGate(Document):
    """The dose without which an outcome is not paid: a share of what is required, or a fixed number of sessions or hours."""

    unit: Literal["SESSIONS", "MINUTES"] | None = Field(default=None, description="What is counted; SESSIONS unless hours are stated.")
    min_rate: Rate | None = Field(default=None, description="Share of the required dose, such as 70/100.")
    min_sessions: Positive | None = Field(default=None, description="Sessions, out of the contract's required_sessions.")
    min_hours: Positive | None = Field(default=None, description="Hours, out of the contract's required_minutes.")

    @property
    def counts(self) -> Literal["SESSIONS", "MINUTES"]:
        return self.unit or ("MINUTES" if self.min_hours is not None else "SESSIONS")


def _gate(value: Any) -> Any:
    if isinstance(value, str):
        if value.strip().lower() == "none":
            return DosageGate(min_rate=(0, 1))  # type: ignore[arg-type]
        raise wrong(f"`{value}` is not a dosage gate.", "`{unit: SESSIONS, min_rate: 70/100}`, or the word none.")
    return value


def _or_none(schema: dict[str, Any]) -> None:
    """In the JSON Schema, too, a gate may be the word none."""
    schema["anyOf"] = [{"$ref": schema.pop("$ref")}, {"const": "none"}]


class Uplift(Document):
    """A higher price for students of a program."""

    program: Text = Field(description="Program as in the program flags.", examples=["EL"])
    multiplier: Number = Field(description="Factor on the price.", examples=["1.10"])


class RateCardLine(Document):
    """One priced outcome."""

    line_id: Identifier = Field(description="Short name of the line.", examples=["G1"])
    outcome_name: Text = Field(description="What is paid for, in words.")
    outcome_class: Literal["GROWTH", "PROFICIENCY", "MIDYEAR", "COURSE", "ATTENDANCE", "ASSESSMENT_COMPLETION"] = Field(
        description="Kind of outcome."
    )
    instrument: Instrument = Field(description="The test.")
    metric: Metric = Field(description="What is taken from it.")
    source_column: Text | None = Field(
        default=None,
        description="The exact column of the export; none for attendance and for completed assessments.",
        examples=["FallToSpringConditionalGrowthPercentile"],
    )
    baseline_window: WindowId | None = Field(default=None, description="Window of the first test; none for proficiency.")
    end_window: WindowId = Field(description="Window of the last test.")
    data_due_on: Day | None = Field(default=None, description="Due date of this line's results, when later than the window's.")
    comparator: Literal[">=", ">"] = Field(default=">=", description="Thresholds are inclusive unless the contract says otherwise.")
    tiers: tuple[Tier, ...] = Field(description="Thresholds and prices, rising.", min_length=1)
    tier_mode: Literal["BEST_TIER", "CUMULATIVE"] = Field(
        default="BEST_TIER", description="Whether only the best tier pays, or all reached ones."
    )
    penalty: Penalty | None = Field(default=None, description="Negative price below a threshold.")
    price_unit: Literal["PER_STUDENT_OUTCOME", "PER_POINT_ABOVE_TARGET", "COHORT_THRESHOLD"] = Field(
        default="PER_STUDENT_OUTCOME", description="What a price is for."
    )
    dosage_gate: Annotated[DosageGate, BeforeValidator(_gate)] = Field(
        description="The dose without which the line is not paid; `none` if there is none.",
        examples=["{unit: SESSIONS, min_rate: 70/100}"],
        json_schema_extra=_or_none,
    )
    dosage_denominator: Literal["REQUIRED", "SCHEDULED_NET_OF_EXCUSED", "SCHEDULED"] = Field(
        default="REQUIRED", description="What the dose is a share of."
    )
    student_threshold: Number | None = Field(
        default=None,
        description="With COHORT_THRESHOLD: the metric's value from which one student counts; the tiers are then shares of the students.",
        examples=["50"],
    )
    points_max: Positive | None = Field(
        default=None, description="With PER_POINT_ABOVE_TARGET: at most this many points are paid per student.", examples=["30"]
    )
    uplift: tuple[Uplift, ...] = Field(
        default=(), description="Higher prices for student groups, by the programs on the student's first day; of several the largest."
    )
    max_paid_outcomes: Positive | None = Field(default=None, description="At most this many outcomes are paid.")
    line_cap: Money | None = Field(default=None, description="At most this many US dollars are paid for the line.")
    requires_line: Identifier | None = Field(default=None, description="Pays only if this other line pays.")
    excludes_line: Identifier | None = Field(default=None, description="Pays only if this other line does not.")
    missing_test_rule: Literal["NOT_PAYABLE", "EXCLUDE_FROM_DENOM", "DISTRICT_DEFAULT_IF_DISTRICT_CAUSE"] = Field(
        default="NOT_PAYABLE", description="What a missing test means."
    )
    retest_rule: Literal["INSTRUMENT_OFFICIAL", "FIRST_VALID", "LAST_VALID"] = Field(
        default="INSTRUMENT_OFFICIAL", description="Which test counts when there are several; the publisher's own rule unless stated."
    )
    norms_reference: Text | None = Field(
        default=None, description="Norms year the contract names; any one year, never mixed, unless stated."
    )
    rapid_guessing_max_share: Share | None = Field(
        default=None, description="A MAP test with this share of rapid guesses or more is not paid on; 0.30 for MAP unless stated."
    )
    expected_rate_no_tutoring: Share | None = Field(
        default=None, description="Share of similar students who reach it without tutoring, from history."
    )
    validator: Text | None = Field(default=None, description="Who confirms the results.")

    @property
    def export_column(self) -> str | None:
        """`source_column` in the export's own spelling."""
        return METRIC_COLUMNS.get((instrument_format(self.instrument), self.metric), self.source_column)

    @property
    def rapid_guessing_limit(self) -> Decimal | None:
        """Share of rapid guesses from which a test is not paid on. NWEA calls a test unreliable at 30 %; other tests do not report it."""
        if self.rapid_guessing_max_share is None and self.instrument.startswith("NWEA_MAP"):
            return Decimal("0.300000")
        return self.rapid_guessing_max_share

    @property
    def top_multiplier(self) -> Decimal:
        """The highest factor on the price; 1 without uplifts."""
        return max((uplift.multiplier for uplift in self.uplift), default=Decimal(1))

    @property
    def top_price(self) -> Decimal:
        """The most one student (a cohort, where the line is priced for one) can earn on the line, in US dollars, without uplift."""
        if self.price_unit == "PER_POINT_ABOVE_TARGET":
            return max(tier.price for tier in self.tiers) * (self.points_max or 1)
        prices = [tier.price for tier in self.tiers]
        return sum(prices, Decimal(0)) if self.tier_mode == "CUMULATIVE" else max(prices)


class Obligation(Document):
    """One measured duty of one party, with its consequence."""

    obligation_id: Slug = Field(description="Short name of the obligation.", examples=["same_tutor"])
    party: Literal["PROVIDER", "DISTRICT"] = Field(description="Whose duty it is.")
    scope: Literal["STUDENT", "SCHOOL", "CONTRACT"] = Field(description="For what it is judged.")
    metric: ObligationMetric = Field(description="What is measured.")
    comparator: Literal[">=", ">"] = Field(default=">=", description="How the metric is compared with the value.")
    value: Rate = Field(description="The share that must be reached, such as 80/100.", examples=["80/100"])
    measurement_window: Literal["CONTRACT_TO_DATE", "TERM", "MONTH", "WEEK"] = Field(
        default="CONTRACT_TO_DATE",
        description="Over what time it is measured: the whole contract, or each week (Monday to Sunday), month or term (to the close of each test window) by itself; one missed past its cure days is a breach.",
    )
    due_on: Day | None = Field(
        default=None, description="Day by which the evidence source must first have come (ROSTER_BY_DATE, DATA_FEED_BY_DATE)."
    )
    consequence: Literal["VOID_OUTCOME", "VOID_ALL", "DEFAULT_PAY", "NOTICE_ONLY"] = Field(description="What a breach does.")
    cure_days: Count = Field(default=0, description="Days to mend a breach before it has its consequence.")
    evidence_source: Slug = Field(description="The source it is measured from.")


class Payment(Document):
    """A planned payment date."""

    paid_on: Day = Field(description="When.")
    type: Literal["BASE", "OUTCOME", "SETTLEMENT"] = Field(description="For what.")
    share: Share = Field(description="Share of the amount, 0 to 1.")


class TerminationTrigger(Document):
    """A measured condition under which the contract may be ended."""

    metric: Text = Field(description="What is measured.")
    comparator: Literal["<", "<=", ">", ">="] = Field(description="How it is compared.")
    value: Number = Field(description="With what.")
    weeks: Positive = Field(description="For how many weeks in a row.")


class Approver(Document):
    """A person who may approve a statement."""

    name: Text = Field(description="The person's name, as given to `obc approve --by`.", examples=["Dana Whitfield"])
    role: Text = Field(description="In which role; one of approver_roles.", examples=["Director of academics"])


class Breakers(Document):
    """How much of what was already posted one posting may change before it is stopped for people to look at."""

    max_delta_share: Share = Field(
        default=Decimal("0.250000"), description="Largest share of the posted amounts that one posting may change (up or down), 0 to 1."
    )
    max_reversal_share: Share = Field(
        default=Decimal("0.050000"), description="Largest share of the posted amounts that one posting may take back entirely, 0 to 1."
    )


class DataAgreement(NamedTuple):
    """On what terms the provider is given records. signed_on, destroy_by: None when the contract does not say."""

    purpose: str
    legal_basis: LegalBasis
    signed_on: dt.date | None
    destroy_by: dt.date | None


class Contract(Document):
    """One version of one contract. Never changed in place: an amendment is a further file with the next version."""

    contract_id: Identifier = Field(description="The contract's id.", examples=["CVSD-MATH-2026"])
    version: Positive = Field(default=1, description="1, and one more for each amendment.")
    effective_from: Day = Field(description="First day this version is in force.", examples=["2025-07-01"])
    effective_to: Day | None = Field(default=None, description="First day it is no longer in force; open unless stated.")
    amendment_of: Positive | None = Field(default=None, description="The version this one amends.")
    provider_id: Identifier = Field(description="The provider's short name, as in the data map.", examples=["brightpath"])
    provider_name: Text = Field(description="The provider's name.")
    fund_source: Text | None = Field(default=None, description="What it is paid from.")
    school_year_end: Positive = Field(description="The year in which the school year ends.", examples=["2026"])
    service_start: Day = Field(description="First day of tutoring.", examples=["2025-10-06"])
    service_end: Day = Field(description="Last day of tutoring.", examples=["2026-05-15"])

    subject: Literal["math", "reading"] = Field(description="math or reading.")
    grades: tuple[Grade, ...] = Field(default=(), description="Grades served; all when left out.")
    schools: tuple[Identifier, ...] = Field(default=(), description="Schools served, by id; all when left out.")
    eligibility_rule: Text | None = Field(default=None, description="Who may be rostered, in words.")
    target_students: Positive | None = Field(default=None, description="How many students are to be served.")
    max_students: Positive | None = Field(default=None, description="How many may be served at most.")

    base_model: Literal["PER_STUDENT_SERVED", "PER_SESSION", "PER_HOUR", "FIXED_INSTALMENT"] = Field(
        description="What the base payment is for."
    )
    base_rate: Money = Field(description="US dollars per unit of the base model.", examples=["600.00"])
    base_proration: Literal["NONE", "BY_SESSIONS_ATTENDED", "BY_WEEKS"] = Field(
        default="NONE", description="How a student who leaves is counted."
    )
    base_earning_min_sessions: Positive = Field(default=1, description="Sessions from which a student counts as served.")

    required_sessions: Positive | None = Field(default=None, description="Sessions a full dose has.")
    required_minutes: Positive | None = Field(default=None, description="Minutes a full dose has.")
    sessions_per_week: Positive | None = Field(default=None, description="Sessions planned per week.")
    min_session_minutes: Positive | None = Field(default=None, description="Shortest session that counts as held in full.")
    max_group_size: Positive | None = Field(default=None, description="Most students per tutor.")
    program_attendance_target: Share | None = Field(default=None, description="Attendance the program as a whole aims at, 0 to 1.")
    persistent_absence_misses: Positive = Field(default=3, description="Misses in a row that ask for follow-up.")
    persistent_absence_rate: Share = Field(default=Decimal("0.500000"), description="Attendance below this asks for follow-up.")
    persistent_absence_weeks: Positive = Field(default=3, description="Over how many weeks that rate is taken.")

    contingent_share_declared: Share | None = Field(default=None, description="Contingent share as the contract text states it.")
    contingent_pool_cap: Money | None = Field(default=None, description="At most this much is paid for outcomes.")
    nte_ceiling: Money | None = Field(default=None, description="Not to exceed: at most this much is paid in all.")
    per_student_cap: Money | None = Field(default=None, description="At most this much is paid for the outcomes of one student.")

    both_default_rule: Literal["HOLD", "PROVIDER_LOSES", "SPLIT"] = Field(
        default="HOLD", description="When both parties are in default; people decide unless stated."
    )
    district_default_share: Share | None = Field(default=None, description="Share of the top price that a default of the district pays.")
    district_default_scope: Literal["STUDENT", "SCHOOL", "CONTRACT"] | None = Field(
        default=None, description="For whom a default of the district pays."
    )
    excluded_reasons: tuple[EndReason, ...] = Field(
        description="Reasons for leaving that take a student out of the outcomes; [] for none.", examples=["[TRANSFER, OPT_OUT]"]
    )
    data_submission_sla_hours: Positive = Field(default=48, description="Hours after a session by which its data must have come.")
    ci_meeting_max_gap_days: Positive = Field(
        default=14, description="Longest time between two meetings of the district and the provider, in days."
    )
    dispute_window_days: Positive = Field(default=30, description="Days in which a statement can be disputed.")
    restatement_deadline: Day | None = Field(default=None, description="Day after which late changes are listed, not paid.")
    payment_schedule: tuple[Payment, ...] = Field(default=(), description="When what is paid.")
    termination_triggers: tuple[TerminationTrigger, ...] = Field(default=(), description="When the contract may be ended.")
    approvers: tuple[Approver, ...] = Field(
        default=(),
        description="The people who may approve a statement; with none, nothing can be posted.",
        examples=["[{name: Dana Whitfield, role: Director of academics}]"],
    )
    approver_roles: tuple[Text, ...] = Field(
        default=(), description="The roles that may approve a statement; every approver's role unless stated."
    )
    dual_control_above: Money | None = Field(default=None, description="Statements above this amount need two people's approval.")
    breakers: Breakers = Field(default_factory=Breakers, description="What stops a posting until people have looked at it.")

    ferpa_basis: LegalBasis | None = Field(
        default=None, description="On what basis records are shared with the provider; SCHOOL_OFFICIAL unless stated."
    )
    agreement_signed_on: Day | None = Field(default=None, description="When the data agreement was signed.")
    destroy_by: Day | None = Field(default=None, description="When the provider must have destroyed the records.")
    data_purpose: Text | None = Field(
        default=None,
        description="What the provider may use records for; tutoring under this contract unless stated.",
        examples=["Tutoring in mathematics under this contract"],
    )
    source_document_uri: Text | None = Field(default=None, description="Where the signed contract is kept.")

    windows: tuple[Window, ...] = Field(description="Testing windows.", min_length=1)
    rate_card: tuple[RateCardLine, ...] = Field(description="The priced outcomes.", min_length=1)
    obligations: tuple[Obligation, ...] = Field(default=(), description="The measured duties of both parties.")

    def window(self, window_id: str | None) -> Window | None:
        """The window of that id, None when the contract has none."""
        return next((window for window in self.windows if window.window_id == window_id), None)

    def due_on(self, line: RateCardLine) -> dt.date | None:
        """The day by which the line's results must have arrived."""
        window = self.window(line.end_window)
        return line.data_due_on or (window.data_due_on if window else None)

    def gate_rate(self, line: RateCardLine) -> tuple[int, int] | None:
        """The line's dosage gate as numerator and denominator; None when a fixed dose has no required dose to be a share of."""
        gate = line.dosage_gate
        if gate.min_rate is not None:
            return gate.min_rate.numerator, gate.min_rate.denominator
        if gate.min_sessions is not None:
            return (gate.min_sessions, self.required_sessions) if self.required_sessions else None
        if gate.min_hours is not None:
            return (gate.min_hours * 60, self.required_minutes) if self.required_minutes else None
        return None

    @property
    def roles_that_approve(self) -> tuple[str, ...]:
        """The roles that may approve a statement: those stated, else every approver's."""
        return self.approver_roles or tuple(dict.fromkeys(approver.role for approver in self.approvers))

    @property
    def data_agreement(self) -> DataAgreement:
        """Purpose and legal basis as stated, else the usual ones: tutoring under the contract, as a school official (34 CFR 99.31(a)(1))."""
        purpose = self.data_purpose or f"Tutoring in {self.subject} under {self.contract_id}"
        return DataAgreement(purpose, self.ferpa_basis or "SCHOOL_OFFICIAL", self.agreement_signed_on, self.destroy_by)

    @property
    def base_per_student(self) -> Fraction | None:
        """Base payment for one student with a full dose, in US dollars; None when the contract does not say enough."""
        rate = Fraction(self.base_rate)
        if self.base_model == "PER_STUDENT_SERVED":
            return rate
        if self.base_model == "PER_SESSION":
            return rate * self.required_sessions if self.required_sessions else None
        if self.base_model == "PER_HOUR":
            return rate * self.required_minutes / 60 if self.required_minutes else None
        return rate / self.target_students if self.target_students else None

    @property
    def max_contingent_per_student(self) -> Fraction:
        """The most one student's outcomes can earn, in US dollars. Of two lines that exclude each other the dearer counts."""
        prices = {line.line_id: line.top_price * line.top_multiplier for line in self.rate_card if line.price_unit != "COHORT_THRESHOLD"}
        cohorts = sum((line.top_price for line in self.rate_card if line.price_unit == "COHORT_THRESHOLD"), Decimal(0))
        for line in self.rate_card:
            other = line.excludes_line
            if other in prices and line.line_id in prices:
                prices.pop(other if prices[other] <= prices[line.line_id] else line.line_id)
        total = sum(prices.values(), Decimal(0))
        own = Fraction(min(total, self.per_student_cap) if self.per_student_cap is not None else total)
        # What is paid once for all is shared among the students to be served.
        return own + Fraction(cohorts) / (self.target_students or 1)

    @property
    def contingent_share(self) -> Fraction | None:
        """Maximum contingent pay / (base + maximum contingent pay), per student and within the pool cap; None when the base is not known."""
        base, contingent = self.base_per_student, self.max_contingent_per_student
        if base is None:
            return None
        if self.contingent_pool_cap is not None and self.target_students:
            contingent = min(contingent, Fraction(self.contingent_pool_cap) / self.target_students)
        return contingent / (base + contingent) if base + contingent else None


__all__ = ["Contract", "DataAgreement", "Obligation", "RateCardLine", "Tier", "Window"]
