"""Turns a YAML file into its typed document, and every misfit into a problem with its place and what would be right.

A document with misfits is still read as far as it goes: the parts that do not fit are left out, so that the rules across
documents can be judged for the rest and everything is reported at once. Such a document is never used for a run.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from obc_pipeline.documents.problem import Problem, Severity, did_you_mean
from obc_pipeline.documents.yaml_text import Node, Path_, read_yaml

Model = TypeVar("Model", bound=BaseModel)
_MAX_ROUNDS = 12


@dataclass
class Reading(Generic[Model]):
    """What was read of one file: its model as far as it goes, its places, its problems.

    dropped: paths of the parts that did not fit and were left out of `model`.
    fitted:  the nodes that `model` was made of, with left-out list items blanked, so that its indices can be led back to the file's.
    """

    file: str
    model: Model | None
    root: Node | None
    problems: list[Problem] = field(default_factory=list)
    dropped: list[Path_] = field(default_factory=list)
    fitted: Node | None = None

    def is_whole(self, *path: str | int) -> bool:
        """Whether nothing was left out at, above or below `path`."""
        return not any(a[: len(b)] == b or b[: len(a)] == a for a, b in ((dropped, path) for dropped in self.dropped))

    def report(self, path: Path_, severity: Severity, message: str, right: str, of_key: bool = False) -> None:
        """Adds a problem at the place of `path` (of its key, with `of_key`), or of its nearest written parent."""
        if self.fitted:
            path = _true_path(self.fitted, path)
        line, column = self.root.place(path, of_key) if self.root else (1, 1)
        self.problems.append(Problem(self.file, line, column, severity, message, right))

    def error(self, path: Path_, message: str, right: str, of_key: bool = False) -> None:
        self.report(path, "error", message, right, of_key)

    def warning(self, path: Path_, message: str, right: str, of_key: bool = False) -> None:
        self.report(path, "warning", message, right, of_key)


def read_document(path: Path, name: str, model: type[Model]) -> Reading[Model]:
    """The document in `path`, called `name` in problems, as `model`. Never raises for what the file holds."""
    root, problems = read_yaml(path, name)
    reading: Reading[Model] = Reading(name, None, root, problems)
    if root is None:
        return reading
    if not isinstance(root.content, dict):
        reading.error((), "The file is not a mapping of keys to values.", "lines of the form `key: value`.")
        return reading
    _fit(reading, root, model)
    return reading


def _fit(reading: Reading[Model], root: Node, model: type[Model]) -> None:
    """Validates, leaves out what does not fit, and validates the rest, until it fits or nothing more can be left out."""
    remaining: Node = root
    for _ in range(_MAX_ROUNDS):
        try:
            reading.model = model.model_validate(_compact(remaining))
            reading.fitted = remaining
            return
        except ValidationError as error:
            details = error.errors(include_url=False)
        # Removing list items shifts the indices of those behind them, so items are blanked in place and compacted afterwards.
        paths = [_true_path(remaining, tuple(detail["loc"])) for detail in details]
        for detail, path in zip(details, paths, strict=True):
            _report(reading, detail, path, model)
        removable = sorted({cut for path, detail in zip(paths, details, strict=True) if (cut := _cut(path, detail, model))}, key=len)
        if not removable:
            return
        for path in removable:
            reading.dropped.append(path)
            remaining = remaining.without(path) or remaining


def _compact(node: Node) -> Any:
    """The plain value without blanked list items."""
    if isinstance(node.content, list):
        return [_compact(item) for item in node.content if item is not None]
    if isinstance(node.content, dict):
        return {key: _compact(item) for key, item in node.content.items()}
    return node.content


def _true_path(root: Node, loc: Path_) -> Path_:
    """An error's path with list indices counted in the file, blanked items included."""
    path: list[str | int] = []
    node: Node | None = root
    for step in loc:
        if isinstance(step, int) and node is not None and isinstance(node.content, list):
            kept = [index for index, item in enumerate(node.content) if item is not None]
            step = kept[step] if step < len(kept) else step
        path.append(step)
        node = node.child(step) if node is not None else None
    return tuple(path)


def _report(reading: Reading[Any], detail: ErrorDetails, path: Path_, model: type[BaseModel]) -> None:
    kind, context = detail["type"], detail.get("ctx") or {}
    name = str(path[-1]) if path else ""
    owner = _model_at(model, path[:-1])
    about = _field_at(model, path)
    if kind == "missing":
        reading.error(path[:-1], f"`{name}` is missing{_inside(path)}.", _wanted(name, about))
    elif kind == "extra_forbidden":
        known = [_written_name(field_name, info) for field_name, info in owner.model_fields.items()] if owner else []
        reading.error(path, f"There is no key `{name}`{_inside(path)}.", did_you_mean(name, known), of_key=True)
    elif kind == "obc":
        reading.error(path, f"{_subject(path)}: {context['message']}", str(context["right"]))
    elif kind == "literal_error":
        written = detail["input"]
        choices = _choices(about.annotation if about else None)
        said = f"`{written}` is none of the known values." if isinstance(written, str) else "one of the known values is wanted."
        reading.error(path, f"{_subject(path)}: {said}", did_you_mean(str(written), choices))
    else:
        reading.error(path, f"{_subject(path)}: {_said(kind, context)}", _wanted(name, about, kind))


