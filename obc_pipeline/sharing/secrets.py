"""Each recipient's own secret, from which the keys of its students are made: two recipients' keys of one student never meet.

A secret is 32 random bytes in `<home>/.secrets/<audience>.key`, for the owner alone. Whoever has it and the district's student keys can
tell whose key is whose; whoever has only a published file cannot.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

from obc_pipeline.documents import Documents
from obc_pipeline.home import Home
from obc_pipeline.ledger.write_once import write_once
from obc_pipeline.sharing.audiences import Audience, audiences_of
from obc_pipeline.sharing.errors import SecretMissing, SharingError

SECRET_BYTES = 32


def secret_path(home: Home, audience: Audience) -> Path:
    return home.secrets / f"{audience.folder}.key"


def make_secret(home: Home, audience: Audience, content: bytes | None = None) -> tuple[Path, bool]:
    """Makes the audience's secret where there is none; returns its path and whether it is new. Never overwrites one.

    content: 32 bytes instead of random ones, for synthetic homes, whose every byte follows from their seed.
    """
    path = secret_path(home, audience)
    if not audience.needs_secret:
        raise SharingError(f"{audience.audience_id} needs no secret: its students are not known by a key")
    if path.exists():
        read_secret(home, audience)
        return path, False
    write_once(path, (content or secrets.token_bytes(SECRET_BYTES)).hex().encode() + b"\n")
    path.chmod(0o600)
    return path, True


def make_secrets(home: Home, documents: Documents, seed: str | None = None) -> None:
    """Makes the secret of every vendor that has none. seed: for synthetic homes, whose every byte follows from it."""
    for audience in audiences_of(documents, {}):
        if audience.needs_secret and not secret_path(home, audience).exists():
            content = hashlib.sha256(f"{seed}\0{audience.audience_id}".encode()).digest() if seed is not None else None
            make_secret(home, audience, content)


def read_secret(home: Home, audience: Audience) -> bytes:
    """The audience's secret. Raises SecretMissing when it is not there, not whole, or open to others."""
    path = secret_path(home, audience)
    right = f"obc secret {audience.audience_id} makes one"
    try:
        seen = os.stat(path, follow_symlinks=False)
        text = path.read_text(encoding="ascii").strip() if stat.S_ISREG(seen.st_mode) else ""
    except FileNotFoundError:
        raise SecretMissing(f"the secret of {audience.audience_id} is missing ({path}); {right}") from None
    except (OSError, UnicodeDecodeError):
        raise SecretMissing(f"the secret of {audience.audience_id} cannot be read ({path}); {right}, once the file is moved away") from None
    if not re.fullmatch(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}", text):
        raise SecretMissing(f"the secret of {audience.audience_id} is not 64 hex digits ({path}); {right}, once the file is moved away")
    if stat.S_IMODE(seen.st_mode) & 0o077:
        raise SecretMissing(f"the secret of {audience.audience_id} can be read by others ({path}); right would be mode 600")
    return bytes.fromhex(text)


def recipient_key(secret: bytes, student_key: str) -> str:
    """HMAC-SHA256 of the district's key of the student: 64 hex digits that nobody without the secret can lead back or join."""
    return hmac.new(secret, student_key.encode(), hashlib.sha256).hexdigest()
