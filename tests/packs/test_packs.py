"""A pack says what its audience's file holds, in the order of the agenda, and names what is missing; nothing else gets in."""

from __future__ import annotations

import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest
from declared_marts import AS_OF, declared, small_district, write_marts
from typer.testing import CliRunner

from obc_pipeline.cli import app
from obc_pipeline.dbt_build import DbtBuild, read_manifest
from obc_pipeline.documents import load
from obc_pipeline.documents.starting import init_home
from obc_pipeline.home import Home
from obc_pipeline.packs import make_pack, write_pack
from obc_pipeline.packs.as_html import page
from obc_pipeline.packs.content import Chart, Pack, Sentence, Table
from obc_pipeline.packs.making import is_for, stories, workgroup, write_audience_packs
from obc_pipeline.packs.reader import open_reader
from obc_pipeline.sharing.scope import shared_marts


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A district with its documents and a published file."""
    home = Home(tmp_path_factory.mktemp("packs") / "home")
    init_home(home.path)
    folder = home.published / "district"
    folder.mkdir(parents=True)
    write_marts(folder / "marts.duckdb", small_district())
    return home


@pytest.fixture(scope="module")
def pack(home: Home) -> Pack:
    return _pack(home, home.published / "district" / "marts.duckdb")


def _pack(home: Home, marts: Path, audience: str = "district") -> Pack:
    documents = load(home)
    with open_reader(marts) as reader:
        return make_pack(home, documents, workgroup(documents, "district_data_review"), audience, reader)


def _blocks(pack: Pack, kind: type) -> list:
    return [block for section in pack.sections for part in section.parts for block in part.blocks if isinstance(block, kind)]


def _table(pack: Pack, table_id: str) -> Table:
    return next(table for table in _blocks(pack, Table) if table.table_id == table_id)


def test_the_sections_are_the_agenda_in_its_order(pack: Pack) -> None:
    assert [(section.number, section.title) for section in pack.sections] == [
        (1, "Operations"), (2, "Outcomes data"), (3, "Partnership and communication"), (4, "Next steps"),
    ]  # fmt: skip
    assert pack.sections[1].parts[0].title == "Gaps and delays"


def test_every_question_runs_on_marts_without_a_row_and_says_what_is_missing(home: Home, tmp_path: Path) -> None:
    empty = _pack(home, write_marts(tmp_path / "empty.duckdb", {}))
    for section in empty.sections:
        for part in section.parts:
            assert part.blocks, part.title
            assert all(isinstance(block, Sentence) and block.text for block in part.blocks) or part.title == "Agreed today"
    assert "<html" in page(empty)


def test_a_mart_the_audience_is_not_given_is_named(home: Home, tmp_path: Path) -> None:
    some = [
        table for table in declared() if not table.startswith("quality.data_map_status") and not table.startswith("process.agg_delivery")
    ]
    without = _pack(home, write_marts(tmp_path / "few.duckdb", {}, leave_out=some), "vendor-x")
    said = [block.text for block in _blocks(without, Sentence)]
    assert "Not part of what vendor-x is given: payable.rpt_contract_summary." in said
    assert not any("data_map_status" in text for text in said)


@pytest.mark.parametrize("kind", ["vendor", "school"])
def test_a_pack_asks_for_no_column_that_its_audience_is_not_given(home: Home, tmp_path: Path, kind: str) -> None:
    manifest = read_manifest(DbtBuild(Home(tmp_path / "dbt")).ensure_manifest())
    tables: dict[str, dict[str, str]] = {}
    for shared in shared_marts(manifest):
        columns = shared.vendor_columns if kind == "vendor" else shared.school_columns
        types = declared()[f"{shared.mart.schema}.{shared.mart.name}"]
        if columns:
            tables[f"{shared.mart.schema}.{shared.mart.name}"] = {name: types[name] for name in columns} | (
                {"vendor_student_id" if kind == "vendor" else "student_id": "varchar", "student_key": "varchar"}
                if "student_key" in types
                else {}
            )
    theirs = _pack(home, write_marts(tmp_path / "theirs.duckdb", {}, tables=tables), f"{kind}-x")
    said = [block.text for block in _blocks(theirs, Sentence)]
    assert [text for text in said if "without columns" in text] == []
    assert len([text for text in said if text.startswith("Not part of")]) < 20


def test_figures_stand_as_they_are_in_the_mart(pack: Pack) -> None:
    lost = next(block.text for block in _blocks(pack, Sentence) if "were lost" in block.text)
    assert lost.startswith("9 of 90 scheduled student-sessions were lost")
    assert [row["unknown_cause"] for row in _table(pack, "barriers").rows] == [2]
    assert [row["line_id"] for row in _table(pack, "expected").rows] == ["G1"]
    missing = [block.text for block in _blocks(pack, Sentence) if block.tone == "missing"]
    assert "CTR-1 P1: Only 2 students have both tests; 10 are needed." in missing
    out_of_control = next(block.text for block in _blocks(pack, Sentence) if block.text.startswith("Weeks outside"))
    assert "2026-02-09 (worse)" in out_of_control


def test_the_first_prompt_is_drafted_from_the_widest_gap(pack: Pack) -> None:
    prompts = [
        block.text
        for section in pack.sections[3:]
        for part in section.parts
        for block in part.blocks
        if isinstance(block, Sentence) and block.tone == "prompt"
    ]
    assert prompts[0].startswith("CTR-1: the outcome G1 is 25.0 % for gender male (40 students), 30.0 points below the rest.")


def test_every_picture_says_in_words_what_it_shows(pack: Pack) -> None:
    pictures = _blocks(pack, Chart)
    assert {"sessions_lost", "where_lost", "beside_school", "gaps_between_groups"} <= {picture.chart_id for picture in pictures}
    drawn = page(pack)
    assert drawn.count('<svg role="img" aria-label="') == len(pictures)
    assert "CTR-1 Provider 6" in next(picture.shows for picture in pictures if picture.chart_id == "sessions_lost")


class _Loads(HTMLParser):
    """Collects everything a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [
            f"{tag} {name}={value}" for name, value in attrs if name in ("src", "srcset", "data") or (tag == "link" and name == "href")
        ]


