"""What the ledger commands show: one dictionary per answer, which is the JSON, and the same as tables for people. No student in either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from obc_pipeline.ledger.approval import Approval, standing
from obc_pipeline.ledger.breaker import breakers
from obc_pipeline.ledger.entry import dollars
from obc_pipeline.ledger.posting import Posted
from obc_pipeline.ledger.proposal import Proposal, ProposedEntry
from obc_pipeline.ledger.replay import Replayed
from obc_pipeline.ledger.restatement import Cutoff, RestatementStep, residuals
from obc_pipeline.ledger.verify import Verified


def view_of_proposal(proposal: Proposal, approvals: Sequence[Approval]) -> dict[str, Any]:
    """The open statement of a contract. Amounts are text, US dollars."""
    reach = standing(proposal, approvals)
    opening = proposal.ledger.posted_cents
    return {
        "contract_id": proposal.contract_id,
        "statement_number": proposal.statement_number,
        "run_id": proposal.run.run_id,
        "as_of": proposal.run.as_of_date.isoformat(),
        "evidence_cutoff_at": proposal.run.evidence_cutoff_at.strftime("%Y-%m-%d %H:%M:%S"),
        "opening_balance": _text(opening),
        "amount": _text(proposal.amount_cents),
        "closing_balance": _text(opening + proposal.amount_cents),
        "entries": len(proposal.entries),
        "lines": _lines(proposal.entries),
        "late_changes": {"entries": len(proposal.late_changes), "lines": _lines(proposal.late_changes)},
        "restatement_deadline": proposal.terms.restatement_deadline_on.isoformat() if proposal.terms.restatement_deadline_on else None,
        "proposal_hash": proposal.proposal_hash,
        "approvals": [{"by": given.by, "role": given.role, "at": given.at, "accepts": list(given.accepts)} for given in approvals],
        "people_needed": reach.people_needed,
        "is_approved": bool(proposal.entries) and reach.is_enough,
        "missing": list(reach.missing) if proposal.entries else [],
        "breakers": [
            {
                "name": b.name,
                "changed": _text(b.moved_cents),
                "posted": _text(b.posted_cents),
                "limit": f"{b.limit:f}",
                "is_tripped": b.is_tripped,
            }
            for b in breakers(proposal)
        ],
        "blocks": list(proposal.blocks),
        "why_old": proposal.run.why_old,
        "posted_as": proposal.posted_as,
        "head_hash": proposal.ledger.head_hash,
        "entry_count": proposal.ledger.entry_count,
    }


def show_proposal(console: Console, view: dict[str, Any]) -> None:
    """The open statement for people."""
    console.print(
        f"[bold]{escape(view['contract_id'])}, statement {view['statement_number']}[/bold], as of {view['as_of']}, "
        f"evidence up to {view['evidence_cutoff_at']} UTC  (run {view['run_id']})",
        soft_wrap=True,
    )
    if view["lines"]:
        console.print(_line_table(view["lines"]))
    console.print(_balances(view))
    if view["entries"]:
        console.print(f"Proposal {view['proposal_hash']}", soft_wrap=True)
    if view["late_changes"]["entries"]:
        console.print(f"\nAfter the restatement deadline ({view['restatement_deadline']}), listed and not posted:")
        console.print(_line_table(view["late_changes"]["lines"]))
    _show_state(console, view)
    _show_head(console, view)


def view_of_changes(contract_id: str, earlier: Cutoff, later: Cutoff, steps: Sequence[RestatementStep]) -> dict[str, Any]:
    """From one cutoff to another. residual: closing less opening less every step between, zero."""
    return {
        "contract_id": contract_id,
        "since": earlier.words,
        "until": later.words,
        "steps": [{"step": one.step, "cause": one.cause, "lines": one.lines, "amount": str(one.amount)} for one in steps],
        "residual": str(residuals(steps).get(contract_id, Decimal("0.00"))),
    }


def show_changes(console: Console, view: dict[str, Any]) -> None:
    """The changes for people."""
    console.print(f"[bold]{escape(view['contract_id'])}[/bold]: from {view['since']} to {view['until']}", soft_wrap=True)
    table = _table("Step", "Cause", "Lines", "$", right=(2, 3))
    for step in view["steps"]:
        table.add_row(step["step"].lower().replace("_", " "), escape(step["cause"] or ""), f"{step['lines']:,}", _money(step["amount"]))
    console.print(table)
    console.print(f"Left over: {_money(view['residual'])}")


def view_of_posted(posted: Posted) -> dict[str, Any]:
    """What a posting did. entries 0 and statement_number None when there was nothing to post."""
    before = posted.proposal.ledger.posted_cents
    moved = posted.proposal.amount_cents if posted.entries else 0
    return {
        "contract_id": posted.proposal.contract_id,
        "statement_number": posted.proposal.statement_number if posted.entries else None,
        "posted_as": posted.proposal.posted_as,
        "opening_balance": _text(before),
        "amount": _text(moved),
        "closing_balance": _text(before + moved),
        "entries": len(posted.entries),
        "lines": _lines(posted.proposal.entries) if posted.entries else [],
        "late_changes": len(posted.proposal.late_changes),
        "approved_by": posted.entries[0].approved_by if posted.entries else None,
        "head_hash": posted.head_hash,
        "entry_count": posted.entry_count,
        "file": str(posted.path) if posted.path else None,
    }


def show_posted(console: Console, view: dict[str, Any]) -> None:
    """The posting for people, with what must be printed and kept."""
    if not view["entries"]:
        why = f": it was posted as statement {view['posted_as']}" if view["posted_as"] else ""
        late = f" {view['late_changes']} late changes are in the register." if view["late_changes"] else ""
        console.print(f"There is nothing to post for {escape(view['contract_id'])}{why}.{late} Nothing was changed.", soft_wrap=True)
    else:
        console.print(
            f"[bold]Posted statement {view['statement_number']} of {escape(view['contract_id'])}[/bold], approved by {escape(view['approved_by'])}"
        )
        console.print(_line_table(view["lines"]))
        console.print(_balances(view))
        console.print(f"Written once: {escape(view['file'])}", soft_wrap=True)
    _show_head(console, view)


def view_of_verified(found: Verified, replayed: Sequence[Replayed], *, is_against_print: bool) -> dict[str, Any]:
    """The outcome of a verification; status ok or damaged."""
    wrong = [_replay_problem(one) for one in replayed if not one.is_same]
    problems = [*found.problems, *wrong]
    return {
        "status": "damaged" if problems else "ok",
        "problems": problems,
        "is_against_print": is_against_print,
        "contracts": [
            {
                "contract_id": ledger.contract_id,
                "statements": len(ledger.statements),
                "entry_count": ledger.entry_count,
                "posted": _text(ledger.posted_cents),
                "head_hash": ledger.head_hash,
                "is_intact": not ledger.damages,
            }
            for ledger in found.ledgers
        ],
        "archive": {"objects": found.archive.objects, "bytes": found.archive.size_bytes, "receipts": found.archive.receipts}
        if found.archive
        else None,
        "rows": {
            "files": found.rows.files,
            "rows_in": found.rows.rows_in,
            "accepted": found.rows.accepted,
            "quarantined": found.rows.quarantined,
            "duplicate": found.rows.duplicate,
        }
        if found.rows
        else None,
        "replayed": [
            {"contract_id": one.contract_id, "statement_number": one.statement_number, "is_same": one.is_same} for one in replayed
        ],
    }


def show_verified(console: Console, view: dict[str, Any]) -> None:
    """The verification for people: first what is wrong, then what was looked at."""
    for problem in view["problems"]:
        console.print(f"[bold red]damaged[/bold red] {escape(problem)}", soft_wrap=True)
    table = _table("Contract", "Statements", "Entries", "Posted $", "Head", right=(1, 2, 3))
    for ledger in view["contracts"]:
        head = ledger["head_hash"] if ledger["is_intact"] else f"{ledger['head_hash']} (up to the damage)"
        table.add_row(
            escape(ledger["contract_id"]), f"{ledger['statements']:,}", f"{ledger['entry_count']:,}", _money(ledger["posted"]), head
        )
    console.print(table if view["contracts"] else "Nothing has been posted yet.")
    if view["archive"]:
        archive, rows = view["archive"], view["rows"]
        console.print(f"Archive: {archive['objects']:,} contents ({archive['bytes'] / 1e6:,.1f} MB), {archive['receipts']:,} receipts")
        console.print(
            f"Rows: {rows['files']:,} files, {rows['rows_in']:,} records = {rows['accepted']:,} accepted + {rows['quarantined']:,} quarantined "
            f"+ {rows['duplicate']:,} duplicate",
            soft_wrap=True,
        )
    for one in view["replayed"]:
        if one["is_same"]:
            console.print(
                f"{escape(one['contract_id'])}, statement {one['statement_number']}: worked out again from its evidence, the same to the cent"
            )
    if view["status"] == "ok":
        console.print("[green]All of it is as it was left.[/green]")
        if view["contracts"] and not view["is_against_print"]:
            console.print(
                "A cut-off tail or a ledger written anew can only be seen against a printed statement: obc verify --head HASH:ENTRIES",
                soft_wrap=True,
            )


def _show_state(console: Console, view: dict[str, Any]) -> None:
    """Whether it can be posted, and if not, why."""
    if view["posted_as"]:
        console.print(f"What the last run proposed was posted as statement {view['posted_as']}.")
    elif not view["entries"]:
        console.print("There is nothing to post.")
    for breaker in view["breakers"]:
        if breaker["is_tripped"]:
            console.print(
                f"[yellow]Breaker {breaker['name']}[/yellow]: {_money(breaker['changed'])} of the {_money(breaker['posted'])} posted would change; "
                f"the contract's limit is a share of {breaker['limit']}",
                soft_wrap=True,
            )
    for approval in view["approvals"]:
        accepted = f", accepting {' and '.join(approval['accepts'])}" if approval["accepts"] else ""
        console.print(f"Approved by {escape(approval['by'])} ({escape(approval['role'])}) at {approval['at']}{accepted}")
    for block in view["blocks"]:
        console.print(f"[red]Blocked[/red] by {escape(block)}", soft_wrap=True)
    if view["why_old"]:
        console.print(f"[red]Not current[/red]: {view['why_old']}; start another run with obc run", soft_wrap=True)
    for missing in view["missing"]:
        console.print(f"[yellow]Still needed[/yellow]: {escape(missing)}", soft_wrap=True)
    if view["is_approved"] and not view["blocks"] and not view["why_old"]:
        console.print(f"[green]Approved[/green]: obc post {view['contract_id']}")


def _show_head(console: Console, view: dict[str, Any]) -> None:
    console.print(f"Ledger: {view['entry_count']:,} entries, head {view['head_hash']}", soft_wrap=True)


def _lines(entries: Iterable[ProposedEntry]) -> list[dict[str, Any]]:
    """Entries summed by rate-card line and kind of entry."""
    summed: dict[tuple[str, str, str], list[int]] = {}
    for entry in entries:
        group = summed.setdefault((entry.line_id, entry.line_kind, entry.entry_kind), [0, 0])
        group[0] += 1
        group[1] += entry.amount_cents
    return [
        {"line_id": line_id, "line_kind": line_kind, "entry_kind": kind, "entries": count, "amount": _text(amount)}
        for (line_id, line_kind, kind), (count, amount) in sorted(summed.items())
    ]


def _line_table(lines: list[dict[str, Any]]) -> Table:
    table = _table("Line", "Kind", "Entry", "Entries", "Amount $", right=(3, 4))
    for line in lines:
        table.add_row(
            escape(line["line_id"]), line["line_kind"].lower(), line["entry_kind"].lower(), f"{line['entries']:,}", _money(line["amount"])
        )
    return table


def _balances(view: dict[str, Any]) -> Table:
    table = _table("", "$", right=(1,))
    for name, text in (("opening_balance", "Posted before"), ("amount", "This statement"), ("closing_balance", "Posted after")):
        table.add_row(text, _money(view[name]))
    return table


def _replay_problem(one: Replayed) -> str:
    why = (
        "the ledger's amounts cannot be shown to follow from its evidence"
        if one.is_same_program
        else "the program has changed since; replay it with the one that posted"
    )
    return f"{one.contract_id}, statement {one.statement_number}: worked out again it gives other entries: {why}"


def _table(*headers: str, right: Iterable[int] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number in set(right) else "left", overflow="fold")
    return table


def _text(whole_cents: int) -> str:
    return str(dollars(whole_cents))


def _money(amount: str) -> str:
    return f"{Decimal(amount):,.2f}"
