"""Makes the example contracts' districts, runs and posts them, and writes their statements beside this file: `make statements`.

The figures in README.md stand between two marks and are what this prints; hashes, times and run ids are of the moment.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from obc_pipeline.documents import load
from obc_pipeline.home import Home
from obc_pipeline.synthetic.examples import EXAMPLES, generate_example

HERE = Path(__file__).resolve().parent
STUDENTS, SEED = 1_200, 7
BEGIN, END = "<!-- figures: made by make_statements.py -->", "<!-- end of figures -->"
# One page is shown per example; of the four vendors' statements, the largest.
SHOWN = {"base_plus_tiers": "HBC-MATH8-2026", "several_priced_lines": "JRP-LIT-2026", "growth_with_penalties": "MCV-AIRLOOM-2026"}
_PIXELS_PER_POINT = 1.1


def post_example(example: str, folder: Path) -> Home:
    """The example's district in `folder`: generated, run, and its first statements approved by all who may, and posted."""
    generate_example(folder, example, STUDENTS, SEED)
    home = Home(folder)
    _obc(home, "run")
    for contract in load(home).contracts:
        for person in contract.approvers:
            _obc(home, "approve", contract.contract_id, "--by", person.name)
        _obc(home, "post", contract.contract_id)
    return home


def figures(home: Home) -> str:
    """The statements of a posted home as Markdown tables: the balance of each contract, and its lines by outcome."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return "\n".join(line for contract in load(home).contracts for line in _contract(connection, contract.contract_id))


def _contract(connection: duckdb.DuckDBPyConnection, contract_id: str) -> Iterator[str]:
    rows = connection.execute(
        """
        select
            line_id,
            case when payable_amount <> 0 then tier end as paid_tier,
            coalesce(decision, line_kind) as result,
            count(*),
            sum(earned_amount),
            sum(payable_amount)
        from payable.fct_settlement_line
        where contract_id = ?
        group by all
        order by line_id, sum(payable_amount) desc, result, paid_tier
        """,
        [contract_id],
    ).fetchall()
    earned, payable = sum(row[4] for row in rows), sum(row[5] for row in rows)
    yield f"**{contract_id}**: earned {earned:,.2f}, payable and posted {payable:,.2f}"
    yield ""
    yield "| line | decision | lines | earned | payable |"
    yield "|---|---|--:|--:|--:|"
    for line_id, tier, decision, count, line_earned, line_payable in rows:
        reached = f", tier {tier}" if tier is not None else ""
        yield f"| {line_id} | {decision.replace('_', ' ').lower()}{reached} | {count} | {line_earned:,.2f} | {line_payable:,.2f} |"
    yield ""


def written_figures(text: str, example: str) -> str:
    """What README.md says of an example."""
    after = text.split(f"## {example}\n", 1)[1]
    return after.split(BEGIN, 1)[1].split(END, 1)[0].strip()


def _write(example: str, home: Home) -> None:
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, after = text.split(f"## {example}\n", 1)
    head, rest = after.split(BEGIN, 1)
    readme.write_text(f"{before}## {example}\n{head}{BEGIN}\n\n{figures(home).strip()}\n\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")
    shown = SHOWN[example]
    for path in map(Path, _obc(home, "statement", shown, "--files", "--number", "1")["files"]):
        if path.stem.endswith("_vendor"):
            continue
        if path.suffix == ".xlsx":
            shutil.copyfile(path, HERE / f"{shown}.xlsx")
        else:
            _picture(path, HERE / f"{shown}.png")


def _picture(pdf: Path, png: Path) -> None:
    """The first page as a picture, in few colours; left as it is where pypdfium2 and Pillow are not installed."""
    try:
        import pypdfium2  # pyright: ignore[reportMissingImports]
        from PIL import Image
    except ImportError:
        print(f"{png.name} was not made again: it needs pypdfium2 and pillow", file=sys.stderr)
        return
    page = pypdfium2.PdfDocument(str(pdf))[0].render(scale=_PIXELS_PER_POINT).to_pil()
    page.convert("RGB").quantize(24, method=Image.Quantize.MEDIANCUT).save(png, optimize=True)


def _obc(home: Home, *arguments: str) -> dict[str, Any]:
    """Runs `obc`, which must not fail, and gives its result object."""
    command = [sys.executable, "-m", "obc_pipeline.cli", *arguments, "--json", "--home", str(home.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"obc {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-1000:]}")
    return json.loads(done.stdout.rstrip().splitlines()[-1])


def main() -> None:
    for example in EXAMPLES:
        print(example, file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            _write(example, post_example(example, Path(folder) / "home"))


if __name__ == "__main__":
    main()
