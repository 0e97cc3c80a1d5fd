"""From one cutoff to another: why what is payable changed, contract by contract, with nothing left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb

from obc_pipeline.documents import Documents
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home
from obc_pipeline.ledger.chain import Statement
from obc_pipeline.ledger.errors import NoSuchStatement
from obc_pipeline.ledger.proposal import open_to_read, propose
from obc_pipeline.ledger.replay import RunTo, settled_again
from obc_pipeline.ledger.settlement import Settlement, read_settlement, settle

STEPS = ("OPENING", "NEW", "BASE_GREW", "RESTATED_UP", "RESTATED_DOWN", "GONE", "CAPS", "CLOSING")


@dataclass(frozen=True)
class RestatementStep:
    """One step from the earlier payable amount of a contract to the later one.

    step:   OPENING and CLOSING are balances, the others what lies between them:
            NEW            lines that did not exist, or were open (held or pending), and are worth something now
            BASE_GREW      base pay that was something before and is more now
            RESTATED_UP    outcomes decided before that are worth more now
            RESTATED_DOWN  lines decided before, or open with an amount, that are worth less now
            GONE           lines that are settled no longer
            CAPS           what the caps cut off now, against what they cut off then
    cause:  reason code now, `then > now` where it changed, the cap for CAPS; None for the two balances.
    lines:  how many lines it concerns. amount: US dollars before caps, negative where it takes away; for CAPS what the caps gave back.
    """

    contract_id: str
    step: str
    cause: str | None
    lines: int
    amount: Decimal


def restatement_waterfall(connection: duckdb.DuckDBPyConnection, earlier: str, later: str) -> list[RestatementStep]:
    """The steps between two runs' `fct_settlement_line`, by contract in the order of STEPS, causes by name.

    earlier, later: relations the connection can see, such as `then.payable.fct_settlement_line` of an attached published file. Contracts
    of either are included. The steps between OPENING and CLOSING add up to their difference exactly; `residuals` proves it.
    """
    found = connection.execute(_QUERY.format(earlier=earlier, later=later)).fetchall()
    return [RestatementStep(contract_id, step, cause, lines, amount) for contract_id, step, cause, lines, amount in found]


def waterfall_between(earlier: Settlement, later: Settlement) -> list[RestatementStep]:
    """The steps between two settlements of one contract."""
    with duckdb.connect() as connection:
        connection.register("earlier_settlement", earlier.table)
        connection.register("later_settlement", later.table)
        return restatement_waterfall(connection, "earlier_settlement", "later_settlement")


@dataclass(frozen=True)
class Cutoff:
    """A settlement and when it was: in words for a table's head."""

    words: str
    settlement: Settlement


def changes(
    home: Home, documents: Documents, contract_id: str, since: int | date, until: int | date | None, run_to: RunTo
) -> tuple[Cutoff, Cutoff, list[RestatementStep]]:
    """What changed between two cutoffs of a contract, and the two.

    since, until: number of a posted statement, or a day; until None = what the last run says now. A day on which a statement was posted as
    of is that statement; any other day is worked out again, in a scratch folder, from what had arrived by its end, under the documents of
    today. Raises NoSuchStatement, ArgumentWrong for a day after the last run's, and what `propose` and `run_to` raise.
    """
    proposal = propose(home, contract_id, documents)
    statements = {statement.number: statement for statement in proposal.ledger.statements}

    def at(point: int | date | None) -> Cutoff:
        if isinstance(point, date):
            as_of_that_day = [one for one in statements.values() if one.entries[0].as_of_date == point]
            if not as_of_that_day:
                return _on_a_day(home, documents, contract_id, point, proposal.run.as_of_date, run_to)
            point = as_of_that_day[-1].number
        if point is None:
            with open_to_read(home) as connection:
                number, as_of = proposal.statement_number, proposal.run.as_of_date
                return Cutoff(f"the last run, as of {as_of}", settle(connection, documents, contract_id, number, as_of))
        if point not in statements:
            known = ", ".join(map(str, statements)) or "none yet"
            raise NoSuchStatement(f"{contract_id} has no posted statement {point}; posted: {known}")
        return Cutoff(f"statement {point}, as of {statements[point].entries[0].as_of_date}", settlement_of(home, statements[point]))

    earlier, later = at(since), at(until)
    return earlier, later, waterfall_between(earlier.settlement, later.settlement)


