"""Series out of a Parquet file, with complaints that name file, row and column.

It asks the same questions as a CSV file and gives the same series for the same table. This module
must not import pyarrow: `parquet_columns` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.sources.columns import Columns, choose
from autoscaler.sources.numbers import as_numbers
from autoscaler.sources.parquet_columns import open_parquet
from autoscaler.sources.stamps import moments_as_stamps, numbers_as_stamps, text_as_stamps
from autoscaler.sources.tables import Table, refuse_hidden_series, samples_of
from autoscaler.sources.text import file_words, series_name
from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from autoscaler.history.samples import Samples
    from autoscaler.sources.parquet_columns import Column
    from autoscaler.sources.stamps import Stamps

__all__ = ["ParquetFile"]


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A Parquet file as a source of history."""

    path: Path
    columns: Columns = field(default_factory=Columns)

    def read(self) -> tuple[Samples, ...]:
        """All series in it."""
        try:
            return samples_of(_table(self.path, self.columns), self.columns)
        except InputError as complaint:
            raise complaint.within(file_words(self.path)) from None


def _table(path: Path, columns: Columns) -> Table:
    file = open_parquet(path)
    if not file.rows:
        raise InputError("there is no row in it", remedy="give a file with samples")
    chosen = choose(columns, file.names, file.numeric, file.dated)
    places = range(1, file.rows + 1)
    stamps = _stamps(file.column(chosen.time), places)
    if not chosen.series:
        texts = [name for name in file.texts if name != chosen.time]
        refuse_hidden_series(stamps, texts, lambda name: file.column(name).as_text())
    return Table(
        file=file_words(path),
        stem=series_name(path),
        stamps=stamps,
        values={name: _values(file.column(name), places) for name in chosen.values},
        series=file.column(chosen.series).as_text() if chosen.series else None,
        places=np.arange(1, file.rows + 1),
        place_word="row",
        chosen=chosen,
    )


def _stamps(column: Column, places: range) -> Stamps:
    empty = column.first_empty()
    if empty is not None:
        raise InputError(
            "is empty", remedy="give every row a time", line=places[empty], field=column.name
        )
    if column.is_text:
        return text_as_stamps(column.as_text(), column.name, places)
    if not column.is_date:
        return numbers_as_stamps(column.as_numbers(), column.name, places)
    times_us = column.as_times_us()
    return moments_as_stamps(times_us, column.name, places, is_wall=not column.has_zone)


def _values(column: Column, places: range) -> NDArray[np.float64]:
    if column.is_text:
        return as_numbers(column.as_text(), column.name, places)
    if column.is_date:
        raise InputError(
            "holds dates, no numbers", remedy="name another --value-column", field=column.name
        )
    return column.as_numbers().astype(np.float64)
