"""Rules about a contract's frame: versions, dates, windows, populations, and the money it can cost at most."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from urllib.parse import quote

from obc_pipeline.documents.contract import WINDOW_ORDER, Contract
from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.documents.reading import Reading
from obc_pipeline.documents.rules.context import Readings
from obc_pipeline.names import same_name

# "At least 40 % contingent" is the field's standard; real averages were 31 to 42 %, so less is a warning, not an error.
_STANDARD_CONTINGENT_SHARE = Fraction(40, 100)
# A contract's id names its folder in the ledger, where what is not plain takes up to nine letters; file systems take 255.
_LONGEST_FOLDER_NAME = 200


def check(readings: Readings) -> None:
    _check_versions(readings)
    _check_provider_names(readings)
    _check_ids(readings)
    for reading, contract in readings.each_contract():
        _check_school_year(readings, reading, contract)
        _check_service(reading, contract)
        _check_windows(reading, contract)
        _check_agreement(reading, contract)
        _check_limits(reading, contract)
        _check_schedule(reading, contract)
        _check_approval(reading, contract)
        _check_contingent_share(reading, contract)


def _check_ids(readings: Readings) -> None:
    """Ids name folders of the ledger and lines of it: no two may come to the same, on any file system."""
    spelled: dict[str, str] = {}
    for reading, contract in readings.each_contract():
        contract_id = contract.contract_id
        _check_letters(reading, ("contract_id",), contract_id)
        for index, line in enumerate(contract.rate_card):
            _check_letters(reading, ("rate_card", index, "line_id"), line.line_id)
        if len(quote(contract_id, safe="")) > _LONGEST_FOLDER_NAME:
            reading.error(
                ("contract_id",), f"The id {contract_id} is too long for the name of a folder.", "a shorter one, in plain letters."
            )
        other = spelled.setdefault(same_name(contract_id), contract_id)
        if other != contract_id:
            reading.error(("contract_id",), f"The contract ids {other} and {contract_id} differ in spelling alone.", "ids that differ.")


def _check_letters(reading: Reading[Contract], place: tuple[str | int, ...], text: str) -> None:
    odd = sorted({letter for letter in text if letter == "|" or not letter.isprintable()})
    if odd:
        named = ", ".join("|" if letter == "|" else f"U+{ord(letter):04X}" for letter in odd)
        reading.error(place, f"An id may not hold {named}: ids are joined with | to name what is paid.", "letters, digits, - _ . /")


def _check_versions(readings: Readings) -> None:
    by_contract: dict[str, list[tuple[Reading[Contract], Contract]]] = defaultdict(list)
    for reading, contract in readings.each_contract():
        by_contract[contract.contract_id].append((reading, contract))
        if contract.effective_to is not None and contract.effective_to <= contract.effective_from:
            reading.error(("effective_to",), "The version ends before it begins.", f"a day after {contract.effective_from}, or none.")
    for versions in by_contract.values():
        versions.sort(key=lambda item: (item[1].version, item[0].file))
        for (earlier_reading, earlier), (reading, contract) in itertools.pairwise(versions):
            _check_pair(earlier_reading, earlier, reading, contract)


def _check_pair(earlier_reading: Reading[Contract], earlier: Contract, reading: Reading[Contract], contract: Contract) -> None:
    if contract.version == earlier.version:
        message = f"{contract.contract_id} version {contract.version} is also in {earlier_reading.file}."
        reading.error(
            ("version",), message, f"version: {earlier.version + 1} for an amendment, another contract_id, or only one of the two files."
        )
        return
    if contract.effective_from <= earlier.effective_from:
        message = f"Version {contract.version} takes effect on {contract.effective_from}, not after version {earlier.version} ({earlier.effective_from})."
        reading.error(("effective_from",), message, f"a day after {earlier.effective_from}.")
    elif earlier.effective_to is None or earlier.effective_to > contract.effective_from:
        message = f"Versions {earlier.version} ({earlier_reading.file}) and {contract.version} of {contract.contract_id} are in force at the same time from {contract.effective_from}."
        reading.error(
            ("effective_from",),
            message,
            f"effective_to: {contract.effective_from} in version {earlier.version} (the first day it is no longer in force).",
        )
    elif earlier.effective_to < contract.effective_from:
        message = f"No version of {contract.contract_id} is in force from {earlier.effective_to} until {contract.effective_from}."
        reading.warning(("effective_from",), message, f"effective_to: {contract.effective_from} in version {earlier.version}.")
    if contract.provider_id != earlier.provider_id:
        reading.error(
            ("provider_id",),
            f"Version {earlier.version} of {contract.contract_id} is with {earlier.provider_id}.",
            "the same provider, or another contract_id.",
        )
    if contract.amendment_of is not None and contract.amendment_of != earlier.version:
        reading.error(
            ("amendment_of",), f"Version {contract.version} follows version {earlier.version}.", f"amendment_of: {earlier.version}."
        )


def _check_provider_names(readings: Readings) -> None:
    names: dict[str, tuple[str, str]] = {}
    for reading, contract in readings.each_contract():
        name, file = names.setdefault(contract.provider_id, (contract.provider_name, reading.file))
        if name != contract.provider_name:
            reading.warning(
                ("provider_name",),
                f"The provider {contract.provider_id} is called otherwise in {file}.",
                f"{name}, or another provider_id.",
            )


def _check_school_year(readings: Readings, reading: Reading[Contract], contract: Contract) -> None:
    district = readings.settings.model.district if readings.settings.model else None
    starts_on, ends_on = dt.date(contract.school_year_end - 1, 7, 1), dt.date(contract.school_year_end, 6, 30)
    if district is not None and district.school_year_end == contract.school_year_end:
        starts_on, ends_on = district.school_year
    elif district is not None:
        message = (
            f"The contract is for the school year that ends in {contract.school_year_end}; this home is for {district.school_year_end}."
        )
        reading.warning(("school_year_end",), message, f"{district.school_year_end}, or a home of its own for the other year.")
    for field in ("service_start", "service_end"):
        day = getattr(contract, field)
        if not starts_on <= day <= ends_on:
            reading.error((field,), f"{field} lies outside the school year.", f"a day from {starts_on} to {ends_on}.")
    for index, window in enumerate(contract.windows):
        for field in ("opens_on", "closes_on"):
            if not starts_on <= getattr(window, field) <= ends_on:
                reading.error(
                    ("windows", index, field),
                    f"The {window.window_id} window lies outside the school year.",
                    f"a day from {starts_on} to {ends_on}.",
                )


def _check_service(reading: Reading[Contract], contract: Contract) -> None:
    if contract.service_end <= contract.service_start:
        reading.error(("service_end",), "Service ends before it starts.", f"a day after {contract.service_start}.")
        return
    if contract.version == 1 and contract.effective_from > contract.service_start:
        message = f"Service starts on {contract.service_start}, before the contract is in force: those sessions belong to no contract."
        reading.error(("effective_from",), message, f"{contract.service_start} or earlier.")
    weeks = Fraction((contract.service_end - contract.service_start).days + 1, 7)
    if contract.required_sessions and contract.sessions_per_week and contract.required_sessions > contract.sessions_per_week * weeks:
        most = int(contract.sessions_per_week * weeks)
        message = f"{contract.required_sessions} sessions are required, but {contract.sessions_per_week} a week until {contract.service_end} are at most {most}."
        reading.warning(("required_sessions",), message, f"at most {most}, more sessions per week, or a longer service.")
    if (
        contract.required_sessions
        and contract.required_minutes
        and contract.min_session_minutes
        and contract.required_minutes < contract.required_sessions
    ):
        reading.warning(
            ("required_minutes",), "Fewer minutes are required than sessions: this looks like hours.", "minutes: hours times 60."
        )


def _check_windows(reading: Reading[Contract], contract: Contract) -> None:
    seen: set[str] = set()
    for index, window in enumerate(contract.windows):
        here = ("windows", index)
        if window.window_id in seen:
            reading.error((*here, "window_id"), f"There are two {window.window_id} windows.", "each window once.")
        seen.add(window.window_id)
        if window.closes_on < window.opens_on:
            reading.error((*here, "closes_on"), f"The {window.window_id} window closes before it opens.", f"{window.opens_on} or later.")
        elif window.data_due_on < window.closes_on:
            message = (
                f"Results of the {window.window_id} window are due before it closes: tests taken at its end would be too late to count."
            )
            reading.error((*here, "data_due_on"), message, f"{window.closes_on} or later; results usually take two weeks.")
        if window.late_baseline_until is not None and window.late_baseline_until < window.closes_on:
            reading.error((*here, "late_baseline_until"), "Late baselines end before the window itself.", f"{window.closes_on} or later.")
        if contract.restatement_deadline is not None and window.data_due_on > contract.restatement_deadline:
            message = f"Results of the {window.window_id} window are due after the restatement deadline {contract.restatement_deadline}: they could not be paid."
            reading.error((*here, "data_due_on"), message, "an earlier due date, or a later restatement_deadline.")
    by_id = {window.window_id: (index, window) for index, window in enumerate(contract.windows)}
    present = [by_id[window_id] for window_id in WINDOW_ORDER if window_id in by_id]
    for (_, earlier), (index, window) in itertools.pairwise(present):
        if window.opens_on <= earlier.closes_on and len(seen) == len(contract.windows):
            message = f"The {window.window_id} window opens on {window.opens_on}, before the {earlier.window_id} window closes ({earlier.closes_on})."
            reading.error(("windows", index, "opens_on"), message, "windows in the order fall, winter, spring, without overlap.")


def _check_agreement(reading: Reading[Contract], contract: Contract) -> None:
    if contract.agreement_signed_on is not None and contract.agreement_signed_on > contract.service_start:
        reading.warning(
            ("agreement_signed_on",),
            "The data agreement is signed after service starts: until then no student record may be shared.",
            f"{contract.service_start} or earlier.",
        )
    last_due = max((due for line in contract.rate_card if (due := contract.due_on(line)) is not None), default=None)
    if contract.destroy_by is not None and last_due is not None and contract.destroy_by < last_due:
        reading.error(
            ("destroy_by",),
            f"The records are destroyed before the last results are due ({last_due}).",
            "a day after the last statement can be disputed.",
        )


def _check_limits(reading: Reading[Contract], contract: Contract) -> None:
    for field in ("base_rate", "nte_ceiling", "contingent_pool_cap", "per_student_cap", "dual_control_above"):
        amount = getattr(contract, field)
        if amount is not None and amount < 0:
            reading.error((field,), f"{field} is negative.", "an amount of 0 or more; only a penalty has a negative price.")
    if contract.target_students and contract.max_students and contract.max_students < contract.target_students:
        reading.error(
            ("max_students",),
            f"At most {contract.max_students} students may be served, but {contract.target_students} are to be.",
            f"{contract.target_students} or more.",
        )
    base, students = contract.base_per_student, contract.target_students
    least = Fraction(contract.base_rate) if contract.base_model == "FIXED_INSTALMENT" else base
    if contract.nte_ceiling is not None and least is not None and contract.nte_ceiling < least:
        message = f"The ceiling of {contract.nte_ceiling} is below the base payment itself ({_dollars(least)})."
        reading.error(("nte_ceiling",), message, f"{_dollars(least)} or more.")
        return
    if base is None or students is None:
        return
    base_total = base * students
    if contract.nte_ceiling is not None and contract.nte_ceiling < base_total:
        message = f"The ceiling of {contract.nte_ceiling} is below the base payment for {students} students ({_dollars(base_total)}): nothing would be left for outcomes."
        reading.error(("nte_ceiling",), message, f"{_dollars(base_total)} or more.")
    elif (
        contract.nte_ceiling is not None
        and contract.contingent_pool_cap is not None
        and contract.nte_ceiling < base_total + Fraction(contract.contingent_pool_cap)
    ):
        message = f"Base ({_dollars(base_total)}) and contingent pool ({contract.contingent_pool_cap}) together exceed the ceiling of {contract.nte_ceiling}."
        reading.warning(("nte_ceiling",), message, f"{_dollars(base_total + Fraction(contract.contingent_pool_cap))}, or a smaller pool.")


def _check_schedule(reading: Reading[Contract], contract: Contract) -> None:
    """Shares are of one type's amount: the base, the outcomes. Instalments are paid by the schedule, so theirs must be whole."""
    is_paid_by_it = contract.base_model == "FIXED_INSTALMENT"
    by_type: dict[str, Decimal] = defaultdict(Decimal)
    for payment in contract.payment_schedule:
        by_type[payment.type] += payment.share
    for kind, shares in by_type.items():
        if shares != 1:
            message = f"The {kind} shares of the payment schedule add up to {shares.normalize():f}."
            say = reading.error if is_paid_by_it and kind == "BASE" else reading.warning
            say(("payment_schedule",), message, "shares that add up to 1.", of_key=True)
    if not is_paid_by_it:
        return
    if "BASE" not in by_type and reading.is_whole("payment_schedule"):
        message = "The base is paid in fixed instalments, but the contract does not say when."
        reading.error(("base_model",), message, "payment_schedule: [{paid_on: 2025-11-01, type: BASE, share: 0.5}, ...].")
    if contract.base_proration != "NONE":
        message = f"Instalments are paid by date: {contract.base_proration} has nothing to count."
        reading.error(("base_proration",), message, "NONE, or another base_model.")


