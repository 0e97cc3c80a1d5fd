"""The commands `obc statement`, `approve`, `post` and `verify`: thin, over the functions of `obc_pipeline.ledger`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home

if TYPE_CHECKING:
    from datetime import date, datetime

    from obc_pipeline.ledger.verify import PrintedHead

HELD_BACK = 3
_DEFAULT_HOME = Path("obc_home")
HomeOption = Annotated[Path, typer.Option("--home", envvar="OBC_HOME", help="The district's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The last line of stdout is one JSON object.")]
ContractArgument = Annotated[str, typer.Argument(metavar="CONTRACT", help="The contract's id.")]


def add_ledger_commands(app: typer.Typer) -> None:
    """Adds the four commands to the `obc` command."""
    for command in (statement, approve, post, verify):
        app.command()(command)


def statement(
    contract: ContractArgument,
    files: Annotated[bool, typer.Option("--files", help="Also write it as XLSX and PDF, for procurement and for the vendor.")] = False,
    number: Annotated[
        int | None, typer.Option("--number", metavar="N", min=1, help="With --files: this posted statement instead of the open one.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="N|DATE", help="Show what changed since this statement or day, step by step, instead."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="N|DATE", help="With --since: up to this statement or day; now unless given.")
    ] = None,
    home: HomeOption = _DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show what would be posted next for a contract, who approved it, and what is still missing; or what changed since a cutoff."""
    from obc_pipeline.ledger import propose, read_approvals
    from obc_pipeline.ledger_views import show_proposal, view_of_proposal
    from obc_pipeline.terminal import output

    if number is not None and not files:
        raise ArgumentWrong("--number asks for a posted statement's files; right would be --files --number N")
    if until is not None and since is None:
        raise ArgumentWrong("--until is the end of what --since begins; right would be --since N --until M")
    if since is not None:
        if files:
            raise ArgumentWrong("--since shows changes and --files writes a statement; right would be one of the two")
        _show_changes(Home(home), contract, _point(since), None if until is None else _point(until), as_json)
        return
    with _told(as_json):
        place = Home(home)
        proposal = propose(place, contract)
        view = view_of_proposal(proposal, read_approvals(place, contract, proposal.proposal_hash))
        view |= {"files": _files(place, contract, number) if files else []}

    def shown() -> None:
        if number is None:
            show_proposal(output(), view)
        for path in view["files"]:
            typer.echo(f"wrote {path}")

    _answer(as_json, view, shown)


def _point(text: str) -> int | date:
    """A statement's number or a day."""
    from datetime import date

    try:
        return int(text) if text.isdecimal() and text.isascii() else date.fromisoformat(text)
    except ValueError:
        raise ArgumentWrong(
            f"{text!r} is no statement and no day; right would be a number such as 1, or a day such as 2026-03-15"
        ) from None


def _show_changes(home: Home, contract: str, since: int | date, until: int | date | None, as_json: bool) -> None:
    from obc_pipeline.documents import load
    from obc_pipeline.ledger.restatement import changes
    from obc_pipeline.ledger_views import show_changes, view_of_changes
    from obc_pipeline.terminal import output

    with _told(as_json):
        earlier, later, steps = changes(home, load(home), contract, since, until, _run_to_proposals)
        view = view_of_changes(contract, earlier, later, steps)
    _answer(as_json, view, lambda: show_changes(output(), view))


def _files(home: Home, contract: str, number: int | None) -> list[str]:
    from obc_pipeline.reports import write_statement

    return [str(path) for path in write_statement(home, contract, number)]


