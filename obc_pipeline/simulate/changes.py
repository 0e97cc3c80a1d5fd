"""Applies a scenario to the scratch copy: other terms in the contract's tables, other attendance or outcomes in the students' rows.

No rule of payment is written here. Terms are changed where the models read them; attendance and outcomes are changed in the district's
own rows, and the models then decide as they always do.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

import duckdb

from obc_pipeline.documents.problem import did_you_mean
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.explain.keys import rows
from obc_pipeline.simulate.scenario import Scenario, Tier, for_line
from obc_pipeline.simulate.scratch import thaw

_SESSIONS = "intermediate.int_tutoring_session__cause"
_METRICS = "input_layer.input__assessment_metric"
# Sessions that were held for the student and missed: the denominator of the attendance rate beside those attended.
_MISSED = "not is_attended and absence_cause in ('ABSENT_SCHOOL', 'PRESENT_SCHOOL_SKIPPED', 'UNKNOWN')"


def lines_of(connection: duckdb.DuckDBPyConnection, contract_id: str) -> dict[str, int]:
    """line_id -> contract version that governs it."""
    found = connection.execute(
        "select line_id, contract_version from intermediate.int_payment__line where contract_id = ? order by 1", [contract_id]
    )
    return dict(found.fetchall())


def check_lines(scenario: Scenario, contract_id: str, lines: dict[str, int]) -> None:
    """Raises ArgumentWrong when an option names a line the contract does not have."""
    named = [tier.line_id for tier in (*scenario.prices, *scenario.thresholds, *scenario.added_tiers, *scenario.dropped_tiers)]
    named += [line for line, _ in (*scenario.gates, *scenario.outcome_rates) if line is not None]
    for line_id in named:
        if line_id not in lines:
            raise ArgumentWrong(f"{contract_id} has no line {line_id!r}; right would be {did_you_mean(line_id, lines)}")


def apply_terms(connection: duckdb.DuckDBPyConnection, contract_id: str, scenario: Scenario) -> None:
    """Prices, thresholds, tiers, gates, base rate and caps. Raises ArgumentWrong for tiers no contract could have."""
    lines = lines_of(connection, contract_id)
    check_lines(scenario, contract_id, lines)
    for table in ("rate_card_tier", "rate_card_line", "contract"):
        thaw(connection, f"documents.{table}")
    for line_id in dict.fromkeys(
        tier.line_id for tier in (*scenario.prices, *scenario.thresholds, *scenario.added_tiers, *scenario.dropped_tiers)
    ):
        _retier(connection, contract_id, line_id, lines[line_id], scenario)
    for line_id, version in lines.items():
        gate = for_line(scenario.gates, line_id)
        if gate is not None:
            connection.execute(
                """update documents.rate_card_line set dosage_min_rate_numerator = ?, dosage_min_rate_denominator = ?
                   where contract_id = ? and version = ? and line_id = ?""",
                [*gate, contract_id, version, line_id],
            )
    if scenario.base_rate is not None:
        connection.execute("update documents.contract set base_rate_amount = ? where contract_id = ?", [scenario.base_rate, contract_id])
    for column, amount in scenario.caps:
        connection.execute(f"update documents.contract set {column} = ? where contract_id = ?", [amount, contract_id])


def _retier(connection: duckdb.DuckDBPyConnection, contract_id: str, line_id: str, version: int, scenario: Scenario) -> None:
    """Writes the line's tiers anew, numbered from the lowest threshold as the contract's are."""
    where = "contract_id = ? and version = ? and line_id = ?"
    place = [contract_id, version, line_id]
    tiers = rows(connection, f"select * from documents.rate_card_tier where {where} order by kind desc, threshold", *place)
    for change in _of(scenario.prices, line_id):
        _tier_at(tiers, change, "--price")["price_amount"] = change.amount
    # All thresholds move at once: `65=60` beside `60=55` must not move one tier twice.
    moved = [(_tier_at(tiers, change, "--threshold"), change.amount) for change in _of(scenario.thresholds, line_id)]
    for tier, threshold in moved:
        tier["threshold"] = threshold
    for change in _of(scenario.dropped_tiers, line_id):
        tiers.remove(_tier_at(tiers, change, "--no-tier"))
    for change in _of(scenario.added_tiers, line_id):
        tiers.append(
            dict.fromkeys(tiers[0] if tiers else _COLUMNS)
            | dict(zip(_COLUMNS, (*place, 0, "TIER", change.threshold, change.amount), strict=True))
        )
    paying = sorted((tier for tier in tiers if tier["kind"] == "TIER"), key=lambda tier: tier["threshold"])
    _check_tiers(line_id, paying, [tier for tier in tiers if tier["kind"] != "TIER"])
    for number, tier in enumerate(paying, start=1):
        tier["tier_number"] = number
    connection.execute(f"delete from documents.rate_card_tier where {where}", place)
    for tier in tiers:
        names = ", ".join(tier)
        connection.execute(f"insert into documents.rate_card_tier ({names}) values ({', '.join('?' * len(tier))})", list(tier.values()))


_COLUMNS = ("contract_id", "version", "line_id", "tier_number", "kind", "threshold", "price_amount")


def _of(changes: tuple[Tier, ...], line_id: str) -> list[Tier]:
    return [change for change in changes if change.line_id == line_id]


def _tier_at(tiers: list[dict[str, Any]], change: Tier, option: str) -> dict[str, Any]:
    for tier in tiers:
        if tier["threshold"] == change.threshold:
            return tier
    known = ", ".join(_plain(tier["threshold"]) for tier in tiers)
    raise ArgumentWrong(f"{option}: line {change.line_id} has no tier at {_plain(change.threshold)}; its thresholds are {known}")


def _check_tiers(line_id: str, paying: list[dict[str, Any]], penalties: list[dict[str, Any]]) -> None:
    """The same that validation asks of a contract: thresholds and prices rise, a penalty takes and lies below."""
    if not paying:
        raise ArgumentWrong(f"line {line_id} would have no tier left; leave one, with a price of 0 if it is to pay nothing")
    for lower, upper in pairwise(paying):
        if lower["threshold"] == upper["threshold"]:
            raise ArgumentWrong(f"line {line_id} would have two tiers at {_plain(lower['threshold'])}; drop one with --no-tier")
        if lower["price_amount"] > upper["price_amount"]:
            raise ArgumentWrong(
                f"line {line_id} would pay {lower['price_amount']} at {_plain(lower['threshold'])} and less, {upper['price_amount']}, "
                f"at {_plain(upper['threshold'])}; prices must rise with the thresholds"
            )
    if paying[0]["price_amount"] < 0:
        raise ArgumentWrong(f"line {line_id} would take money back from whoever reaches a tier; only a penalty may be negative")
    for penalty in penalties:
        if penalty["price_amount"] > 0 or penalty["threshold"] > paying[0]["threshold"]:
            raise ArgumentWrong(
                f"the penalty of line {line_id} must be negative and lie below the lowest tier, {_plain(paying[0]['threshold'])}"
            )


def attendance(connection: duckdb.DuckDBPyConnection, contract_id: str) -> tuple[int, int]:
    """Sessions attended, and attended or missed by the student, over all students of the contract."""
    row = connection.execute(
        f"""select count(*) filter (where is_attended), count(*) filter (where is_attended or ({_MISSED}))
            from {_SESSIONS} where contract_id = ? and student_key is not null""",
        [contract_id],
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def apply_attendance(connection: duckdb.DuckDBPyConnection, contract_id: str, rate: Decimal) -> None:
    """Makes the share of sessions attended the stated one, by turning missed sessions into attended ones or the other way round.

    Which ones is a draw that always falls the same way (by the hash of session and student). A session turned to attended lasts as long
    as planned; one turned to missed was skipped. Scores stay as they are. Raises ArgumentWrong where the log has no missed sessions.
    """
    thaw(connection, _SESSIONS)
    scheduled = connection.execute(f"select count(*) from {_SESSIONS} where contract_id = ? and is_scheduled", [contract_id]).fetchone()
    attended, possible = attendance(connection, contract_id)
    if not scheduled or not scheduled[0] or not possible:
        raise ArgumentWrong(
            f"the sessions of {contract_id} come from a log that lists attended sessions only, so its attendance rate is not known and cannot be "
            "changed; --gate asks the same question of the dose"
        )
    wanted = int((rate * possible).quantize(Decimal(1), ROUND_HALF_UP))
    drawn = """(contract_id, session_id, student_key) in (
        select (contract_id, session_id, student_key) from {table} where contract_id = ? and student_key is not null and {which}
        order by md5(session_id || '|' || student_key), session_id, student_key limit ?)"""
    if wanted > attended:
        connection.execute(
            f"""update {_SESSIONS} set is_attended = true, is_creditable = true, is_held = true, not_creditable_reason = null, absence_cause = null,
                attendance_status = 'PRESENT', session_status = 'COMPLETED', is_attendance_conflict = false,
                attended_minutes = coalesce(nullif(attended_minutes, 0), scheduled_minutes,
                    (select max(min_session_minutes) from intermediate.int_payment__line where contract_id = ?))
                where {drawn.format(table=_SESSIONS, which=_MISSED)}""",
            [contract_id, contract_id, wanted - attended],
        )
    elif wanted < attended:
        connection.execute(
            f"""update {_SESSIONS} set is_attended = false, is_creditable = false, not_creditable_reason = null, attended_minutes = 0,
                absence_cause = 'PRESENT_SCHOOL_SKIPPED', attendance_status = 'ABSENT', is_attendance_conflict = false
                where {drawn.format(table=_SESSIONS, which="is_attended")}""",
            [contract_id, attended - wanted],
        )


def outcomes(connection: duckdb.DuckDBPyConnection, contract_id: str) -> dict[str, tuple[int, int]]:
    """line_id -> students who met the outcome, and students whose outcome decided (domain §4.2 step 13)."""
    found = connection.execute(
        f"""select line_id, count(*) filter (where is_outcome_met), count(*) from intermediate.int_payment__decision
            where contract_id = ? and {_JUDGED} group by line_id""",
        [contract_id],
    ).fetchall()
    return {line_id: (met, judged) for line_id, met, judged in found}


# Whose outcome the rate card looked at: every other factor was met, and a result is there.
_JUDGED = "decision in ('EARNED', 'NOT_EARNED_OUTCOME', 'PENALTY') and is_outcome_met is not null and student_key is not null"


def apply_outcomes(connection: duckdb.DuckDBPyConnection, contract_id: str, scenario: Scenario) -> None:
    """Makes the share of judged students who meet a line's outcome the stated one. The copy must have been built with the other changes.

    Students nearest to the lowest threshold change sides, and take results spread evenly over those of the students already there: the mix
    of tiers stays the district's own. Raises ArgumentWrong for a line that is not paid on a test, or has nobody judged yet.
    """
    thaw(connection, _METRICS)
    for line_id in lines_of(connection, contract_id):
        rate = for_line(scenario.outcome_rates, line_id)
        if rate is not None:
            _move(connection, contract_id, line_id, rate, is_named=any(line == line_id for line, _ in scenario.outcome_rates))


def _move(connection: duckdb.DuckDBPyConnection, contract_id: str, line_id: str, rate: Decimal, *, is_named: bool) -> None:
    judged = rows(
        connection,
        f"""select end_assessment_result_key as result_key, metric, metric_value, is_outcome_met, threshold_value
            from intermediate.int_payment__decision where contract_id = ? and line_id = ? and {_JUDGED} order by metric_value, student_key""",
        contract_id,
        line_id,
    )
    if any(row["result_key"] is None for row in judged) or not judged:
        if is_named:
            why = (
                "nobody's outcome is judged yet" if not judged else "it is not paid on a test; --attendance-rate is the one for attendance"
            )
            raise ArgumentWrong(f"--outcome-rate: line {line_id} of {contract_id} has no outcome rate to change: {why}")
        return
    met, unmet = [row for row in judged if row["is_outcome_met"]], [row for row in judged if not row["is_outcome_met"]]
    wanted = int((rate * len(judged)).quantize(Decimal(1), ROUND_HALF_UP))
    lowest = connection.execute(
        "select min(t.threshold) from documents.rate_card_tier t inner join intermediate.int_payment__line l on t.contract_id = l.contract_id "
        "and t.version = l.contract_version and t.line_id = l.line_id where t.contract_id = ? and t.line_id = ? and t.kind = 'TIER'",
        [contract_id, line_id],
    ).fetchone()
    threshold = lowest[0] if lowest and lowest[0] is not None else Decimal(0)
    if wanted > len(met):
        movers, donors, otherwise = unmet[len(unmet) - (wanted - len(met)) :], met, threshold + 1
    else:
        movers, donors, otherwise = met[: len(met) - wanted], unmet, threshold - 1
    values = [row["metric_value"] for row in donors] or [otherwise]
    for number, mover in enumerate(movers):
        value = values[(2 * number + 1) * len(values) // (2 * len(movers))]
        connection.execute(
            f"update {_METRICS} set value = ? where assessment_result_key = ? and metric = ?", [value, mover["result_key"], mover["metric"]]
        )


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
