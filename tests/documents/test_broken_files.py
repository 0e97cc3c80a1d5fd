"""Files that are not YAML, or not a document: a named problem at its place, never an exception; and everything said at once."""

from __future__ import annotations

import pytest
from spoiled_documents import MATH, READ, Spoiled

from obc_pipeline.documents import DocumentsInvalid, load, validate
from obc_pipeline.home import Home

OBC = "obc.yml"
_DOCUMENTS = {OBC, "data_map.yml", "ci_structure.yml"}


@pytest.mark.parametrize(
    ("text", "line", "message", "right"),
    [
        ("district:\n\tid: 'x'\n", 2, "A tab is used", "two spaces"),
        ("district: {id: 'x'\n", 2, "is not closed", "both ends"),
        ("district:\n  id: 'x\n", 3, "never closed", "both ends of the text"),
        ("district:\n  name: A: B\n", 2, "A second `: `", "quotes around a text"),
        ("district:\n  name: x\n id: y\n", 3, "indentation", "same number of spaces"),
        ("district:\n  name\n  id: y\n", 3, "second `: `", "one key per line"),
        ("district: x\n---\ndistrict: y\n", 2, "more than one document", "one document"),
        ("district: *nobody\n", 1, "anchor or alias", "written out"),
        ("district: &a [*a]\n", 1, "repeats itself", "written out"),
        ("base: &a {id: x}\ndistrict:\n  <<: *a\n", 3, "Merge keys", "keys written out"),
        ("? [a, b]\n: c\n", 1, "A key is a list", "plain word"),
        ("district: !python/object x\n", 1, "A YAML tag", "plain value"),
        ("as_of: 2026-01-01\nas_of: 2026-01-02\n", 2, "`as_of` is written twice in the same place; the first is on line 1", "each name once"),
        ("- district\n", 1, "not a mapping", "key: value"),
        ("just words\n", 1, "not a mapping", "key: value"),
        ("", 1, "The file is empty", "obc init"),
        ("# only a comment\n", 1, "The file is empty", "obc init"),
        ("district: [1, 2]\n", 1, "a mapping of keys to values is wanted", "key: value"),
        ("district: x\n", 1, "a mapping of keys to values is wanted", "key: value"),
        ("district:\n  id: [1]\n", 2, "not a list", "one plain value"),
        ("district: \"a\\qb\"\n", 1, "backslash", "single quotes"),
        ("district: a\x07b\n", 1, "control character", "typed anew"),
        ("a: " + "[" * 2000 + "]" * 2000 + "\n", 1, "nested", ""),
        ("%YAML 9.9.9\n---\na: b\n", 1, "YAML", ""),
    ],
)  # fmt: skip
def test_text_that_cannot_be_read(spoiled: Spoiled, text: str, line: int, message: str, right: str) -> None:
    spoiled.write(OBC, text)
    problems = [problem for problem in spoiled.problems("error") if problem.file == OBC]
    found = [problem for problem in problems if message in problem.message]
    assert found, "\n".join(map(str, problems))
    assert found[0].line == line
    assert right in found[0].would_be_right


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("district: {}".encode("utf-16"), 1, "UTF-16"),
        (b"district:\n  name: Caf\xe9\n", 2, "A character is not UTF-8"),
        (b"\x00\x01\x02", 1, "UTF-16 or binary"),
        (b"a: b\n" * 1_000_000, 1, "at most"),
    ],
)
def test_bytes_that_are_not_text(spoiled: Spoiled, content: bytes, line: int, message: str) -> None:
    (spoiled.home.path / OBC).write_bytes(content)
    problems = [problem for problem in spoiled.problems("error") if problem.file == OBC]
    assert any(message in problem.message + problem.would_be_right and problem.line == line for problem in problems), problems


def test_a_byte_order_mark_and_windows_line_ends_are_fine(spoiled: Spoiled) -> None:
    for file in (OBC, MATH):
        path = spoiled.home.path / file
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert spoiled.problems("error") == []


def test_a_missing_file_says_what_belongs_there(tmp_path) -> None:
    problems = validate(Home(tmp_path / "nothing"))
    assert {problem.file for problem in problems if "missing" in problem.message} == _DOCUMENTS
    assert all("obc init" in problem.would_be_right for problem in problems)


