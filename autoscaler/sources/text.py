"""From a path to text: gzip, byte order mark and encoding, with one-line complaints.

Files come from people, so every way in which one can be unusable is an `InputError` that says what
to do. This module must not know what the text means.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MOST_BYTES", "file_words", "first_bytes", "read_text", "stem_of"]

MOST_BYTES = 1 << 30
"""Ten years of minutes are 0.2 GiB; beyond 1 GiB it is a mistake or a decompression bomb."""

_GZIP_MAGIC = b"\x1f\x8b"
_ENDINGS = (".gz", ".csv", ".tsv", ".txt", ".parquet", ".pq")
_COPY_AGAIN = "copy or download it again"


def file_words(path: Path) -> str:
    """The path as complaints show it, always on one line."""
    return str(path) if str(path).isprintable() else shown(str(path))


def stem_of(path: Path) -> str:
    """The name without folders and endings; it names the series."""
    name = path.name
    while name.lower().endswith(_ENDINGS):
        name = name.rsplit(".", 1)[0]
    return name or path.name


def first_bytes(path: Path, count: int) -> bytes:
    """How a file begins, which tells its format better than its name."""
    return _read(path, file_words(path), count)


def read_text(path: Path) -> str:
    """Everything in `path`, unpacked if it is gzip, as text without a byte order mark."""
    file = file_words(path)
    text = _decode(_unpack(_bounded(_read(path, file, MOST_BYTES + 1), file), file), file)
    if not text.strip():
        raise InputError("the file is empty", remedy="give one with samples", file=file)
    return text


def _read(path: Path, file: str, count: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except FileNotFoundError:
        raise InputError("no such file", remedy="check the path", file=file) from None
    except IsADirectoryError:
        raise InputError("is a folder", remedy="name a file inside it", file=file) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot be read ({why})", remedy="check the path and its permissions", file=file
        ) from error


def _unpack(content: bytes, file: str) -> bytes:
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            return _bounded(stream.read(MOST_BYTES + 1), file)
    except EOFError:
        raise InputError("the gzip is cut short", remedy=_COPY_AGAIN, file=file) from None
    except (OSError, zlib.error) as error:
        raise InputError("the gzip is damaged", remedy=_COPY_AGAIN, file=file) from error


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
            remedy="give a CSV file in UTF-8, or a Parquet file",
            file=file,
            line=content.count(b"\n", 0, error.start) + 1,
        ) from None
