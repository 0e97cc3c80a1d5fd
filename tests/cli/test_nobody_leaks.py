"""A messy district, run and released as people do it; then everything that others can read is searched for what is known of its students."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from obc_pipeline.home import Home
from obc_pipeline.sharing.disclosure import read_log
from tests.cli.conftest import obc

pytestmark = pytest.mark.slow

BY = "Dana Whitfield"
_WORD, _DATE, _KEY = re.compile(r"[^\W_](?:[\w'-]*[^\W_])?"), re.compile(r"20[01]\d-\d\d-\d\d"), re.compile(r"[0-9a-f]{32,64}")


@dataclass(frozen=True)
class Known:
    """What is known of the district's students. by_local: local id -> every id of that student; keys: local id -> the district's key."""

    by_local: dict[str, frozenset[str]]
    keys: dict[str, str]
    names: frozenset[str]
    full_names: frozenset[str]
    birth_dates: frozenset[str]
    free_texts: frozenset[str]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset().union(*self.by_local.values())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    place = Home(tmp_path_factory.mktemp("leaks") / "home")
    assert obc("generate", "--students", 1000, "--seed", 7, "--messy", home=place).code == 0
    done = obc("run", "--json", home=place)
    (place.path / "shown.txt").write_text(done.stdout + done.stderr)
    assert done.code in (0, 3), done.stderr
    said = []
    for audience in (*vendors(place), "school-0201", "school-0101", "public"):
        said.append(obc("release", audience, "--by", BY, "--json", home=place))
        assert said[-1].code == 0, said[-1].stderr
    said += [obc("releases", home=place), obc("releases", "--json", home=place), obc("run", home=place)]
    with (place.path / "shown.txt").open("a") as shown:
        shown.write("".join(one.stdout + one.stderr for one in said))
    return place


@pytest.fixture(scope="module")
def known(home: Home) -> Known:
    return read_known(home)


def vendors(home: Home) -> list[str]:
    return sorted(path.stem for path in home.secrets.glob("*.key"))


def read_known(home: Home) -> Known:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        keys = dict(connection.execute("select student_id, student_key from core.dim_student").fetchall())
        every = connection.execute("select student_key, id_value from input_layer.input__student_identifier").fetchall()
        states = connection.execute(
            "select student_key, state_student_id from core.dim_student where state_student_id is not null"
        ).fetchall()
    by_key: dict[str, set[str]] = {key: {local} for local, key in keys.items()}
    for key, identifier in [*every, *states]:
        by_key.setdefault(key, set()).add(identifier)
    names: set[str] = set()
    full: set[str] = set()
    texts: set[str] = set()
    for path in home.restricted.rglob("*.parquet"):
        for row in pq.read_table(path).to_pylist():
            given, family = str(row.get("given_name") or ""), str(row.get("family_name") or "")
            names |= {family} if len(family) > 4 else set()
            full |= {f"{given} {family}", f"{family}, {given}"} if given and family else set()
            answers = [text for _, text in row.get("free_text") or []] if isinstance(row.get("free_text"), list) else []
            texts |= {text for text in (*answers, row.get("text") or "") if len(text) > 15}
    return Known(
        {local: frozenset(one for one in by_key[key] if len(one) > 5) for local, key in keys.items()},
        keys,
        frozenset(names),
        frozenset(full),
        frozenset(_birth_dates(home)),
        frozenset(texts),
    )


def _birth_dates(home: Home) -> Iterator[str]:
    for path in home.objects.rglob("*"):
        if path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                for name in packed.namelist():
                    if name.endswith("demographics.csv"):
                        for row in csv.DictReader(io.TextIOWrapper(packed.open(name), "utf-8-sig")):
                            yield row["birthDate"]


def texts_of(path: Path) -> str:
    """A file as text: its bytes as they are, and of tables also every value, compressed or not."""
    said = [path.read_bytes().decode("latin-1")]
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall():
                said.append(str(connection.execute(f'from "{schema}"."{table}"').fetchall()))
    if path.suffix == ".parquet":
        said.append(str(pq.ParquetFile(path).read().to_pylist()))
    return "\n".join(said)


def folder_text(*folders: Path) -> str:
    return "\n".join(texts_of(path) for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())


def words_of(text: str) -> set[str]:
    return set(_WORD.findall(text))


@pytest.fixture(scope="module")
def own_words(home: Home) -> set[str]:
    """Words of the program's own texts and of the documents, which may happen to be somebody's name too."""
    root = Path(__file__).parents[2]
    paths = [path for folder in ("obc_pipeline", "dbt_project/models", "docs", "expectations") for path in (root / folder).rglob("*.*")]
    paths += [home.obc_yml, home.data_map_yml, home.ci_structure_yml, *home.contracts.glob("*.yml")]
    text = "\n".join(
        path.read_text(errors="ignore")
        for path in paths
        if path.suffix in {".py", ".yml", ".sql", ".md", ".json"} and "synthetic" not in path.parts
    )
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return words_of(text) | words_of(str(connection.execute("select school_name from core.dim_school").fetchall()))


def test_what_is_known_is_enough_to_find_a_leak(home: Home, known: Known, own_words: set[str]) -> None:
    assert len(known.by_local) > 900
    assert len(known.ids) > 1_900, "local, sourced and state ids"
    assert len(known.names) > 20
    assert len(known.full_names) > 500
    assert len(known.birth_dates) > 300
    assert len(known.free_texts) > 5
    assert len(known.names - own_words) > 20
    ours = folder_text(home.published / "district")
    assert len(known.ids & words_of(ours)) > 900, "the same search finds the ids where they belong"
    assert len(set(known.keys.values()) & set(_KEY.findall(ours))) > 900
    restricted = folder_text(home.restricted)
    assert known.names <= words_of(restricted)
    assert all(one in restricted for one in known.free_texts if '"' not in one and "'" not in one)


def test_no_vendor_file_holds_another_students_anything(home: Home, known: Known, own_words: set[str]) -> None:
    everything = {name: folder_text(home.published / name, home.prepared / name) for name in vendors(home)}
    keys = {
        name: {row["recipient_key"] for row in pq.read_table(home.lake / "sharing" / f"{name}.parquet").to_pylist()} for name in everything
    }
    assert len(everything) >= 2
    for name, text in everything.items():
        register = pq.read_table(home.lake / "sharing" / f"{name}.parquet").to_pylist()
        sent = {one for row in register for one in (row["sent_id"] or "").split(", ")}
        words = words_of(text)
        assert len(sent & words) > 5, "the vendor finds its own students by its own ids"
        strangers = (known.ids - sent) & words
        assert strangers == set(), f"{name}: {len(strangers)} ids that it never sent"
        assert set(known.keys.values()) & set(_KEY.findall(text)) == set(), "the district's keys"
        others = set().union(*(theirs for other, theirs in keys.items() if other != name)) & set(_KEY.findall(text))
        assert others == set(), "another vendor's keys"
        _nothing_personal(name, text, known, own_words)


def test_every_student_with_two_vendors_has_two_keys(home: Home) -> None:
    registers = [pq.read_table(home.lake / "sharing" / f"{name}.parquet").to_pylist() for name in vendors(home)]
    every = [(row["student_key"], row["recipient_key"]) for register in registers for row in register]
    assert len({key for _, key in every}) == len({*every})


def test_what_everybody_may_read_names_nobody(home: Home, known: Known, own_words: set[str]) -> None:
    """Logs, Dagster's storage, dbt's files, check results, the disclosure log, what the commands print, the public's files."""
    wide = {
        "dagster": folder_text(home.dagster),
        "dbt": folder_text(home.path / ".dbt"),
        "logs": folder_text(home.path / ".logs"),
        "shown": (home.path / "shown.txt").read_text(),
        "disclosure log": folder_text(home.disclosure / "log"),
        "contents": "\n".join(path.read_text() for path in home.published.rglob("contents.json")),
        "state": (home.prepared / "state.json").read_text(),
        "public": folder_text(home.published / "public", home.prepared / "public"),
    }
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        for table in ("intake.check_result", "intake.contract_block", "intake.quarantined_row", "quality.audit_disclosure_log"):
            wide[table] = str(connection.execute(f"from {table}").fetchall())
    assert len(read_log(home)) == len(vendors(home)) + 3
    assert "RELEASE" in wide["quality.audit_disclosure_log"]
    for name, text in wide.items():
        assert known.ids & words_of(text) == set(), name
        assert set(known.keys.values()) & set(_KEY.findall(text)) == set(), name
        _nothing_personal(name, text, known, own_words)


