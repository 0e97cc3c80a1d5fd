"""What the sharing commands show: one dictionary per answer, which is the JSON, and the same as tables for people. No student in either."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from obc_pipeline.documents import Documents
from obc_pipeline.sharing.contents import Contents
from obc_pipeline.sharing.destruction import Certificate
from obc_pipeline.sharing.release import Release, Standing


def view_of_release(done: Release, dry_run: bool) -> dict[str, Any]:
    """A release; status released, already_out or would_release."""
    audience, entry = done.audience, done.entry
    return {
        "status": "would_release" if dry_run else "released" if done.is_new else "already_out",
        "audience": audience.audience_id,
        "recipient": audience.name,
        "by": done.by.name,
        "role": done.by.role,
        "purpose": audience.purpose,
        "legal_basis": audience.legal_basis,
        "is_ferpa_recordable": audience.is_ferpa_recordable,
        "contracts": list(audience.contracts),
        "destroy_by": {contract_id: day.isoformat() for contract_id, day in audience.destroy_by.items()},
        **_contents(done.contents),
        "tables": {name: {"rows": table["rows"], "columns": table["columns"]} for name, table in done.contents.tables.items()},
        "packs": [name for name in done.files if name.startswith("packs/")],
        "changes": done.changes,
        "log_entry": entry.seq if entry else None,
        "released_at": entry.released_at if entry else None,
        "snapshot_hash": entry.snapshot_hash if entry else None,
    }


def show_release(console: Console, view: dict[str, Any]) -> None:
    """A release for people: to whom, what, why, and what is other than before."""
    console.print(f"[bold]{escape(view['recipient'])}[/bold] ({escape(view['audience'])})", soft_wrap=True)
    recordable = "to be recorded under FERPA 99.32" if view["is_ferpa_recordable"] else "no FERPA record required; logged all the same"
    console.print(f"{escape(view['purpose'])}. Basis: {view['legal_basis']} ({recordable})", soft_wrap=True)
    console.print(
        f"As of {view['as_of']}, run {view['run_id']}, {view['students']:,} students. {escape(view['aggregates'])}", soft_wrap=True
    )
    table = _table("Table", "Rows", "Columns", right=(1,))
    for name, one in view["tables"].items():
        table.add_row(escape(name), f"{one['rows']:,}", f"{len(one['columns'])}")
    console.print(table)
    for pack in view["packs"]:
        console.print(f"Pack: {escape(pack)}", soft_wrap=True)
    for change in view["changes"]:
        console.print(f"Changed: {escape(change)}", soft_wrap=True)
    said = {
        "would_release": "Nothing was released; leave out --dry-run to release it.",
        "released": f"[green]Released[/green] by {escape(view['by'])}: entry {view['log_entry']} of the disclosure log.",
        "already_out": f"Exactly this is out already (entry {view['log_entry']} of the disclosure log). Nothing was logged anew.",
    }
    console.print(said[view["status"]], soft_wrap=True)


def view_of_standings(documents: Documents, found: Sequence[Standing]) -> dict[str, Any]:
    """Where every audience stands."""
    return {
        "status": "ok",
        "releasers": [{"name": one.name, "role": one.role} for one in documents.releases.releasers],
        "audiences": [
            {
                "audience": one.audience.audience_id,
                "recipient": one.audience.name,
                "kind": one.audience.kind,
                "workgroups": list(one.audience.workgroups),
                "legal_basis": one.audience.legal_basis,
                "prepared": _contents(one.prepared) if one.prepared else None,
                "out": {
                    **(_contents(one.out) if one.out else {}),
                    "released_at": one.entry.released_at,
                    "released_by": one.entry.released_by,
                    "log_entry": one.entry.seq,
                }
                if one.entry
                else None,
                "changes": one.changes,
                "problem": one.problem,
                "damage": one.damage,
            }
            for one in found
        ],
    }


def show_standings(console: Console, view: dict[str, Any]) -> None:
    """One line per audience, then what stands in somebody's way."""
    table = _table("Audience", "Recipient", "Prepared as of", "Students", "Out since", "By", "Out as of", "Changed", right=(3,))
    for one in view["audiences"]:
        prepared, out = one["prepared"], one["out"]
        changed = "" if not prepared or not out else f"{len(one['changes'])} tables" if one["changes"] else "no"
        table.add_row(
            escape(one["audience"]),
            escape(one["recipient"]),
            prepared["as_of"] if prepared else "not prepared",
            f"{prepared['students']:,}" if prepared else "",
            out["released_at"] if out else "never released",
            escape(out["released_by"]) if out else "",
            out.get("as_of", "") if out else "",
            changed,
        )
    console.print(table if view["audiences"] else "There is no audience but the district: no workgroup and no publish.audiences names one.")
    for one in view["audiences"]:
        if one["damage"]:
            console.print(f"[bold red]damaged[/bold red] {escape(one['damage'])}", soft_wrap=True)
        if one["problem"]:
            console.print(f"[yellow]Cannot be released[/yellow]: {escape(one['problem'])}", soft_wrap=True)
    people = ", ".join(f"{one['name']} ({one['role']})" for one in view["releasers"])
    console.print(f"May release: {escape(people) or 'nobody'}. obc release AUDIENCE --by NAME [--dry-run]", soft_wrap=True)


def view_of_certificate(audience_id: str, certificate: Certificate | None, dry_run: bool) -> dict[str, Any]:
    """A destruction; status destroyed, would_destroy or nothing_there."""
    if certificate is None:
        return {"status": "nothing_there", "audience": audience_id, "files": 0, "bytes": 0, "students": 0}
    return {
        "status": "would_destroy" if dry_run else "destroyed",
        "audience": audience_id,
        "files": len(certificate.files),
        "bytes": sum(file["bytes"] for file in certificate.files),
        "students": certificate.students,
        "destroyed_at": certificate.destroyed_at,
        "not_covered": certificate.not_covered,
    }


def show_certificate(console: Console, view: dict[str, Any]) -> None:
    """A destruction for people."""
    if view["status"] == "nothing_there":
        console.print(f"Nothing of {escape(view['audience'])} is here.")
        return
    word = "Would destroy" if view["status"] == "would_destroy" else "Destroyed"
    console.print(f"{word} {view['files']:,} files ({view['bytes'] / 1e6:,.1f} MB) about {view['students']:,} students.", soft_wrap=True)
    console.print(view["not_covered"], soft_wrap=True)


def _contents(contents: Contents) -> dict[str, Any]:
    return {
        "run_id": contents.run_id,
        "as_of": contents.as_of_date,
        "students": contents.students,
        "aggregates": contents.aggregates,
        "aggregates_as_of": contents.aggregates_as_of,
        "data_hash": contents.data_hash,
    }


def _table(*headers: str, right: Sequence[int] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number in set(right) else "left", overflow="fold")
    return table
