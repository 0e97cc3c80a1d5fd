"""Unpack: the readable members of what was delivered, zip or plain, with guards against broken and hostile archives."""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_CHUNK_BYTES = 1 << 20
_MAX_MEMBERS = 1000
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class Member:
    """One file inside a delivery: the delivery itself, or a member of a zip.

    changed_at: the member's time inside the zip (no zone; only compared with other members'), None for plain files.
    problem:    why it cannot be read, with `path` None; the bytes stay in the archive.
    """

    name: str
    path: Path | None
    sha256: str | None
    changed_at: datetime | None
    problem: str | None = None


class Unreadable(Exception):
    """Nothing in the delivery can be read; the message says why and what would be right."""


@contextmanager
def unpacked(archived: Path, name: str, scratch: Path, sha256: str, *, max_bytes: int, max_ratio: float) -> Iterator[Iterator[Member]]:
    """The members of an archived delivery, one at a time; extracted ones live in `scratch` until the next is asked for.

    Raises Unreadable when the container itself is broken, hostile or of a kind that is not read.
    """
    start = _first_bytes(archived)
    if start.startswith(_ZIP_MARKS):
        with _open_zip(archived, max_bytes, max_ratio) as container:
            yield _zip_members(container, scratch, max_bytes)
    elif name.lower().endswith(".zip"):
        raise Unreadable("named .zip but not a zip file, or cut off before its first member; send it again whole")
    elif start.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        raise Unreadable("not a text file (an Excel 97, PDF, gzip, 7z or rar file by its first bytes); send CSV, plain or in a zip")
    else:
        yield iter([Member(Path(name).name, archived, sha256, None)])


def is_zip(archived: Path) -> bool:
    """Whether the content is a zip by its first bytes, whatever its name."""
    return _first_bytes(archived).startswith(_ZIP_MARKS)


def _first_bytes(archived: Path) -> bytes:
    with archived.open("rb") as raw:
        return raw.read(8)


def _open_zip(archived: Path, max_bytes: int, max_ratio: float) -> zipfile.ZipFile:
    try:
        container = zipfile.ZipFile(archived)
    except zipfile.BadZipFile as error:
        raise Unreadable("a zip without its directory: the upload was cut off; send it again whole") from error
    members = [info for info in container.infolist() if not info.is_dir()]
    if any(info.filename == "[Content_Types].xml" for info in members):
        raise Unreadable("an Excel workbook; export the sheet as CSV and send that")
    if len(members) > _MAX_MEMBERS:
        raise Unreadable(f"holds {len(members)} members, more than {_MAX_MEMBERS}; not opened")
    total = sum(info.file_size for info in members)
    packed = max(1, archived.stat().st_size)
    if total > max_bytes or (total > 50 * _CHUNK_BYTES and total / packed > max_ratio):
        raise Unreadable(
            f"would unpack to {total:,} bytes from {packed:,}: over the limits intake.max_zip_bytes or intake.max_zip_ratio in obc.yml; not opened"
        )
    return container


def _zip_members(container: zipfile.ZipFile, scratch: Path, max_bytes: int) -> Iterator[Member]:
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / "member"
    for info in container.infolist():
        name = info.filename.rsplit("/", 1)[-1]
        if info.is_dir() or re.match(r"^(\.|__MACOSX)", name) or "__MACOSX/" in info.filename:
            continue
        changed_at = _member_time(info)
        if info.flag_bits & 0x1:
            yield Member(name, None, None, changed_at, "encrypted; send it without a password over an encrypted channel")
            continue
        if name.lower().endswith(".zip"):
            yield Member(name, None, None, changed_at, "a zip inside a zip; send its members directly")
            continue
        try:
            sha256 = _extract(container, info, target, max_bytes)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            yield Member(name, None, None, changed_at, f"damaged inside the zip ({type(error).__name__}); send it again whole")
            continue
        yield Member(name, target, sha256, changed_at)
    target.unlink(missing_ok=True)


def _extract(container: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, max_bytes: int) -> str:
    digest = hashlib.sha256()
    written = 0
    with container.open(info) as packed, target.open("wb") as plain:
        while chunk := packed.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > min(max_bytes, info.file_size):
                raise zipfile.BadZipFile("unpacks to more than it declares")
            digest.update(chunk)
            plain.write(chunk)
    return digest.hexdigest()


def _member_time(info: zipfile.ZipInfo) -> datetime | None:
    if info.date_time <= (1980, 1, 1, 0, 0, 0):
        return None  # the zip format's "unknown"
    try:
        return datetime(*info.date_time, tzinfo=UTC).replace(tzinfo=None)
    except ValueError:
        return None
