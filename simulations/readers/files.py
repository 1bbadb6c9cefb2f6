"""From a path to text: gzip, byte order mark and encoding, with one-line complaints.

Files come from people, so every way in which one can be unusable is an `InputError` that says what
to do. This module must not know what the text means.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MOST_BYTES", "SourceText", "read_text"]

MOST_BYTES = 1 << 30
"""A dump of 100,000 pods is about 0.6 GB; beyond 1 GiB it is a mistake or a decompression bomb."""

_GZIP_MAGIC = b"\x1f\x8b"
_ENDINGS = (".gz", ".csv", ".json")


@dataclass(frozen=True, slots=True)
class SourceText:
    """The decoded content of one file."""

    file: str
    """The path as the person wrote it; it opens every complaint."""
    stem: str
    """The name without folders and endings; it names the workload in reports."""
    text: str

    @property
    def is_json(self) -> bool:
        """Content decides, not the ending: JSON opens with a brace or a bracket, CSV never does."""
        return self.text[:256].lstrip().startswith(("{", "["))


def read_text(path: Path) -> SourceText:
    """Everything in `path`, unpacked if it is gzip, as text without a byte order mark."""
    file = str(path) if str(path).isprintable() else shown(str(path))
    text = _decode(_unpack(_read(path, file), file), file)
    if not text.strip():
        raise InputError("the file is empty", remedy="give one with content", file=file)
    return SourceText(file=file, stem=_stem(path), text=text)


def _read(path: Path, file: str) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError("no such file", remedy="check the path", file=file) from None
    except IsADirectoryError:
        raise InputError("is a folder", remedy="name a file inside it", file=file) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot be read ({why})", remedy="check the path and its permissions", file=file
        ) from error
    return _bounded(content, file)


def _unpack(content: bytes, file: str) -> bytes:
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            return _bounded(stream.read(MOST_BYTES + 1), file)
    except EOFError:
        raise InputError(
            "the gzip is cut short", remedy="copy or download it again", file=file
        ) from None
    except (OSError, zlib.error) as error:
        raise InputError(
            "the gzip is damaged", remedy="copy or download it again", file=file
        ) from error


def _bounded(content: bytes, file: str) -> bytes:
    if len(content) <= MOST_BYTES:
        return content
    raise InputError(
        f"holds more than {MOST_BYTES >> 30} GiB", remedy="split it, or check the path", file=file
    )


def _decode(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start + 1} is not UTF-8 text",
            remedy="save it as UTF-8 CSV, or as the JSON that kubectl prints",
            file=file,
            line=content.count(b"\n", 0, error.start) + 1,
        ) from None


def _stem(path: Path) -> str:
    name = path.name
    while name.endswith(_ENDINGS):
        name = name.rsplit(".", 1)[0]
    return name or path.name