def _check_approval(reading: Reading[Contract], contract: Contract) -> None:
    """Somebody can approve; every role that may is somebody's; where two must sign there are two."""
    if not reading.is_whole("approvers"):
        return
    held = {approver.role for approver in contract.approvers}
    for index, role in enumerate(contract.approver_roles):
        if "," in role:
            reading.error(
                ("approver_roles", index), f"The role `{role}` has a comma, which parts one role from the next.", "a role without."
            )
        elif role not in held:
            reading.error(("approver_roles", index), f"Nobody has the approver role `{role}`.", did_you_mean(role, sorted(held)))
    names: set[str] = set()
    for index, approver in enumerate(contract.approvers):
        if ";" in approver.name:
            reading.error(
                ("approvers", index, "name"),
                f"The name {approver.name} has a semicolon, which parts one name from the next.",
                "a name without.",
            )
        if same_name(approver.name) in names:
            reading.error(
                ("approvers", index, "name"), f"{approver.name} stands twice: two signatures of one person are one.", "each person once."
            )
        names.add(same_name(approver.name))
        if approver.role not in contract.roles_that_approve:
            message = f"{approver.name} is {approver.role}, which is none of the approver_roles, and can approve nothing."
            reading.warning(("approvers", index, "role"), message, did_you_mean(approver.role, list(contract.approver_roles)))
    able = {approver.name for approver in contract.approvers if approver.role in contract.roles_that_approve}
    if contract.dual_control_above is not None and len(able) < 2:
        count = "nobody" if not able else "one person"
        message = f"Statements above {contract.dual_control_above} need two people's approval, and {count} can approve."
        reading.error(("dual_control_above",), message, "two approvers, or no dual_control_above.")
    elif not contract.approvers and not contract.approver_roles:
        message = "Nobody may approve a statement of this contract: nothing could be posted."
        reading.warning(("contract_id",), message, "approvers: [{name: ..., role: ...}].")


