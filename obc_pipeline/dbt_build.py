"""Runs dbt in this process: one parse, then as many runs and tests as a run needs, on the district's warehouse file.

In process because a dbt subprocess would be locked out of the warehouse by any open handle here, and pays its imports each time.
The manifest is parsed once per state of the project, always with the project's own default vars: dbt would otherwise parse everything
again whenever the as-of date changes. The run's vars are given when models are compiled. A parse is kept in `<home>/.dbt/` and, for the
next home, in the project's `target/`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from obc_pipeline.errors import scrub
from obc_pipeline.home import Home

PROJECT_DIR = Path(__file__).resolve().parents[1] / "dbt_project"
QUALITY_MODELS = "fqn:obc.marts.quality"

_PARSED_FILES = ("manifest.json", "partial_parse.msgpack")
_PARSES_KEPT = 4

Status = Literal["OK", "FAILED", "WARNED", "ERROR", "SKIPPED"]
_STATUSES: dict[str, Status] = {
    "success": "OK",
    "pass": "OK",
    "warn": "WARNED",
    "fail": "FAILED",
    "error": "ERROR",
    "runtime error": "ERROR",
    "skipped": "SKIPPED",
    "partial success": "ERROR",
}


class DbtFailed(RuntimeError):
    """dbt could not parse, run or test the project: says which model, without any value. `outcomes` holds what it did all the same."""

    def __init__(self, message: str, outcomes: Sequence[NodeOutcome] = ()) -> None:
        super().__init__(message)
        self.outcomes = tuple(outcomes)


@dataclass(frozen=True)
class NodeOutcome:
    """What dbt did with one model or test.

    failures: rows a test found; None for models.
    message:  dbt's own words, scrubbed of values.
    """

    unique_id: str
    name: str
    kind: str  # model, test, seed, snapshot
    status: Status
    seconds: float
    failures: int | None
    message: str


class DbtBuild:
    """dbt on one home. Nothing is imported or parsed before it is needed."""

    def __init__(self, home: Home, project_dir: Path = PROJECT_DIR) -> None:
        self._home = home
        self._project_dir = project_dir
        self._target = home.path / ".dbt"

    @property
    def manifest_path(self) -> Path:
        return self._target / "manifest.json"

    def ensure_manifest(self) -> Path:
        """The path of a manifest.json that is of the project's present state; parses when it is missing or of another state."""
        digest_path = self._target / "manifest.sha256"
        digest = project_digest(self._project_dir)
        with self._one_parser():
            current = self.manifest_path.exists() and digest_path.exists() and digest_path.read_text() == digest
            if not current:
                digest_path.unlink(missing_ok=True)
                if not self._take_parsed(digest):
                    self._parse()
                    self._keep_parsed(digest)
                digest_path.write_text(digest)
        return self.manifest_path

    def run(self, variables: Mapping[str, str], *, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[NodeOutcome]:
        """Builds the selected models (and seeds). A model that fails leaves those that need it SKIPPED; the rest are built."""
        # Exposures are what people read, not what is built: dbt would report each as a node that did nothing.
        left_out = [word for kind in ("test", "unit_test", "exposure") for word in ("--exclude-resource-type", kind)]
        return self._invoke("build", left_out, variables, select, exclude)

    def test(self, variables: Mapping[str, str], *, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[NodeOutcome]:
        """Runs the selected data tests. Tests come after all models, so that one failed test never leaves a mart of others unbuilt."""
        return self._invoke("test", ["--exclude-resource-type", "unit_test"], variables, select, exclude)

    def _invoke(
        self, command: str, options: list[str], variables: Mapping[str, str], select: Sequence[str], exclude: Sequence[str]
    ) -> list[NodeOutcome]:
        self.ensure_manifest()
        # dbt's run_results.json would hold its messages unscrubbed.
        arguments = [command, *options, "--no-write-json", "--vars", json.dumps(dict(variables))]
        arguments += ["--select", *select] if select else []
        arguments += ["--exclude", *exclude] if exclude else []
        result = self._call(arguments, self._manifest)
        if result.result is None:
            raise DbtFailed(f"dbt {command} could not start: {scrub(str(result.exception))}")
        return [_outcome(node) for node in result.result.results]

    @cached_property
    def _manifest(self) -> Any:
        """dbt's own form of the manifest, for `dbtRunner(manifest=...)`: taken from what the last parse left, without parsing again."""
        from dbt.contracts.graph.manifest import Manifest

        state = self._target / "partial_parse.msgpack"
        if not state.exists():
            return self._parse()
        manifest = Manifest.from_msgpack(state.read_bytes())  # type: ignore[attr-defined]
        manifest.build_flat_graph()
        manifest.build_parent_and_child_maps()
        return manifest

    def _parse(self) -> Any:
        result = self._call(["parse"], None)
        if not result.success or result.result is None:
            raise DbtFailed(f"the dbt project does not parse: {_parse_problem(result.exception)}")
        return result.result

    # Parsing takes seconds and depends on the project alone, so a parse is kept beside the project for other homes: never needed, only faster.

    def _parsed(self, digest: str) -> Path:
        return self._project_dir / "target" / "parsed" / digest[:32]

    def _take_parsed(self, digest: str) -> bool:
        """Copies a kept parse of this state of the project to the home; False when there is none."""
        try:
            for name in _PARSED_FILES:
                shutil.copyfile(self._parsed(digest) / name, self._target / name)
        except FileNotFoundError:
            return False
        return True

    def _keep_parsed(self, digest: str) -> None:
        """Keeps what was parsed, unless the project changed meanwhile or its folder cannot be written; only the last few are kept."""
        kept = self._parsed(digest)
        if project_digest(self._project_dir) != digest or not os.access(self._project_dir, os.W_OK):
            return
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=kept.parent))
        for name in _PARSED_FILES:
            shutil.copyfile(self._target / name, aside / name)
        with suppress(OSError):  # another home kept the same parse first
            os.rename(aside, kept)
        others = sorted(kept.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[_PARSES_KEPT:]
        for old in (aside, *others):
            shutil.rmtree(old, ignore_errors=True)

    def _call(self, arguments: list[str], manifest: Any) -> Any:
        from dbt.cli.main import dbtRunner

        self._target.mkdir(mode=0o700, parents=True, exist_ok=True)
        places = ["--project-dir", self._project_dir, "--profiles-dir", self._project_dir]
        places += ["--target-path", self._target, "--log-path", self._target]
        # dbt's own logs quote compiled SQL and database errors, and with them rows: none are written.
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-print", "--no-use-colors"]
        with _environment(OBC_WAREHOUSE=str(self._home.warehouse), DO_NOT_TRACK="1"):
            try:
                return dbtRunner(manifest=manifest).invoke([*arguments, *map(str, places), *quiet])
            finally:
                _release_warehouse()

    @contextmanager
    def _one_parser(self) -> Iterator[None]:
        """The Dagster code server and `obc run` may both find the manifest old: one parses, the other waits."""
        self._target.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._target / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def project_digest(project_dir: Path = PROJECT_DIR) -> str:
    """SHA-256 over names and contents of the project's files, and dbt's version: when it changes, the manifest is old."""
    from importlib.metadata import version

    digest = hashlib.sha256(version("dbt-core").encode())
    for path in sorted(project_dir.rglob("*")):
        relative = path.relative_to(project_dir)
        if path.suffix in {".sql", ".yml", ".md", ".csv"} and relative.parts[0] not in {"target", "logs", "dbt_packages"}:
            digest.update(f"\0{relative.as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def read_manifest(path: Path) -> dict[str, Any]:
    """manifest.json as a dictionary."""
    return json.loads(path.read_text(encoding="utf-8"))


def _outcome(result: Any) -> NodeOutcome:
    node = result.node
    return NodeOutcome(
        unique_id=node.unique_id,
        name=node.name,
        kind=str(node.resource_type),
        status=_STATUSES[str(result.status)],
        seconds=float(result.execution_time),
        failures=None if result.failures is None else int(result.failures),
        message=scrub(result.message or ""),
    )


def _parse_problem(error: BaseException | None) -> str:
    """Parsing reads the project, never a row: its message is shown as it is."""
    return " ".join(str(error).split())[:600] if error else "no reason given"


def _release_warehouse() -> None:
    """Closes dbt-duckdb's handle: while it is open nobody else, this process included, can attach the file."""
    from dbt.adapters.factory import FACTORY

    for adapter in FACTORY.adapters.values():
        connections: Any = getattr(adapter, "connections", None)
        if connections is not None:
            connections.cleanup_all()
            connections.close_all_connections()


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
