"""The `obc` command. Thin: every command calls one public function and shows what it returns; heavy imports wait until they are needed."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import click
import typer

from obc_pipeline.arguments import parse_date, parse_moment
from obc_pipeline.errors import ArgumentWrong, HomeBusy, StepFailed, describe, trace_without_values
from obc_pipeline.home import Home
from obc_pipeline.ledger_commands import add_ledger_commands
from obc_pipeline.pack_commands import add_pack_commands
from obc_pipeline.report_commands import add_report_commands
from obc_pipeline.sharing_commands import add_sharing_commands

DONE, UNEXPECTED, WRONG, HELD_BACK = 0, 1, 2, 3

app = typer.Typer(
    name="obc",
    help="Outcomes-based contracting: from the files a district receives to what it owes a tutoring provider, and what to improve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
HomeOption = Annotated[Path, typer.Option("--home", envvar="OBC_HOME", help="The district's folder.")]
_DEFAULT_HOME = Path("obc_home")


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Write a commented home, with the data map of the guide as its example."""
    from obc_pipeline.documents import init_home, load
    from obc_pipeline.sharing.secrets import make_secrets

    for path in init_home(folder):
        typer.echo(f"wrote {path}")
    make_secrets(Home(folder), load(Home(folder)))
    typer.echo(f"Edit them, then: obc validate --home {folder}")


@app.command()
def generate(
    students: Annotated[int, typer.Option(help="Students of the whole district, at least 1,000.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")],
    home: HomeOption = _DEFAULT_HOME,
    messy: Annotated[bool, typer.Option("--messy", help="Also everything that senders get wrong, one of each.")] = False,
    example: Annotated[
        str | None,
        typer.Option(
            "--example",
            metavar="NAME",
            help="The district of an example contract instead: base_plus_tiers, several_priced_lines or growth_with_penalties.",
        ),
    ] = None,
) -> None:
    """Make a synthetic district: its documents, and a school year of files in landing/, in the real formats."""
    from obc_pipeline.documents import load
    from obc_pipeline.sharing.secrets import make_secrets
    from obc_pipeline.synthetic import generate as make
    from obc_pipeline.synthetic.examples import generate_example

    if example and messy:
        raise ArgumentWrong("--messy is of the Cedar Valley district; right would be --example or --messy, not both")

    def tell(text: str) -> None:
        typer.echo(text, err=True)

    try:
        if example:
            generate_example(home, example, students, seed, progress=tell)
        else:
            make(home, students, seed, messy=messy, progress=tell)
    except (FileExistsError, ValueError) as problem:
        raise ArgumentWrong(str(problem)) from None
    make_secrets(Home(home), load(Home(home)), seed=str(seed))
    typer.echo(f"Next: obc run --home {home}")


@app.command()
def validate(home: HomeOption = _DEFAULT_HOME) -> None:
    """Check the documents: every problem with file, line, what is wrong and what would be right."""
    from obc_pipeline.documents import validate as judge
    from obc_pipeline.terminal import output, show_problems

    problems = judge(_existing(home))
    show_problems(output(), problems)
    raise typer.Exit(WRONG if any(problem.severity == "error" for problem in problems) else DONE)


@app.command()
def preflight(
    source: Annotated[str, typer.Argument(help="The source, as named in data_map.yml.")],
    file: Annotated[Path, typer.Argument(help="The file as it would be sent, zip or plain.")],
    home: HomeOption = _DEFAULT_HOME,
) -> None:
    """Tell a sender what the pipeline would say of a file, row by row. Stores nothing."""
    from obc_pipeline.documents import load
    from obc_pipeline.documents.problem import did_you_mean
    from obc_pipeline.intake.read import preflight as read
    from obc_pipeline.run import district_names, reading_limits
    from obc_pipeline.terminal import output, show_preflight

    documents = load(_existing(home))
    if source not in documents.sources:
        raise ArgumentWrong(f"{source!r} is no source of this district; right would be {did_you_mean(source, documents.sources)}")
    if not file.is_file():
        raise ArgumentWrong(f"{file} is no file")
    found = read(documents.sources[source], file, district_names(documents), reading_limits(documents))
    raise typer.Exit(DONE if show_preflight(output(), found) else HELD_BACK)


