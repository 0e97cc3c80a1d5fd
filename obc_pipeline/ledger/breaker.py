"""Breakers: a statement that corrects a large share of what was posted is stopped until an approval says that it is meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from obc_pipeline.ledger.entry import dollars
from obc_pipeline.ledger.proposal import ADJUSTMENT, REVERSAL, Proposal

BREAKERS = ("delta", "reversal")


@dataclass(frozen=True)
class Breaker:
    """One limit and how far the statement goes.

    name:         delta (adjustments and reversals) or reversal (reversals alone).
    moved_cents:  sum of the absolute amounts concerned. posted_cents: sum of the absolute balances of all lines before.
    limit:        0-1, of the contract.
    """

    name: str
    moved_cents: int
    posted_cents: int
    limit: Decimal

    @property
    def is_tripped(self) -> bool:
        """Exactly at the limit is not over it. Where nothing was posted there is nothing to compare with: not judged."""
        return self.posted_cents > 0 and self.moved_cents > Fraction(self.limit) * self.posted_cents

    def __str__(self) -> str:
        return f"{self.name}: {dollars(self.moved_cents)} of {dollars(self.posted_cents)} posted changes; the contract's limit is a share of {self.limit:f}"


def breakers(proposal: Proposal) -> tuple[Breaker, ...]:
    """Every breaker of the contract, tripped or not."""
    posted = sum(abs(balance) for balance in proposal.ledger.balances.values())
    terms = proposal.terms
    return (
        Breaker("delta", sum(_moved(proposal, ADJUSTMENT, REVERSAL)), posted, terms.max_delta_share),
        Breaker("reversal", sum(_moved(proposal, REVERSAL)), posted, terms.max_reversal_share),
    )


def tripped(proposal: Proposal) -> tuple[Breaker, ...]:
    """The breakers that stop the statement unless its approvals accept them."""
    return tuple(breaker for breaker in breakers(proposal) if breaker.is_tripped)


def _moved(proposal: Proposal, *kinds: str) -> Iterator[int]:
    return (abs(entry.amount_cents) for entry in proposal.entries if entry.entry_kind in kinds)
