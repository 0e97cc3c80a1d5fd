"""Files that are written once and never again: whole or not at all, read-only from the first moment, on disk before anyone is told."""

from __future__ import annotations

import os
from pathlib import Path

PARTIAL_SUFFIX = ".partial"


def write_once(path: Path, content: bytes) -> None:
    """Writes `content` beside `path`, flushes it, renames it into place and flushes the folder. The caller holds the home's lock.

    Killed at any moment, `path` is either not there or there in full. The same content again changes nothing;
    raises FileExistsError when the file is there with other content.
    """
    make_private_folder(path.parent)
    if path.exists():
        if path.read_bytes() != content:
            raise FileExistsError(f"{path} is written already, with other content; it was left as it is")
        return
    for leftover in path.parent.glob(f".*{PARTIAL_SUFFIX}"):  # of a writer that was killed: nobody ever read it
        os.unlink(leftover)
    partial = path.with_name(f".{path.name}{PARTIAL_SUFFIX}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        _write_all(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.rename(partial, path)
    flush_folder(path.parent)


def make_private_folder(folder: Path) -> None:
    """Makes the folder and those above it that are missing, for the owner alone, each flushed into the one above."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        os.mkdir(path, 0o700)
        flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Asks the operating system to put the folder's list of names on disk now."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
