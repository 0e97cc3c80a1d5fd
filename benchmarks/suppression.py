"""The figures of docs/privacy.md: share of cells hidden in random districts, and seconds for a large one. `python -m benchmarks.suppression`."""

from __future__ import annotations

import random
import sys
import time

from obc_pipeline.sharing.suppression.mask import primary, suppress
from obc_pipeline.sharing.suppression.merge import merged, merges_worth_it
from obc_pipeline.sharing.suppression.table import Table, spine


def large_district(seed: int, schools: int = 100, dimensions: int = 12, sizes: tuple[int, int] = (40, 400)) -> Table:
    """Schools by dimensions of 2 to 7 categories with unequal shares."""
    chance = random.Random(seed)
    scopes = ["all", *(f"school {number:03}" for number in range(schools))]
    categories = {f"dimension {d:02}": tuple(f"{c}" for c in range(chance.choice((2, 2, 3, 4, 5, 6, 7)))) for d in range(dimensions)}
    usual = {name: [chance.gammavariate(0.7, 1) for _ in found] for name, found in categories.items()}
    counts: dict[tuple[str, str, str], int] = {}
    totals = {"all": 0}
    for school in scopes[1:]:
        totals[school] = chance.randint(*sizes)
        totals["all"] += totals[school]
        for name, found in categories.items():
            weights = [share * chance.gammavariate(3, 1 / 3) + 1e-9 for share in usual[name]]
            for category in chance.choices(found, weights, k=totals[school]):
                for scope in ("all", school):
                    counts[scope, name, category] = counts.get((scope, name, category), 0) + 1
    return spine(scopes, categories, counts, totals)


def main(districts: int = 300) -> None:
    from tests.suppression.attack import readers_of
    from tests.suppression.random_districts import random_district, table_of

    cells = small = public = everybody = merged_cells = merged_hidden = 0
    for number in range(districts):
        table = table_of(random_district(random.Random(f"share/{number}")))
        readers = readers_of(table)
        together = merged(table, merges_worth_it(table, {"race"}, readers))
        cells += len(list(table.cells()))
        small += len(primary(table, 10))
        public += len(suppress(table).hidden)
        everybody += len(suppress(table, readers).hidden)
        merged_cells += len(list(together.cells()))
        merged_hidden += len(suppress(together, readers).hidden)
    print(f"{districts} random districts, {cells} cells")
    print(f"  hidden by n < 10 alone                          {small / cells:6.1%}")
    print(f"  safe against the public                         {public / cells:6.1%}")
    print(f"  safe against every school that knows its own    {everybody / cells:6.1%}")
    print(f"  the same, small races merged (of cells shown)   {merged_hidden / merged_cells:6.1%}")
    print(f"  the same, figures lost of all cells             {1 - (merged_cells - merged_hidden) / cells:6.1%}")
    for sizes in ((40, 400), (3, 60)):
        table = large_district(1, sizes=sizes)
        started = time.process_time()
        found = suppress(table, readers_of(table))
        seconds = time.process_time() - started
        share = len(found.hidden) / len(list(table.cells()))
        print(f"100 schools of {sizes[0]}-{sizes[1]} students x 12 dimensions: {seconds:.1f} s CPU, {share:.0%} hidden", end="")
        print(f" ({len(primary(table, 10)) / len(list(table.cells())):.0%} by n < 10 alone)")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