def _said(kind: str, context: dict[str, Any]) -> str:
    return {
        "tuple_type": "a list is wanted.",
        "list_type": "a list is wanted.",
        "dict_type": "a mapping of keys to values is wanted.",
        "model_type": "a mapping of keys to values is wanted.",
        "model_attributes_type": "a mapping of keys to values is wanted.",
        "too_short": "at least one entry is wanted.",
        "string_pattern_mismatch": "the name has characters that do not fit here.",
        "string_too_long": f"the text is longer than {context.get('max_length')} characters.",
        "greater_than_equal": f"the number is below {context.get('ge')}.",
        "less_than_equal": f"the number is above {context.get('le')}.",
    }.get(kind, "the value does not fit here.")


def _wanted(name: str, about: FieldInfo | None, kind: str = "") -> str:
    if kind == "string_pattern_mismatch":
        return "small letters, digits and underscores, beginning with a letter (it names a folder)."
    if kind in {"tuple_type", "list_type", "too_short"}:
        return f"a list, such as `{name}: [...]`, or lines that begin with `- `."
    if kind in {"dict_type", "model_type", "model_attributes_type"}:
        return "`key: value` lines below it, two spaces further in."
    if about is None:
        return "a value of the kind that the comment or schema describes."
    choices = _choices(about.annotation)
    example = f" such as `{name}: {about.examples[0]}`" if about.examples else f" one of: {', '.join(choices)}" if choices else ""
    return f"`{name}`{',' if example else ''}{example}: {about.description}" if about.description else f"`{name}`{example}."


def _subject(path: Path_) -> str:
    """The value's name for people: `rate_card[1].tiers[0].price`."""
    named = ""
    for step in path:
        if step == "[key]":
            continue
        named += f"[{int(step) + 1}]" if isinstance(step, int) else f".{step}" if named else str(step)
    return f"`{named}`" if named else "The file"


def _inside(path: Path_) -> str:
    return f" in {_subject(path[:-1])}" if len(path) > 1 else ""


def _written_name(name: str, info: FieldInfo) -> str:
    return info.alias or name


def _by_alias(owner: type[BaseModel], alias: str) -> FieldInfo | None:
    return next((info for info in owner.model_fields.values() if info.alias == alias), None)


def _field_at(model: type[BaseModel], path: Path_) -> FieldInfo | None:
    """The field that a path leads to, or whose list or mapping it leads into."""
    for length in range(len(path), 0, -1):
        owner = _model_at(model, path[: length - 1])
        if owner is not None:
            name = str(path[length - 1])
            return owner.model_fields.get(name) or _by_alias(owner, name)
    return None


def _model_at(model: type[BaseModel], path: Path_) -> type[BaseModel] | None:
    """The model class that a path leads to, None when the path ends in something else."""
    current: Any = model
    for step in path:
        if step == "[key]":
            continue
        if isinstance(current, type) and issubclass(current, BaseModel):
            info = current.model_fields.get(str(step)) or _by_alias(current, str(step))
            current = _bare(info.annotation) if info else None
        else:  # inside a list or a mapping: the item type
            arguments = [argument for argument in get_args(current) if argument is not Ellipsis]
            current = _bare(arguments[-1]) if arguments else None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _bare(annotation: Any) -> Any:
    """The annotation without Annotated and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        others = [argument for argument in get_args(annotation) if argument is not type(None)]
        return _bare(others[0])
    return annotation


def _choices(annotation: Any) -> list[str]:
    bare = _bare(annotation)
    if get_origin(bare) in (tuple, list):
        bare = _bare(get_args(bare)[0])
    return [str(choice) for choice in get_args(bare)] if "Literal" in str(get_origin(bare)) else []


def _cut(path: Path_, detail: ErrorDetails, model: type[BaseModel]) -> Path_ | None:
    """What to leave out so that the rest fits: the value itself where it is optional, else the list or mapping entry that holds it."""
    path = tuple(step for step in path if step != "[key]")
    if detail["type"] == "missing":
        path = path[:-1]
    while path:
        owner = _model_at(model, path[:-1])
        if owner is None:
            return path  # an entry of a list or a mapping
        info = owner.model_fields.get(str(path[-1])) or _by_alias(owner, str(path[-1]))
        if info is None or not info.is_required():
            return path  # unknown, or has a default
        path = path[:-1]
    return None
