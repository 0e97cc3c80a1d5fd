"""What people get wrong on the command line, and what they are told: one clear line, an exit code, no stack trace, no value."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from obc_pipeline import cli
from obc_pipeline.documents import init_home
from obc_pipeline.errors import ArgumentWrong, describe, scrub, trace_without_values
from obc_pipeline.home import Home
from tests.cli.conftest import obc


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("first") / "home"
    init_home(folder)
    return Home(folder)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The command in this process: quick."""
    monkeypatch.setattr("sys.argv", ["obc", *map(str, arguments)])
    return cli._outcome()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run"], "there is no district in"),
        (["show"], "there is no district in"),
        (["validate"], "obc init DIR"),
        (["generate", "--students", "10", "--seed", "1"], "at least 1,000 students"),
        (["generate", "--seed", "1"], "Missing option '--students'"),
        (["frobnicate"], "No such command"),
    ],
)
def test_a_wrong_argument_is_told_and_ends_with_2(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OBC_HOME", str(tmp_path / "nowhere"))
    assert run(monkeypatch, *arguments) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "nowhere").exists(), "nothing is made by asking"


def test_dates_that_are_none(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "run", "--home", home.path, "--as-of", "30/06/2026") == 2
    assert "2026-06-30 would be right" in capsys.readouterr().err
    assert run(monkeypatch, "run", "--home", home.path, "--evidence-cutoff", "yesterday") == 2
    assert "2026-06-30T18:00:00Z would be right" in capsys.readouterr().err


def test_init_writes_documents_that_validate_and_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "init", tmp_path / "new") == 0
    assert run(monkeypatch, "validate", "--home", tmp_path / "new") == 0
    written = (tmp_path / "new" / "obc.yml").read_bytes()
    assert run(monkeypatch, "init", tmp_path / "new") == 2
    assert "already has" in capsys.readouterr().err
    assert (tmp_path / "new" / "obc.yml").read_bytes() == written


def test_documents_with_errors_are_shown_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    init_home(tmp_path / "home")
    home = Home(tmp_path / "home")
    text = home.data_map_yml.read_text()
    home.data_map_yml.write_text(text.replace("frequency: WEEKLY", "frequency: FORTNIGHTLY", 1))
    line = (
        home.data_map_yml.read_text()
        .splitlines()
        .index(next(row for row in home.data_map_yml.read_text().splitlines() if "FORTNIGHTLY" in row))
        + 1
    )
    for command in ("validate", "run"):
        assert run(monkeypatch, command, "--home", home.path) == 2
        captured = capsys.readouterr()
        assert f"data_map.yml:{line}:" in captured.out + captured.err
        assert "Right would be" in captured.out + captured.err


def test_a_home_in_use_is_told_and_nothing_is_changed(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with home.lock.open("w") as handle:
        handle.write("4242")
        handle.flush()
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = obc("run", home=home)
    assert done.code == 1
    assert "another run is using" in done.stderr
    assert "4242" in done.stderr
    assert not home.archive.exists()


def test_an_unknown_source_gets_the_nearest_name(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "preflight", "onerostr", "x.csv", "--home", home.path) == 2
    assert "`oneroster`" in capsys.readouterr().err


def test_an_unexpected_error_is_one_line_and_a_log_without_values(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("Conversion Error: Could not convert string 'Ana Rivera' to INT32 for 00412345")

    monkeypatch.setattr("obc_pipeline.terminal.show_status", breaks)
    assert run(monkeypatch, "status", "--home", home.path) == 1
    shown = capsys.readouterr().err.strip()
    assert "\n" not in shown
    log = Path(shown.rsplit(" ", 1)[1])
    text = log.read_text()
    log.unlink()
    for secret in ("Ana", "00412345"):
        assert secret not in shown + text
    assert "Conversion Error" in shown
    assert "test_commands.py" in text, "the log says where it went wrong"


@pytest.mark.parametrize(
    "message",
    [
        "Conversion Error: Could not convert string 'Ana' to INT32",
        'Constraint Error: Duplicate key "student_id: 00412345" violates unique constraint',
        "Binder Error: no such column\n\nLINE 1: select * from x where name = 'Ana'",
        "Conversion Error: Type INT64 with value 41234567 can't be cast",
        "Invalid Input Error: unclosed 'Ana Rivera",
        "Error: it''s 'O''Hara' Ana",
        "date field value out of range: 2014-05-07",
    ],
)
def test_what_a_database_says_is_shown_without_what_it_quotes(message: str) -> None:
    shown = scrub(message)
    for secret in ("00412345", "41234567", "2014", "O'Hara", "Hara", "Rivera"):
        assert secret not in shown
    if "'Ana'" in message:
        assert "Ana" not in shown
    assert shown.split(":")[0] == message.split(":")[0], "what kind of error it is stays"


def test_a_trace_names_places_of_the_whole_chain() -> None:
    def reads() -> None:
        try:
            int("Ana")
        except ValueError as cause:
            raise ArgumentWrong("not a number: 'Ana'") from cause

    with pytest.raises(ArgumentWrong) as caught:
        reads()
    assert describe(caught.value) == "ArgumentWrong: not a number: …"
    text = trace_without_values(caught.value)
    assert text.count("in reads") == 2
    assert "Ana" not in text
