"""Puts a whole folder in another's place in one step, so that no reader ever finds half of each, and none finds nothing."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import sys
from pathlib import Path

from obc_pipeline.ledger.write_once import flush_folder, make_private_folder

_AT_FDCWD = -100 if sys.platform.startswith("linux") else -2
_EXCHANGE = 2  # RENAME_EXCHANGE on Linux, RENAME_SWAP on macOS: the same number
_CHUNK = 1 << 20


def swap_in(new: Path, place: Path) -> None:
    """`new` is at `place` afterwards, and what was there is gone. Both on one file system.

    The two names are exchanged in one system call; only where the system has none, files are replaced one by one (each is then whole,
    but for some milliseconds the folder may hold files of both).
    """
    make_private_folder(place.parent)
    if not place.exists():
        os.rename(new, place)
    elif _exchange(new, place):
        flush_folder(place.parent)
        shutil.rmtree(new)
    else:
        _replace_one_by_one(new, place)
    flush_folder(place.parent)


def make_private(folder: Path, *, is_kept: bool) -> None:
    """Folders 0700, files 0600; all on disk, where the folder is to be kept (what any run makes again need not wait for the disk)."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
        if is_kept:
            _flush(path)


def file_hashes(folder: Path) -> dict[str, str]:
    """Relative path -> SHA-256 of every file of the folder, in order of path."""
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def snapshot_hash(hashes: dict[str, str]) -> str:
    """One hash over a folder's files, by name and content."""
    return hashlib.sha256("\n".join(f"{name}\0{digest}" for name, digest in sorted(hashes.items())).encode()).hexdigest()


def clear(path: Path) -> None:
    """Removes what an interrupted writer left, file or folder."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _exchange(one: Path, other: Path) -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    rename = getattr(library, "renameat2", None) or getattr(library, "renameatx_np", None)
    if rename is None:
        return False
    return rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_EXCHANGE)) == 0


def _replace_one_by_one(new: Path, place: Path) -> None:
    wanted = {path.relative_to(new) for path in new.rglob("*") if path.is_file()}
    for name in sorted(wanted):
        make_private_folder((place / name).parent)
        os.replace(new / name, place / name)
    for path in sorted(place.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(place) not in wanted:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    shutil.rmtree(new)


def file_hash(path: Path) -> str:
    """SHA-256 of the file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
