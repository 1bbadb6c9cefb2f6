"""The text and the first bytes of a file of samples.

What is wrong with a file is told by `gpu_fleet.file_text`. This module must not know what the text
means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.file_text import MOST_BYTES, path_in_words, stem_of, text_of, unreadable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["file_words", "first_bytes", "read_text", "series_name"]

_ENDINGS = (".gz", ".csv", ".tsv", ".txt", ".parquet", ".pq")


def file_words(path: Path) -> str:
    """The path as complaints show it, always on one line."""
    return path_in_words(str(path))


def series_name(path: Path) -> str:
    """The name without folders and endings."""
    return stem_of(path.name, _ENDINGS)


def first_bytes(path: Path, count: int) -> bytes:
    """How a file begins, which tells its format better than its name."""
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except (OSError, ValueError) as error:
        raise unreadable(error, file_words(path)) from error


def read_text(path: Path) -> str:
    """Everything in `path`, unpacked if it is gzip, as text without a byte order mark."""
    content = first_bytes(path, MOST_BYTES + 1)
    in_utf8 = "give a CSV file in UTF-8, or a Parquet file"
    return text_of(content, file_words(path), wanted="samples", in_utf8=in_utf8)