def settlement_of(home: Home, statement: Statement) -> Settlement:
    """What was kept with a posted statement. The ledger was read just before, so it is there and whole."""
    return read_settlement(home, statement.settlement_hash)


def _on_a_day(home: Home, documents: Documents, contract_id: str, day: date, last: date, run_to: RunTo) -> Cutoff:
    if day > last:
        raise ArgumentWrong(f"{day} is after the last run's date, {last}; right would be an earlier day, or a run as of that day")
    midnight = datetime.combine(day, time(23, 59, 59), ZoneInfo(documents.obc.timezone)).astimezone(UTC)
    return Cutoff(f"{day}, worked out again", settled_again(home, documents, contract_id, day, midnight, run_to))


def residuals(steps: Sequence[RestatementStep]) -> dict[str, Decimal]:
    """By contract: closing less opening less every step between. Zero, or the two runs were not read whole."""
    left: dict[str, Decimal] = {}
    for step in steps:
        sign = 1 if step.step == "CLOSING" else -1
        left[step.contract_id] = left.get(step.contract_id, Decimal(0)) + sign * step.amount
    return left


# A line's payable amount is what it earned less what caps cut off; so its change is the change of the one less that of the other.
_QUERY = """
with then_line as (
    select * from {earlier}
),

now_line as (
    select * from {later}
),

change as (
    select
        coalesce(now_line.contract_id, then_line.contract_id) as contract_id,
        case
            when now_line.line_key is null then 'GONE'
            when then_line.line_key is null then 'NEW'
            when then_line.decision similar to '(HELD|PENDING)_.*' and then_line.earned_amount = 0 then 'NEW'
            when now_line.line_kind = 'BASE' and then_line.earned_amount > 0 and now_line.earned_amount > then_line.earned_amount
                then 'BASE_GREW'
            when now_line.earned_amount > then_line.earned_amount then 'RESTATED_UP'
            else 'RESTATED_DOWN'
        end as step,
        case
            when now_line.line_key is null then then_line.reason_code
            when then_line.line_key is null or then_line.reason_code = now_line.reason_code then now_line.reason_code
            else then_line.reason_code || ' > ' || now_line.reason_code
        end as cause,
        coalesce(now_line.earned_amount, 0) - coalesce(then_line.earned_amount, 0) as amount
    from then_line
    full outer join now_line
        on then_line.contract_id = now_line.contract_id and then_line.line_key = now_line.line_key
),

cut as (
    select contract_id, cap_applied, line_key, earned_amount - payable_amount as amount
    from then_line
    where cap_applied is not null
    union all
    select contract_id, cap_applied, line_key, payable_amount - earned_amount as amount
    from now_line
    where cap_applied is not null
),

contract as (
    select contract_id from then_line
    union
    select contract_id from now_line
),

step as (
    select contract.contract_id, 'OPENING' as step, null as cause, count(then_line.line_key) as line_count, sum(then_line.payable_amount) as amount
    from contract
    left join then_line on contract.contract_id = then_line.contract_id
    group by contract.contract_id
    union all
    select contract_id, step, cause, count(*), sum(amount)
    from change
    where amount <> 0
    group by contract_id, step, cause
    union all
    select contract_id, 'CAPS', cap_applied, count(distinct line_key), sum(amount)
    from cut
    group by contract_id, cap_applied
    having sum(amount) <> 0
    union all
    select contract.contract_id, 'CLOSING', null, count(now_line.line_key), sum(now_line.payable_amount)
    from contract
    left join now_line on contract.contract_id = now_line.contract_id
    group by contract.contract_id
)

select contract_id, step, cause, cast(line_count as bigint), cast(coalesce(amount, 0) as decimal(18, 2))
from step
order by
    contract_id,
    list_position(['OPENING', 'NEW', 'BASE_GREW', 'RESTATED_UP', 'RESTATED_DOWN', 'GONE', 'CAPS', 'CLOSING'], step),
    cause
"""
