"""The commands `obc pack` and `obc dictionary`: thin, over `obc_pipeline.packs` and `obc_pipeline.sharing.dictionary`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home

_DEFAULT_HOME = Path("obc_home")


def add_pack_commands(app: typer.Typer) -> None:
    """Adds the commands to the `obc` command."""
    for command in (pack, dictionary):
        app.command()(command)


def pack(
    workgroup: Annotated[str, typer.Argument(metavar="WORKGROUP", help="Its id in ci_structure.yml, or `family` with --student.")],
    audience: Annotated[
        str | None,
        typer.Option("--audience", metavar="AUDIENCE", help="One of its audiences only: vendor-ID or school-ID; all of them unless given."),
    ] = None,
    student: Annotated[str | None, typer.Option("--student", metavar="ID", help="For `family`: the district's student id.")] = None,
    home: Annotated[Path, typer.Option("--home", envvar="OBC_HOME", help="The district's folder.")] = _DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="The last line of stdout is one JSON object.")] = False,
) -> None:
    """Make the meeting pack of a workgroup: one page (HTML) and one PDF per audience, in reports/packs/. Sends nothing to anybody."""
    from obc_pipeline.documents import load
    from obc_pipeline.packs.family import write_family_summary
    from obc_pipeline.packs.making import preview_packs

    place = Home(home)
    if not place.obc_yml.exists():
        raise ArgumentWrong(f"there is no district in {place.path} (no obc.yml). Name one with --home or OBC_HOME")
    if (workgroup == "family") != (student is not None):
        raise ArgumentWrong("a family summary is of one student: obc pack family --student ID; a workgroup's pack takes no --student")
    if student is not None:
        written = [write_family_summary(place, load(place), student)]
    else:
        written = preview_packs(place, load(place), workgroup, audience, progress=lambda text: typer.echo(text, err=True))
    if as_json:
        typer.echo(json.dumps({"workgroup": workgroup, "files": [str(path) for path in written]}))
    else:
        for path in written:
            typer.echo(path)


def dictionary(home: Annotated[Path, typer.Option("--home", envvar="OBC_HOME", help="The district's folder.")] = _DEFAULT_HOME) -> None:
    """Write the data dictionary, every table and column and what it means, as one page: reports/data_dictionary.html."""
    from obc_pipeline.dbt_build import DbtBuild, read_manifest
    from obc_pipeline.sharing.dictionary import write_dictionary

    place = Home(home)
    if not place.obc_yml.exists():
        raise ArgumentWrong(f"there is no district in {place.path} (no obc.yml). Name one with --home or OBC_HOME")
    typer.echo(write_dictionary(place, read_manifest(DbtBuild(place).ensure_manifest())))
