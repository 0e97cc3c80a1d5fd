"""Reads the texts out of a workbook or a PDF, as somebody would who looks for a word in it."""

from __future__ import annotations

import base64
import re
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def texts(path: Path) -> str:
    """Every text of a workbook or a PDF."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            root = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        return "\n".join("".join(node.text or "" for node in item.iter(f"{_MAIN}t")) for item in root)
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", path.read_bytes(), re.DOTALL):
        content = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        found += [text.decode("cp1252") for text in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", content)]
    return "\n".join(found)
