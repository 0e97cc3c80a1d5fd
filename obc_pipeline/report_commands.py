"""The commands `obc explain` and `obc simulate`: thin, over `obc_pipeline.explain` and `obc_pipeline.simulate`."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home

_DEFAULT_HOME = Path("obc_home")
HomeOption = Annotated[Path, typer.Option("--home", envvar="OBC_HOME", help="The district's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The last line of stdout is one JSON object; amounts as strings.")]


def add_report_commands(app: typer.Typer) -> None:
    """Adds the commands to the `obc` command."""
    for command in (explain, simulate):
        app.command()(command)


def explain(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A line_key, or 'CONTRACT|LINE|STUDENT' (LINE may be BASE), in quotes.")],
    all_sessions: Annotated[bool, typer.Option("--all-sessions", help="List every session.")] = False,
    home: HomeOption = _DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Why a payment line is what it is, down to archived file and line. Restricted: shows rows of students."""
    from obc_pipeline.explain import explain as account_of
    from obc_pipeline.explain import show_account
    from obc_pipeline.terminal import output

    account = account_of(_existing(home), key)
    if as_json:
        typer.echo(as_text(account))
    else:
        show_account(output(), account, all_rows=all_sessions)


def simulate(
    contract: Annotated[str, typer.Argument(metavar="CONTRACT", help="The contract's id.")],
    price: Annotated[
        list[str] | None, typer.Option("--price", metavar="LINE:THRESHOLD=PRICE", help="Another price for a tier: G1:50=600.")
    ] = None,
    threshold: Annotated[list[str] | None, typer.Option("--threshold", metavar="LINE:OLD=NEW", help="Another threshold: G1:65=60.")] = None,
    tier: Annotated[list[str] | None, typer.Option("--tier", metavar="LINE:THRESHOLD=PRICE", help="A further tier: G1:80=900.")] = None,
    no_tier: Annotated[list[str] | None, typer.Option("--no-tier", metavar="LINE:THRESHOLD", help="A tier less: G1:35.")] = None,
    gate: Annotated[
        list[str] | None, typer.Option("--gate", metavar="[LINE=]N/M", help="Another attendance gate: 60/100, or G1=60/100.")
    ] = None,
    base_rate: Annotated[str | None, typer.Option("--base-rate", metavar="AMOUNT", help="Another base rate.")] = None,
    cap: Annotated[
        list[str] | None, typer.Option("--cap", metavar="NAME=AMOUNT", help="Another cap: pool, nte or per-student; none lifts it.")
    ] = None,
    outcome_rate: Annotated[
        list[str] | None,
        typer.Option("--outcome-rate", metavar="[LINE=]SHARE", help="Share of judged students who meet the outcome: 0.55."),
    ] = None,
    attendance_rate: Annotated[
        str | None, typer.Option("--attendance-rate", metavar="SHARE", help="Share of held sessions that students attend: 0.80.")
    ] = None,
    home: HomeOption = _DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """What a contract would have cost, on this district's own data, under other terms or rates. Changes nothing."""
    from obc_pipeline.simulate import read_scenario
    from obc_pipeline.simulate import simulate as work_out
    from obc_pipeline.simulate.answer import view
    from obc_pipeline.simulate.show import show_answer
    from obc_pipeline.terminal import output

    scenario = read_scenario(
        price=price or (), threshold=threshold or (), tier=tier or (), no_tier=no_tier or (), gate=gate or (), base_rate=base_rate,
        cap=cap or (), outcome_rate=outcome_rate or (), attendance_rate=attendance_rate,
    )  # fmt: skip
    seen = view(work_out(_existing(home), contract, scenario, progress=lambda text: typer.echo(text, err=True)))
    if as_json:
        typer.echo(as_text(seen))
    else:
        show_answer(output(), seen)


def as_text(account: dict[str, Any]) -> str:
    """One JSON object; decimals and dates as text."""
    return json.dumps(account, default=lambda value: f"{value:f}" if isinstance(value, Decimal) else str(value))


def _existing(home: Path) -> Home:
    place = Home(home)
    if not place.obc_yml.exists():
        raise ArgumentWrong(f"there is no district in {place.path} (no obc.yml); name one with --home or OBC_HOME")
    return place
