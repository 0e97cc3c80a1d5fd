"""Reads a YAML file into nodes that remember their line and column, and turns every way of breaking YAML into a named problem.

Scalars stay text: the model that receives them decides what they are. So an unquoted id keeps its leading zeros, `0.70` stays
exact, and `Yes` as a survey label is not a truth value.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from obc_pipeline.documents.problem import Problem

_MAX_BYTES = 4 * 1024 * 1024
_MAX_NODES = 200_000  # aliases can multiply a small file into a huge one
_MAX_DEPTH = 40
_NULLS = {"", "~", "null", "Null", "NULL"}
_TAGS_OF_TEXT = "tag:yaml.org,2002:"

Step = str | int
Path_ = tuple[Step, ...]


@dataclass
class Node:
    """One value of a document and where it stands.

    content: text, None, a list of nodes (None where one was left out) or a dict of nodes by key.
    line, column: 1-based. key_places: line and column of each key of a mapping.
    """

    line: int
    column: int
    content: Any
    key_places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def place(self, path: Path_, of_key: bool = False) -> tuple[int, int]:
        """Line and column of the deepest part of `path` that is written; with `of_key`, of the key rather than its value."""
        node, place = self, (self.line, self.column)
        for depth, step in enumerate(path):
            found = node.child(step)
            if found is None:
                return place
            is_last = depth == len(path) - 1
            place = (found.line, found.column)
            if isinstance(step, str) and (of_key if is_last else True):
                place = node.key_places.get(step, place)
            node = found
        return place

    def child(self, step: Step) -> Node | None:
        """The node under a key or an index, None when there is none."""
        if isinstance(self.content, dict) and isinstance(step, str):
            return self.content.get(step)
        if isinstance(self.content, list) and isinstance(step, int) and 0 <= step < len(self.content):
            return self.content[step]
        return None

    def without(self, path: Path_) -> Node | None:
        """A copy in which the value at `path` is left out; None when there is nothing at `path`. Places of the rest are kept."""
        if not path or (below := self.child(path[0])) is None:
            return None
        step, rest = path[0], path[1:]
        replaced = below.without(rest) if rest else None
        if rest and replaced is None:
            return None
        if isinstance(self.content, dict):
            content: Any = {key: replaced if key == step else value for key, value in self.content.items() if key != step or rest}
        else:
            content = [replaced if index == step else item for index, item in enumerate(self.content)]
        return Node(self.line, self.column, content, self.key_places)


def read_yaml(path: Path, name: str) -> tuple[Node | None, list[Problem]]:
    """The document in `path`, called `name` in problems. The node is None when nothing can be made of the file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None, [Problem(name, 1, 1, "error", "The file is missing.", f"a file `{name}` in the home; `obc init` writes an example.")]
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return None, [Problem(name, 1, 1, "error", f"The file cannot be read: {reason}.", "a plain file this user may read.")]
    if len(raw) > _MAX_BYTES:
        return None, [Problem(name, 1, 1, "error", f"The file has {len(raw)} bytes.", f"a document of at most {_MAX_BYTES} bytes.")]
    text, problem = _decoded(raw, name)
    if problem:
        return None, [problem]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            root = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        return None, [_syntax_problem(error, name, text)]
    except RecursionError:
        return None, [Problem(name, 1, 1, "error", "The file is nested too deeply.", f"at most {_MAX_DEPTH} levels.")]
    except (ValueError, AttributeError, TypeError, IndexError, KeyError, AssertionError) as error:
        # The YAML reader itself stumbles over a few broken inputs (a bad %YAML line, a bad escape) with errors of its own.
        message = f"This is not YAML that can be read ({type(error).__name__})."
        return None, [Problem(name, 1, 1, "error", message, "plain YAML: `key: value` lines, lists with `- `.")]
    if root is None:
        return None, [Problem(name, 1, 1, "error", "The file is empty.", "`key: value` lines; `obc init` writes an example.")]
    builder = _Builder(name)
    node = builder.build(root, [])
    return node, builder.problems


def _decoded(raw: bytes, name: str) -> tuple[str, Problem | None]:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in raw:
        return "", Problem(name, 1, 1, "error", "The file is not UTF-8 text (it looks like UTF-16 or binary).", "a file saved as UTF-8.")
    try:
        return raw.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        return "", Problem(
            name, line, column, "error", "A character is not UTF-8.", "a file saved as UTF-8 (the editor's save dialog offers it)."
        )


