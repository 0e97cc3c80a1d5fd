"""Makes the packs: per workgroup and audience one page and one PDF, from that audience's published file alone."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path

from obc_pipeline.documents import Documents
from obc_pipeline.documents.ci_structure import CADENCE_DAYS, Workgroup
from obc_pipeline.errors import ArgumentWrong
from obc_pipeline.home import Home
from obc_pipeline.packs import next_steps, operations, outcomes, partnership
from obc_pipeline.packs.as_html import page
from obc_pipeline.packs.as_pdf import write_pdf
from obc_pipeline.packs.content import Pack, Table
from obc_pipeline.packs.question import View
from obc_pipeline.packs.reader import Reader, open_reader

DISTRICT = "district"
_MOST_FINDINGS = 3
_PROVIDER_SCOPED = "Confidential: student records of this provider's own students"
_CONFIDENTIALITY = {
    "district": "Confidential: student records, district only",
    "vendor": _PROVIDER_SCOPED,
    "school": "Confidential: student records of this school",
    "public": "Public: no student can be recognised",
}


def workgroup(documents: Documents, workgroup_id: str) -> Workgroup:
    """The workgroup of that id. Raises ArgumentWrong, naming those there are."""
    found = next((group for group in documents.workgroups if group.workgroup_id == workgroup_id), None)
    if found is None:
        known = ", ".join(group.workgroup_id for group in documents.workgroups)
        raise ArgumentWrong(f"ci_structure.yml has no workgroup {workgroup_id!r}; it has {known}")
    return found


def is_for(group: Workgroup, audience: str) -> bool:
    """Whether the workgroup's packs are for this audience: `vendor` means each vendor its own, `school` each school its own."""
    return group.audience in (audience, audience.split("-", 1)[0])


def write_audience_packs(home: Home, documents: Documents, audience: str, marts_file: Path, folder: Path) -> list[Path]:
    """The packs of every workgroup whose audience this is, from `marts_file`, into `folder`; returns the files, page and PDF in turn."""
    written: list[Path] = []
    for group in documents.workgroups:
        if is_for(group, audience):
            written += write_pack(home, documents, group, audience, marts_file, folder)
    return written


def write_pack(home: Home, documents: Documents, group: Workgroup, audience: str, marts_file: Path, folder: Path) -> list[Path]:
    """One pack as `<workgroup>[_<audience>]_<as of>.html` and `.pdf` in `folder`, readable by the owner alone.

    Raises ArgumentWrong when nothing has been published for the audience; what was written before stands.
    """
    if not marts_file.exists():
        raise ArgumentWrong(f"nothing has been published for {audience} ({marts_file} is not there): run `obc run` first")
    with open_reader(marts_file) as reader:
        pack = make_pack(home, documents, group, audience, reader)
    name = "_".join(part for part in (group.workgroup_id, "" if audience == DISTRICT else _safe(audience), str(pack.as_of)) if part)
    _private(folder)
    html, pdf = folder / f"{name}.html", folder / f"{name}.pdf"
    aside = folder / f".{name}.new"
    for target, write in ((html, lambda: aside.write_text(page(pack), encoding="utf-8")), (pdf, lambda: write_pdf(pack, aside))):
        aside.touch(mode=0o600)
        write()
        aside.chmod(0o600)
        os.replace(aside, target)
    return [html, pdf]


def make_pack(home: Home, documents: Documents, group: Workgroup, audience: str, reader: Reader) -> Pack:
    """The pack of a workgroup from what the audience's file holds."""
    since = _last_meeting(reader, group)
    view = View(reader, group.workgroup_id, audience, since, since + timedelta(days=CADENCE_DAYS[group.cadence]) if since else None)
    sections = [part.section(view) for part in (operations, outcomes, partnership, next_steps)]
    in_tables = {
        row.get(block.filter_by)
        for section in sections
        for part in section.parts
        for block in part.blocks
        if isinstance(block, Table) and block.filter_by
        for row in block.rows
    }
    return Pack(
        pack_id=group.workgroup_id,
        title=f"{group.name}{_of(audience, reader)}",
        district=documents.obc.district.name,
        workgroup=group.purpose,
        audience=audience,
        confidentiality=_CONFIDENTIALITY[audience.split("-", 1)[0]],
        as_of=reader.as_of,
        evidence_until=reader.evidence_until,
        run_id=reader.run_id,
        since=since,
        findings=_findings(reader),
        stories=stories(home, group.workgroup_id),
        sections=sections,
        schools={school: name for school, name in reader.school_names.items() if name in in_tables},
    )


def stories(home: Home, workgroup_id: str) -> list[str]:
    """What people say the data means: the paragraphs of `stories/<workgroup>.md` in the home; none when there is no such file."""
    path = home.path / "stories" / f"{workgroup_id}.md"
    if not path.exists():
        return []
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")) if paragraph.strip()]


def _findings(reader: Reader) -> list[str]:
    if not reader.has("improvement.rpt_finding"):
        return []
    return [
        row["sentence"]
        for row in reader.rows(
            f"select sentence from improvement.rpt_finding where finding_rank is not null order by finding_rank limit {_MOST_FINDINGS}"
        )
    ]


def _last_meeting(reader: Reader, group: Workgroup) -> date | None:
    """Day of the workgroup's last recorded meeting."""
    if not reader.has("improvement.fct_ci_meeting"):
        return None
    found = reader.one(
        "select max(held_on) as held_on from improvement.fct_ci_meeting where workgroup_id = ? and held_on < ?",
        [group.workgroup_id, reader.as_of],
    )
    return found["held_on"] if found else None


def _of(audience: str, reader: Reader) -> str:
    kind, _, name = audience.partition("-")
    return f": {reader.school(name)}" if kind == "school" else f": {name}" if kind == "vendor" else ""


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)


def _private(folder: Path) -> None:
    missing: Iterable[Path] = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in [*missing, folder]:
        each.chmod(0o700)


def preview_packs(
    home: Home, documents: Documents, workgroup_id: str, audience: str | None = None, progress: Callable[[str], None] = lambda text: None
) -> list[Path]:
    """The packs of a workgroup in `reports/packs/`, for the district to read first: of each audience it is for, or of the one named.

    A pack for a vendor or a school is made of what was prepared for that audience, so it shows exactly what a release would hand over.
    Raises ArgumentWrong for an unknown workgroup or audience and when nothing has been published or prepared.
    """
    group = workgroup(documents, workgroup_id)
    sources = {name: path for name, path in _marts_files(home).items() if is_for(group, name)}
    if audience is not None and audience not in sources:
        raise ArgumentWrong(
            f"{workgroup_id} has no pack for {audience!r}; it has {', '.join(sources) or 'none: nothing is published or prepared yet'}"
        )
    if not sources:
        raise ArgumentWrong(f"nothing has been published or prepared for {group.audience}: run `obc run` first")
    written: list[Path] = []
    for name, path in sources.items():
        if audience in (None, name):
            progress(f"{group.name}: {name}")
            written += write_pack(home, documents, group, name, path, home.reports / "packs")
    return written


def _marts_files(home: Home) -> dict[str, Path]:
    """Audience -> its marts: the district's as published, the others' as prepared."""
    found = {DISTRICT: home.published / DISTRICT / "marts.duckdb"} | {
        path.parent.name: path for path in sorted((home.published / ".prepared").glob("*/marts.duckdb"))
    }
    return {name: path for name, path in found.items() if path.exists()}
