"""One door to every file that holds history: the content decides how it is read, not the name.

This module must not know a format; each has a module of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoscaler.sources.columns import Columns
from autoscaler.sources.csv_file import CsvFile
from autoscaler.sources.text import first_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from autoscaler.history.samples import HistorySource, Samples

__all__ = ["read_series_file", "source_of"]

_PARQUET_MAGIC = b"PAR1"


def source_of(path: Path, columns: Columns | None = None) -> HistorySource:
    """The file as a source of history."""
    said = columns or Columns()
    if first_bytes(path, len(_PARQUET_MAGIC)) == _PARQUET_MAGIC:
        # pyarrow is slow to import and part of an extra: who reads CSV does without.
        from autoscaler.sources.parquet_file import ParquetFile  # noqa: PLC0415

        return ParquetFile(path, said)
    return CsvFile(path, said)


def read_series_file(path: Path, columns: Columns | None = None) -> tuple[Samples, ...]:
    """All series of a CSV file (also gzipped) or a Parquet file."""
    return source_of(path, columns).read()