def test_the_page_needs_no_network_and_escapes_what_it_shows(pack: Pack) -> None:
    text = page(pack)
    loads = _Loads()
    loads.feed(text)
    assert loads.fetched == []
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest", text)
    assert "Growth &lt;percentile&gt;" in text
    assert "Growth <percentile>" not in text
    assert "Birch &amp; Elm School" in text


def test_unknown_is_a_dash_and_never_a_zero(pack: Pack) -> None:
    assert _table(pack, "gaps").rows[0]["last_arrival_at"] is None
    row = re.search(r"<td[^>]*>Growth &lt;percentile&gt;.*?</tr>", page(pack), re.DOTALL)
    assert row
    assert "—" in row.group(0)


def test_files_are_private_and_the_same_pack_gives_the_same_bytes(home: Home, tmp_path: Path) -> None:
    documents = load(home)
    marts = home.published / "district" / "marts.duckdb"
    group = workgroup(documents, "district_data_review")
    first = write_pack(home, documents, group, "district", marts, tmp_path / "a")
    second = write_pack(home, documents, group, "district", marts, tmp_path / "b")
    assert [path.name for path in first] == [f"district_data_review_{AS_OF}.html", f"district_data_review_{AS_OF}.pdf"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[1].read_bytes().startswith(b"%PDF-")
    assert {stat.S_IMODE(path.stat().st_mode) for path in first} == {0o600}
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_the_packs_of_an_audience_are_those_of_its_workgroups(home: Home, tmp_path: Path) -> None:
    documents = load(home)
    marts = home.published / "district" / "marts.duckdb"
    vendors = [group.workgroup_id for group in documents.workgroups if is_for(group, "vendor-brightpath")]
    written = write_audience_packs(home, documents, "vendor-brightpath", marts, tmp_path)
    assert vendors
    assert [path.name for path in written if path.suffix == ".html"] == [f"{name}_vendor-brightpath_{AS_OF}.html" for name in vendors]


def test_stories_are_what_people_wrote(home: Home) -> None:
    (home.path / "stories").mkdir(exist_ok=True)
    (home.path / "stories" / "district_data_review.md").write_text("Snow in\nFebruary.\n\n\nTutors changed.\n", encoding="utf-8")
    assert stories(home, "district_data_review") == ["Snow in February.", "Tutors changed."]
    assert stories(home, "another") == []
    (home.path / "stories" / "district_data_review.md").unlink()


def test_the_command_names_workgroups_there_are_and_files_it_wrote(home: Home) -> None:
    runner = CliRunner()
    good = runner.invoke(app, ["pack", "district_data_review", "--home", str(home.path)])
    assert good.exit_code == 0
    assert f"district_data_review_{AS_OF}.pdf" in good.stdout
    unknown = runner.invoke(app, ["pack", "nobody", "--home", str(home.path)])
    assert unknown.exit_code != 0
    assert "district_data_review" in str(unknown.exception)
    unprepared = runner.invoke(app, ["pack", "district_vendor_coordination", "--home", str(home.path)])
    assert "run `obc run` first" in str(unprepared.exception)


def test_a_family_reads_plain_sentences_and_no_price(home: Home) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["pack", "family", "--student", "00002", "--home", str(home.path)])
    assert done.exit_code == 0, done.exception
    path = Path(done.stdout.strip())
    text = path.read_text(encoding="utf-8")
    assert "Came to 20 of 40 sessions that took place (50.0 %)." in text
    assert "63 out of 99" in text
    assert "$" not in text
    assert "00002" not in path.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    stranger = runner.invoke(app, ["pack", "family", "--student", "99999", "--home", str(home.path)])
    assert "99999" not in str(stranger.exception)
    assert stranger.exit_code != 0