def test_a_school_reads_of_its_own_students_alone(home: Home, known: Known, own_words: set[str]) -> None:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        own = {
            row[0] for row in connection.execute("select student_id from process.msr_student_tutoring where school_id = '0201'").fetchall()
        }
        own |= {
            row[0]
            for row in connection.execute("select student_id from core.fct_tutoring_session_attendance where school_id = '0201'").fetchall()
        }
    text = folder_text(home.published / "school-0201", home.prepared / "school-0201")
    strangers = {one for local, ids in known.by_local.items() if local not in own for one in ids}
    assert own & words_of(text) != set()
    assert strangers & words_of(text) == set()
    _nothing_personal("school-0201", text, known, own_words)


def test_only_the_owner_can_open_anything(home: Home) -> None:
    folders = (home.published, home.secrets, home.disclosure)
    wrong = [path for folder in folders for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077]
    assert wrong == []


def test_the_commands_answer_in_json(home: Home) -> None:
    told = json.loads(obc("releases", "--json", home=home).stdout.splitlines()[-1])
    out = {one["audience"] for one in told["audiences"] if one["out"]}
    assert out == {*vendors(home), "school-0201", "school-0101", "public"}
    refused = obc("release", "public", "--by", "Nobody", "--json", home=home)
    assert (refused.code, json.loads(refused.stdout.splitlines()[-1])["error"]) == (3, "NotAllowed")


def _nothing_personal(name: str, text: str, known: Known, own_words: set[str]) -> None:
    """No name, no birth date, no free text."""
    words = words_of(text)
    assert (known.names - own_words) & words == set(), f"{name}: a family name"
    assert known.birth_dates & set(_DATE.findall(text)) == set(), f"{name}: a birth date"
    pairs = set(re.findall(r"[A-Z][\w'-]+,? [A-Z][\w'-]+", text))
    assert known.full_names & pairs == set(), f"{name}: a full name"
    assert [one for one in known.free_texts if one in text] == [], f"{name}: a free text"
