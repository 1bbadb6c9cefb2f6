"""Files that tests write, and what a reader says of them without the folder they happen to be in.

This module must not assert anything.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from autoscaler.sources.files import read_series_file
from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from autoscaler.sources.columns import Columns

__all__ = ["complaint", "csv_lines", "hourly", "write"]


def csv_lines(*lines: str) -> str:
    """Lines as a file has them."""
    return "".join(f"{line}\n" for line in lines)


def hourly(values: Iterable[object], *, date: str = "2026-03-01") -> str:
    """A small file: one value each hour."""
    rows = (f"{date} {hour:02d}:00:00,{value}" for hour, value in enumerate(values))
    return csv_lines("time,gpus", *rows)


def write(folder: Path, content: str | bytes, name: str = "load.csv") -> Path:
    """A file with this content, gzipped where its name says so and it is text."""
    data = content.encode() if isinstance(content, str) else content
    path = folder / name
    zipped = name.endswith(".gz") and isinstance(content, str)
    path.write_bytes(gzip.compress(data) if zipped else data)
    return path


def complaint(path: Path, columns: Columns | None = None) -> str:
    """The one line said of a file that cannot be used, without its folder."""
    with pytest.raises(InputError) as caught:
        read_series_file(path, columns)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{path.parent}/", "")