def _check_contingent_share(reading: Reading[Contract], contract: Contract) -> None:
    if not reading.is_whole("rate_card"):
        return
    share = contract.contingent_share
    if share is None:
        needed = {"PER_SESSION": "required_sessions", "PER_HOUR": "required_minutes", "FIXED_INSTALMENT": "target_students"}[
            contract.base_model
        ]
        reading.warning(
            ("base_model",), "The contingent share cannot be computed: the base payment of one student is not known.", f"{needed} stated."
        )
        return
    if share < _STANDARD_CONTINGENT_SHARE:
        message = f"Only {_percent(share)} of the most a student can cost is contingent on outcomes; the standard is at least 40 %."
        reading.warning(
            ("rate_card",), message, "higher outcome prices or a lower base; or leave it, if both parties mean it.", of_key=True
        )
    declared = contract.contingent_share_declared
    if declared is not None and abs(Fraction(declared) - share) > Fraction(1, 100):
        message = f"The contract declares a contingent share of {_percent(Fraction(declared))}; its prices make it {_percent(share)}."
        reading.warning(("contingent_share_declared",), message, f"{float(share):.2f}, or prices that make the declared share true.")


def _dollars(amount: Fraction) -> str:
    return f"{Decimal(amount.numerator) / Decimal(amount.denominator):.2f}"


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):.1f} %"
