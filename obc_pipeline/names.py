"""When two ways of writing a name are one name."""

from __future__ import annotations

import unicodedata


def same_name(name: str) -> str:
    """Names that are the same to people come out as the same text: spaces, capitals, and the ways to write an accent do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", " ".join(name.split())).casefold())