@app.command()
def run(
    home: HomeOption = _DEFAULT_HOME,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Compute as of this day; today unless obc.yml names one.")
    ] = None,
    evidence_cutoff: Annotated[
        str | None,
        typer.Option("--evidence-cutoff", metavar="TIMESTAMP", help="Count only what had arrived by then (UTC); everything unless given."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line of stdout is one JSON object.")] = False,
) -> None:
    """Take in what has landed, check it, build, publish."""
    from obc_pipeline.fingerprint import unchanged_run
    from obc_pipeline.lock import only_run
    from obc_pipeline.result import exit_code

    place, day, moment = _existing(home), parse_date(as_of), parse_moment(evidence_cutoff)
    with only_run(place):
        last = unchanged_run(place, day, moment)
        result = {**last.result, "is_unchanged": True} if last else _run_everything(place, day, moment)
    if as_json:
        typer.echo(json.dumps(result))
    else:
        from obc_pipeline.terminal import output, show_result

        show_result(output(), result)
    raise typer.Exit(exit_code(result))


@app.command()
def status(home: HomeOption = _DEFAULT_HOME) -> None:
    """Show, per row of the data map: last arrival, fresh or late, accuracy, what is stopped."""
    from obc_pipeline.terminal import output, show_status

    show_status(output(), _existing(home))


@app.command()
def show(home: HomeOption = _DEFAULT_HOME) -> None:
    """Show what was published: the statement per contract, the three factors, what was quarantined and why."""
    from obc_pipeline.terminal import output, show_summary

    show_summary(output(), _existing(home))


add_ledger_commands(app)
add_report_commands(app)
add_sharing_commands(app)
add_pack_commands(app)


@app.command()
def ui(home: HomeOption = _DEFAULT_HOME, port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000) -> None:
    """Open Dagster's web UI and its daemon on the home, on this machine only (127.0.0.1)."""
    from obc_pipeline.defs.launch import open_ui

    place = _existing(home)
    typer.echo(f"Dagster on {place.path}: http://127.0.0.1:{port} (stop with Ctrl-C)", err=True)
    open_ui(place, port)


def _run_everything(home: Home, day: Any, moment: Any) -> dict[str, Any]:
    """Runs the Dagster job in this process and returns the result object."""
    from obc_pipeline.defs.launch import run_job
    from obc_pipeline.fingerprint import read_last_run
    from obc_pipeline.run import Run
    from obc_pipeline.terminal import StageProgress

    with StageProgress() as progress:
        this = Run(home, as_of=day, evidence_cutoff_at=moment, progress=progress)
        run_job(this)
    finished = read_last_run(home)
    if finished is None:
        raise StepFailed("finish", "the run ended without its record")
    return finished.result


def _existing(home: Path) -> Home:
    place = Home(home)
    if not place.obc_yml.exists():
        raise ArgumentWrong(
            f"there is no district in {place.path} (no obc.yml). Name one with --home or OBC_HOME, "
            "or make one: obc init DIR, or obc generate --home DIR --students 10000 --seed 1"
        )
    return place


def main() -> None:
    """Runs the command; whatever goes wrong is one clear line and an exit code, never a stack trace."""
    os.umask(0o077)  # everything the pipeline writes is student data or about it
    sys.exit(_outcome())


def _outcome() -> int:
    try:
        code = app(standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except click.exceptions.Abort:
        return _stopped()
    except click.ClickException as problem:
        problem.show()
        return WRONG
    except KeyboardInterrupt:
        return _stopped()
    except ArgumentWrong as problem:
        return _say(problem, WRONG)
    except (HomeBusy, StepFailed) as problem:
        return _say(problem, UNEXPECTED)
    except Exception as error:  # noqa: BLE001 - the last place where an error can still be told without a stack trace
        return _judge(error)


def _judge(error: Exception) -> int:
    """Errors of the stages, whose modules are only imported when they are in use."""
    from obc_pipeline.dbt_build import DbtFailed
    from obc_pipeline.documents import DocumentsInvalid, HomeInUse
    from obc_pipeline.quality.suites import SuiteInvalid
    from obc_pipeline.sharing.errors import SharingError
    from obc_pipeline.sharing.publish import PublishFailed

    if isinstance(error, DocumentsInvalid):
        from rich.console import Console

        from obc_pipeline.terminal import show_problems

        show_problems(Console(stderr=True, highlight=False), error.problems)
        return WRONG
    if isinstance(error, HomeInUse | SuiteInvalid):
        return _say(error, WRONG)
    if isinstance(error, SharingError):
        return _say(error, error.exit_code)
    if isinstance(error, DbtFailed | PublishFailed):
        return _say(error, UNEXPECTED)
    path = Path(tempfile.gettempdir()) / f"obc-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
    path.write_text(trace_without_values(error), encoding="utf-8")
    typer.echo(f"obc: unexpected: {describe(error)}. The trace, without values, is in {path}", err=True)
    return UNEXPECTED


def _say(problem: Exception, code: int) -> int:
    typer.echo(f"obc: {problem}", err=True)
    return code


def _stopped() -> int:
    typer.echo("obc: stopped. Nothing is lost, and nothing half-done is published; run it again to go on.", err=True)
    return 130


if __name__ == "__main__":
    main()