def test_a_document_that_is_a_folder(spoiled: Spoiled) -> None:
    (spoiled.home.path / OBC).unlink()
    (spoiled.home.path / OBC).mkdir()
    assert any("cannot be read" in problem.message for problem in spoiled.problems("error"))


def test_everything_is_said_at_once(spoiled: Spoiled) -> None:
    """Broken form in one place does not hide a broken rule elsewhere, even in the same file."""
    spoiled.replace(MATH, "base_rate: 600.00", "base_rate: lots")
    spoiled.replace(MATH, "{threshold: 35, price: 250.00}", "{threshold: 35, prize: 250.00}")
    spoiled.replace(MATH, "evidence_source: nwea_map", "evidence_source: nwea")
    spoiled.replace(READ, "service_end: 2026-05-15", "service_end: 2025-05-15")
    spoiled.replace(READ, "dosage_denominator: REQUIRED", "dosage_denominator: SCHEDULED")
    spoiled.replace("data_map.yml", "source: renaissance_star", "source: star")
    spoiled.replace("ci_structure.yml", "audience: school", "audience: pupils")
    spoiled.replace(OBC, "timezone: America/Chicago", "timezone: Chicago")
    said = "\n".join(map(str, spoiled.problems("error")))
    for fragment in (
        "`lots` is not a number",
        "no key `prize`",
        "`price` is missing",
        "Service ends before it starts",
        "attended sessions only",
        "There is no source `star`",
        "no audience `pupils`",
        "no time zone `Chicago`",
    ):
        assert fragment in said


def test_rules_are_judged_around_a_part_that_does_not_fit(spoiled: Spoiled) -> None:
    """A rate-card line of wrong form is left out; the lines behind it keep their own line numbers, and no rule blames the gap."""
    spoiled.replace(MATH, "outcome_class: GROWTH", "outcome_class: GROWING")
    spoiled.replace(MATH, "{threshold: 3, price: 200.00}", "{threshold: 30, price: 200.00}")
    spoiled.replace(MATH, "evidence_source: nwea_map", "evidence_source: nweamap")
    problems = [problem for problem in spoiled.problems() if problem.file == MATH]
    assert "threshold: 30," in spoiled.line(next(problem for problem in problems if "no performance level" in problem.message))
    assert "nweamap" in spoiled.line(next(problem for problem in problems if "no source `nweamap`" in problem.message))
    assert len(problems) == 3, "\n".join(map(str, problems))


def test_a_source_of_wrong_form_is_not_also_reported_as_missing(spoiled: Spoiled) -> None:
    spoiled.replace(
        "data_map.yml", "    frequency: YEARLY\n    expected_delay_days: 28", "    frequency: SOMETIMES\n    expected_delay_days: 28"
    )
    assert [problem.message for problem in spoiled.problems("error")] == [
        "`sources.state_assessment.frequency`: `SOMETIMES` is none of the known values."
    ]


def test_load_refuses_with_every_error(spoiled: Spoiled) -> None:
    spoiled.replace(MATH, "subject: math", "subject: maths")
    spoiled.replace(READ, "subject: reading", "subject: readings")
    with pytest.raises(DocumentsInvalid) as refused:
        load(spoiled.home)
    assert "2 problems" in str(refused.value)
    assert {problem.file for problem in refused.value.problems if problem.severity == "error"} == {MATH, READ}


def test_problems_are_in_order_and_each_once(spoiled: Spoiled) -> None:
    spoiled.replace(OBC, "n_min: 10", "n_min: 0")
    spoiled.replace(MATH, "cure_days: 0", "cure_days: x")
    problems = spoiled.problems()
    assert problems == sorted(set(problems), key=lambda problem: (problem.file, problem.line, problem.column))


def test_an_unquoted_id_keeps_its_zeros(spoiled: Spoiled) -> None:
    spoiled.replace(OBC, "id: '2800001'", "id: 0028001")
    spoiled.replace(MATH, "grades: ['6', '7', '8']", "grades: [06, 7, K]\nschools: [0101, 1e5]")
    documents = load(spoiled.home)
    assert documents.district.id == "0028001"
    assert documents.contracts[0].grades == ("6", "7", "KG")
    assert documents.contracts[0].schools == ("0101", "1e5")
