"""What a command leaves behind: JSON, a decision log, a table. Each is whole or not there at all.

A file is written beside its place and moved into it, so that an interrupt never leaves half of it.
This module must not compute anything that it writes.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Row",
    "check_writable",
    "document",
    "fingerprint",
    "say",
    "table",
    "write_json",
    "write_text",
]

Row = dict[str, object]
STDOUT = "-"


def document(command: str, spec: Mapping[str, object], rows: Sequence[Row]) -> dict[str, object]:
    """The JSON that stays stable; docs/reference/*.schema.json says what is in it."""
    return {
        "command": command,
        "version": version("synthscale"),
        "spec": dict(spec),
        "rows": list(rows),
    }


def write_json(path: str | None, content: Mapping[str, object]) -> None:
    """Write a document as JSON; `-` is stdout, None is nowhere."""
    if path is None:
        return
    text = msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"
    if path == STDOUT:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    write_text(Path(path), text)


def write_text(path: Path, text: str) -> None:
    """Write a file in one move; what was there before stays until then."""
    check_writable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def check_writable(path: Path | str | None) -> None:
    """Complain now about a place that cannot be written, not after an hour of computing."""
    if path is None or str(path) == STDOUT:
        return
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a directory", remedy="name a file")
    nearest = next(parent for parent in path.absolute().parents if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise InputError(f"cannot write into {nearest}", remedy="name a place you may write to")


def fingerprint(path: Path) -> str:
    """SHA-256 of an input file, so that a spec says which bytes it ran on."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def say(text: str, json_path: str | None = None) -> None:
    """Print for people: on stdout, or on stderr when stdout carries JSON."""
    print(text, file=sys.stderr if json_path == STDOUT else sys.stdout)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain table: first column to the left, the others to the right, no colours, no frames."""
    widths = [
        max(len(column), *(len(row[at]) for row in rows)) if rows else len(column)
        for at, column in enumerate(columns)
    ]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "  ".join((first, *rest)).rstrip()

    return "\n".join((line(columns), line(["-" * width for width in widths]), *map(line, rows)))
