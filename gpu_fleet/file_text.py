"""From a file's bytes to its text: gzip, byte order mark and encoding, with one-line complaints.

Files come from people, so every way in which one can be unusable is an `InputError` that says what
to do. This module must not open a file, and must not know what the text means.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Final

from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

__all__ = ["MOST_BYTES", "path_in_words", "stem_of", "text_of", "unreadable"]

MOST_BYTES: Final = 1 << 30
"""A dump of 100,000 pods is about 0.6 GB, ten years of minutes 0.2; beyond 1 GiB it is a mistake or
a decompression bomb. Whoever opens a file reads one byte more, so that this can be told."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_COPY_AGAIN: Final = "copy or download it again"


def path_in_words(path: str) -> str:
    """The path as complaints show it, always on one line."""
    return path if path.isprintable() else shown(path)


def stem_of(name: str, endings: tuple[str, ...]) -> str:
    """A file's name without these endings, however many there are."""
    stem = name
    while stem.lower().endswith(endings):
        stem = stem.rsplit(".", 1)[0]
    return stem or name


def unreadable(error: OSError | ValueError, file: str) -> InputError:
    """Why a file cannot be opened or read; a `ValueError` is a NUL in its path."""
    if isinstance(error, FileNotFoundError):
        return InputError("no such file", remedy="check the path", file=file)
    if isinstance(error, IsADirectoryError):
        return InputError("is a folder", remedy="name a file inside it", file=file)
    why = getattr(error, "strerror", None) or str(error)
    return InputError(
        f"cannot be read ({why})", remedy="check the path and its permissions", file=file
    )


def text_of(content: bytes, file: str, *, wanted: str, in_utf8: str) -> str:
    """The text of a file's bytes, unpacked if they are gzip, without a byte order mark.

    `wanted` is what an empty file should hold; `in_utf8` what to do about other encodings.
    """
    text = _decode(_unpack(_bounded(content, file), file), file, in_utf8)
    if not text.strip():
        raise InputError("the file is empty", remedy=f"give one with {wanted}", file=file)
    return text


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


def _decode(content: bytes, file: str, remedy: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start + 1} is not UTF-8 text",
            remedy=remedy,
            file=file,
            line=content.count(b"\n", 0, error.start) + 1,
        ) from None