def _syntax_problem(error: YAMLError, name: str, text: str) -> Problem:
    """The reader's complaint in our words. Its own text may quote the file, so only its kind is kept."""
    mark = None
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else _place_of_position(getattr(error, "position", None), text)
    complaint = str(getattr(error, "problem", "") or getattr(error, "reason", "") or "").lower()
    lines = text.splitlines()
    written = lines[line - 1] if 0 < line <= len(lines) else ""
    message, right = _explained(complaint, written)
    return Problem(name, line, column, "error", message, right)


def _explained(complaint: str, written: str) -> tuple[str, str]:
    if "\t" in written[: len(written) - len(written.lstrip())] or "'\\t'" in complaint or "tab" in complaint:
        return "A tab is used where YAML wants spaces.", "two spaces for each level."
    if "duplicate anchor" in complaint or "alias" in complaint or "anchor" in complaint:
        return "An anchor or alias (`&name`, `*name`) does not fit.", "the value written out; quotes around text that begins with & or *."
    if "mapping values are not allowed" in complaint:
        return (
            "A second `: ` stands where no value can begin.",
            "quotes around a text that contains a colon; one key per line, indented like its neighbours.",
        )
    if "could not find expected ':'" in complaint or "expected ':'" in complaint:
        return "A line has no `key:`.", "`key: value`; quotes around text that runs on."
    if "expected <block end>" in complaint or "block mapping" in complaint or "block collection" in complaint:
        return "The indentation does not fit the lines above.", "the same number of spaces as the neighbouring keys or `- ` items."
    if "flow" in complaint or "expected ',' or" in complaint:
        return "A `[...]` or `{...}` is not closed, or a comma is missing.", "`[a, b]` or `{key: value, key: value}` with both ends."
    if "end of stream" in complaint or "quoted scalar" in complaint:
        return "A quote is opened and never closed.", "the same quote at both ends of the text."
    if "document" in complaint:
        return "The file holds more than one document (a second `---`).", "one document per file."
    if "special characters" in complaint or "not allowed" in complaint:
        return "An invisible control character stands here.", "the line typed anew."
    if "escape" in complaint:
        return "A backslash in a double-quoted text begins no known escape.", "single quotes around text with backslashes."
    return "This cannot be read as YAML.", "`key: value` lines, lists with `- `, two spaces per level."


def _place_of_position(position: int | None, text: str) -> tuple[int, int]:
    if position is None:
        return 1, 1
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


class _Builder:
    """Turns composed YAML nodes into ours, collecting duplicate keys, cycles and tags on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.count = 0

    def build(self, node: Any, above: list[int]) -> Node:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.count += 1
        if id(node) in above or len(above) > _MAX_DEPTH or self.count > _MAX_NODES:
            if self.count <= _MAX_NODES + 1:  # said once, not for every further node
                self._problem(
                    line, column, "This repeats itself, or is nested or multiplied too far.", "the value written out where it is used."
                )
            return Node(line, column, None)
        if isinstance(node, MappingNode):
            return self._mapping(node, [*above, id(node)], line, column)
        if isinstance(node, SequenceNode):
            return Node(line, column, [self.build(item, [*above, id(node)]) for item in node.value])
        return self._scalar(node, line, column)

    def _mapping(self, node: MappingNode, above: list[int], line: int, column: int) -> Node:
        made = Node(line, column, {})
        for key_node, value_node in node.value:
            key_line, key_column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node, ScalarNode):
                self._problem(key_line, key_column, "A key is a list or a mapping.", "a plain word before the colon.")
                continue
            key = str(key_node.value)
            if key == "<<" and key_node.style is None:
                self._problem(key_line, key_column, "Merge keys (`<<`) are not used here.", "the keys written out.")
                continue
            if key in made.content:
                first = made.key_places[key][0]
                message = f"`{key}` is written twice in the same place; the first is on line {first}."
                self._problem(key_line, key_column, message, "each name once: give the second another name, or delete one of the two.")
                continue
            made.key_places[key] = (key_line, key_column)
            made.content[key] = self.build(value_node, above)
        return made

    def _scalar(self, node: Any, line: int, column: int) -> Node:
        tag = str(node.tag or "")
        if not tag.startswith(_TAGS_OF_TEXT):
            self._problem(
                line, column, "A YAML tag (`!...`) is not used here.", "the plain value; quotes around text that begins with `!`."
            )
        is_plain = node.style is None
        return Node(line, column, None if is_plain and node.value in _NULLS else str(node.value))

    def _problem(self, line: int, column: int, message: str, right: str) -> None:
        self.problems.append(Problem(self.name, line, column, "error", message, right))
