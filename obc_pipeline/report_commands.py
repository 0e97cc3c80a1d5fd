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
    for command in (explain,):
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


def as_text(account: dict[str, Any]) -> str:
    """One JSON object; decimals and dates as text."""
    return json.dumps(account, default=lambda value: f"{value:f}" if isinstance(value, Decimal) else str(value))


def _existing(home: Path) -> Home:
    place = Home(home)
    if not place.obc_yml.exists():
        raise ArgumentWrong(f"there is no district in {place.path} (no obc.yml); name one with --home or OBC_HOME")
    return place