def approve(
    contract: ContractArgument,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Your name, as the contract's list of approvers has it.")],
    accept_breaker: Annotated[
        list[str] | None,
        typer.Option("--accept-breaker", metavar="NAME", help="A limit that is meant to be passed: delta or reversal. Can be repeated."),
    ] = None,
    proposal: Annotated[
        str | None,
        typer.Option(
            "--proposal",
            metavar="HASH",
            help="Only if this is still what is proposed: the hash, or its first 12 letters, of the statement you saw.",
        ),
    ] = None,
    home: HomeOption = _DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Approve exactly the entries that are proposed now; if they change, the approval no longer counts."""
    from obc_pipeline.ledger import approve as say_yes
    from obc_pipeline.ledger_views import show_proposal, view_of_proposal
    from obc_pipeline.terminal import output

    with _told(as_json):
        approved = say_yes(Home(home), contract, by, accepts=accept_breaker or (), seen=proposal)
        view = view_of_proposal(approved.proposal, approved.approvals) | {"is_new": approved.is_new}

    def shown() -> None:
        show_proposal(output(), view)
        if not view["entries"]:
            typer.echo("There is nothing to approve. Nothing was recorded.")
        elif approved.is_new:
            typer.echo(f"Recorded: {approved.by} approves these {view['entries']} entries and no others.")
        else:
            typer.echo(f"{approved.by} has approved exactly these entries before. Nothing was changed.")

    _answer(as_json, view, shown)


def post(contract: ContractArgument, home: HomeOption = _DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Append the approved entries to the ledger; posting twice posts nothing the second time."""
    from obc_pipeline.ledger import post as append
    from obc_pipeline.ledger_views import show_posted, view_of_posted
    from obc_pipeline.terminal import output

    with _told(as_json):
        view = view_of_posted(append(Home(home), contract))
    _answer(as_json, view, lambda: show_posted(output(), view))


def verify(
    contract: Annotated[str | None, typer.Option("--contract", metavar="ID", help="Only this contract's ledger.")] = None,
    head: Annotated[
        list[str] | None,
        typer.Option("--head", metavar="HASH[:ENTRIES]", help="Head hash (and number of entries) of a printed statement. Can be repeated."),
    ] = None,
    ledger_only: Annotated[bool, typer.Option("--ledger-only", help="Leave out the archive and its row accounting.")] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Also work each contract's last statement out again from its evidence; takes as long as a run.")
    ] = False,
    home: HomeOption = _DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Check that the ledger, the archive and the row accounting are as they were left; say which file and entry is not."""
    from obc_pipeline.ledger.verify import verify as look
    from obc_pipeline.ledger_views import show_verified, view_of_verified
    from obc_pipeline.terminal import output

    place = Home(home)
    if not place.path.is_dir():
        raise ArgumentWrong(f"there is no folder {place.path}; name the district's folder with --home or OBC_HOME")
    with _told(as_json):
        heads = [_printed_head(text) for text in head or ()]
        found = look(place, contract_id=contract, heads=heads, with_intake=not ledger_only, progress=_tell)
        replayed = (
            [_replayed(place, ledger.contract_id) for ledger in found.ledgers if ledger.statements and not ledger.damages] if replay else []
        )
        view = view_of_verified(found, replayed, is_against_print=bool(heads))
    _answer(as_json, view, lambda: show_verified(output(), view))
    raise typer.Exit(0 if view["status"] == "ok" else HELD_BACK)


def _replayed(home: Home, contract_id: str) -> Any:
    from obc_pipeline.ledger.replay import replay

    _tell(f"ledger of {contract_id}: working the last statement out again")
    return replay(home, contract_id, _run_to_proposals)


def _run_to_proposals(place: Home, as_of: date, evidence_cutoff_at: datetime) -> None:
    """The steps of a run up to the proposals, on a scratch home: nothing is taken in, nothing is published."""
    from obc_pipeline.run import Run

    run = Run(place, as_of=as_of, evidence_cutoff_at=evidence_cutoff_at, progress=lambda stage, text: _tell(f"{stage}: {text}"))
    run.load_documents()
    run.read()
    run.check_sources()
    run.build()


def _printed_head(text: str) -> PrintedHead:
    from obc_pipeline.ledger.verify import PrintedHead

    found = re.fullmatch(r"([0-9a-f]{64})(?::(\d+))?", text.strip().lower())
    if not found:
        raise ArgumentWrong(f"{text!r} is not a head; right would be the 64 letters and digits that the statement prints, or HASH:ENTRIES")
    return PrintedHead(found[1], int(found[2]) if found[2] else None)


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """A refusal is one line on stderr and its exit code; with --json also an object that names it."""
    from obc_pipeline.ledger import LedgerError

    try:
        yield
    except LedgerError as refusal:
        typer.echo(f"obc: {refusal}", err=True)
        if as_json:
            typer.echo(json.dumps({"status": "refused", "error": type(refusal).__name__, "message": str(refusal)}))
        raise typer.Exit(refusal.exit_code) from None


def _answer(as_json: bool, view: dict[str, Any], shown: Any) -> None:
    if as_json:
        typer.echo(json.dumps(view))
    else:
        shown()


def _tell(text: str) -> None:
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)
