"""What can be set of the suppression; every field has the default of the field's practice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`n_min`: groups of fewer students are not shown (NCES and most states: 10).

    `total_price`: what hiding a scope's total costs in the search, where hiding any other cell costs 1. A hidden total closes lines in
    every family at once, but it is the figure most people look for. `seed` fixes every random choice of the search.
    """

    n_min: int = 10
    total_price: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_min < 2:
            raise ValueError("n_min must be at least 2: a group of one is a person")
