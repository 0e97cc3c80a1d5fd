"""Which students a recipient may be told of, and under which names: never the district's own key, never another recipient's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from obc_pipeline.sharing.audiences import Audience
from obc_pipeline.sharing.secrets import recipient_key


@dataclass(frozen=True)
class RosterStudent:
    """A student of a contract as of the run. sent_id: under which ids its vendor sent the student; None when it sent none.

    is_withheld: the parents opted out, or consent is refused (or missing, where consent is the ground for sharing).
    """

    contract_id: str
    student_key: str
    sent_id: str | None
    is_withheld: bool


# The latest assignment decides: who opted out and was rostered anew later is back. An opt-out counts from when it is known.
_ROSTER = """
    with latest as (
        select contract_id, student_key, end_reason, is_consented
        from input_layer.input__roster_assignment
        where student_key is not null
        qualify start_on = max(start_on) over (partition by contract_id, student_key)
    ),

    rostered as (
        select
            contract_id,
            student_key,
            coalesce(bool_or(upper(end_reason) = 'OPT_OUT' or not is_consented), false) as is_opted_out,
            coalesce(bool_and(is_consented), false) as has_consent
        from latest
        group by contract_id, student_key
    ),

    sent as (
        select cause.contract_id, cause.student_key, string_agg(distinct log.student_id, ', ' order by log.student_id) as sent_id
        from intermediate.int_tutoring_session__cause as cause
        inner join staging.stg_tutoring_sessions__session_student as log on cause.file_id = log.file_id and cause.row_number = log.row_number
        where cause.student_key is not null
        group by cause.contract_id, cause.student_key
    )

    select rostered.contract_id, rostered.student_key, sent.sent_id, rostered.is_opted_out, rostered.has_consent
    from rostered
    left join sent on rostered.contract_id = sent.contract_id and rostered.student_key = sent.student_key
    order by 1, 2
"""


def read_roster(connection: duckdb.DuckDBPyConnection, contracts_by_consent: Sequence[str] = ()) -> list[RosterStudent]:
    """Every student of every contract's roster, from the warehouse. contracts_by_consent: where sharing rests on consent alone."""
    return [
        RosterStudent(contract_id, student_key, sent_id, bool(is_opted_out) or (contract_id in contracts_by_consent and not has_consent))
        for contract_id, student_key, sent_id, is_opted_out, has_consent in connection.execute(_ROSTER).fetchall()
    ]


def withheld(roster: Sequence[RosterStudent], audience: Audience) -> set[tuple[str, str]]:
    """(contract_id, student_key) of the audience's students whose rows must not be with it."""
    return {(one.contract_id, one.student_key) for one in roster if one.contract_id in audience.contracts and one.is_withheld}


@dataclass(frozen=True)
class KnownStudent:
    """One student as a vendor may know it."""

    contract_id: str
    student_key: str
    recipient_key: str
    sent_id: str | None


def known_students(roster: Sequence[RosterStudent], audience: Audience, secret: bytes, contracts: Sequence[str]) -> list[KnownStudent]:
    """The students of these contracts that the audience may be told of, each under its own key."""
    return [
        KnownStudent(one.contract_id, one.student_key, recipient_key(secret, one.student_key), one.sent_id)
        for one in roster
        if one.contract_id in contracts and not one.is_withheld
    ]
