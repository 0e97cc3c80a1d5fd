"""The commands `obc release`, `releases`, `secret` and `destroy`: thin, over the functions of `obc_pipeline.sharing`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home

_DEFAULT_HOME = Path("obc_home")
HomeOption = Annotated[Path, typer.Option("--home", envvar="OBC_HOME", help="The district's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The last line of stdout is one JSON object.")]
AudienceArgument = Annotated[
    str, typer.Argument(metavar="AUDIENCE", help="vendor-<provider id>, school-<school id> or public; obc releases lists them.")
]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Your name, as `releasers` in ci_structure.yml has it.")]


def add_sharing_commands(app: typer.Typer) -> None:
    """Adds the four commands to the `obc` command."""
    for command in (release, releases, secret, destroy):
        app.command()(command)


def release(
    audience: AudienceArgument,
    by: ByOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go out; nothing is released or logged.")] = False,
    home: HomeOption = _DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Put out what the last run prepared for an audience, in your name; the disclosure log has it."""
    from obc_pipeline.sharing.release import release as put_out
    from obc_pipeline.sharing.views import show_release, view_of_release
    from obc_pipeline.terminal import output

    with _told(as_json):
        view = view_of_release(put_out(_existing(home), audience, by, dry_run=dry_run), dry_run)
    _answer(as_json, view, lambda: show_release(output(), view))


def releases(home: HomeOption = _DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Show for every audience what is prepared, what is out, what has changed since, and what stands in the way."""
    from obc_pipeline.documents import load
    from obc_pipeline.sharing.release import standings
    from obc_pipeline.sharing.views import show_standings, view_of_standings
    from obc_pipeline.terminal import output

    place = _existing(home)
    with _told(as_json):
        documents = load(place)
        view = view_of_standings(documents, standings(place, documents))
    _answer(as_json, view, lambda: show_standings(output(), view))


def secret(audience: AudienceArgument, home: HomeOption = _DEFAULT_HOME) -> None:
    """Make the secret of a vendor's keys where there is none; the next run can then prepare its file."""
    from obc_pipeline.documents import load
    from obc_pipeline.sharing.audiences import find_audience
    from obc_pipeline.sharing.release import all_audiences
    from obc_pipeline.sharing.secrets import make_secret

    place = _existing(home)
    with _told(as_json=False):
        path, is_new = make_secret(place, find_audience(all_audiences(place, load(place)), audience))
    typer.echo(
        f"wrote {path}. Keep it where the home is kept, out of git; nobody needs to read it." if is_new else f"{path} is there already"
    )


def destroy(
    audience: AudienceArgument,
    by: ByOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be destroyed.")] = False,
    home: HomeOption = _DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Delete what is here of an audience, its secret included, and leave a certificate. Runs do it by themselves after destroy_by."""
    from obc_pipeline.sharing.destruction import destroy as delete
    from obc_pipeline.sharing.views import show_certificate, view_of_certificate
    from obc_pipeline.terminal import output

    with _told(as_json):
        view = view_of_certificate(audience, delete(_existing(home), audience, by, dry_run=dry_run), dry_run)
    _answer(as_json, view, lambda: show_certificate(output(), view))


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """A refusal is one line on stderr and its exit code; with --json also an object that names it."""
    from obc_pipeline.sharing.errors import SharingError

    try:
        yield
    except SharingError as refusal:
        typer.echo(f"obc: {refusal}", err=True)
        if as_json:
            typer.echo(json.dumps({"status": "refused", "error": type(refusal).__name__, "message": str(refusal)}))
        raise typer.Exit(refusal.exit_code) from None


def _answer(as_json: bool, view: dict[str, Any], shown: Any) -> None:
    if as_json:
        typer.echo(json.dumps(view))
    else:
        shown()


def _existing(home: Path) -> Home:
    place = Home(home)
    if not place.obc_yml.exists():
        raise ArgumentWrong(f"there is no district in {place.path} (no obc.yml); name one with --home or OBC_HOME")
    return place
