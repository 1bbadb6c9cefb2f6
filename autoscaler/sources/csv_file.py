"""Series out of a CSV file, plain or gzipped, with complaints that name file, line and column.

The dialect is the plain one that spreadsheets and pandas write: commas, double quotes, any line
ending, one header. This module must not sort, fill or judge what it reads.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.sources.columns import Columns, choose
from autoscaler.sources.numbers import as_numbers, looks_numeric
from autoscaler.sources.stamps import text_as_stamps
from autoscaler.sources.tables import Table, refuse_hidden_series, samples_of
from autoscaler.sources.text import file_words, read_text, series_name
from gpu_fleet.errors import InputError
from gpu_fleet.words import counted, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from autoscaler.history.samples import Samples

__all__ = ["CsvFile"]

_HEAD_ROWS = 200
"""A column is one of numbers by its first cell that is not empty, within these rows."""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file as a source of history."""

    path: Path
    columns: Columns = field(default_factory=Columns)

    def read(self) -> tuple[Samples, ...]:
        """All series in it."""
        text = read_text(self.path)
        try:
            return samples_of(_table(self.path, text, self.columns), self.columns)
        except InputError as complaint:
            raise complaint.within(file_words(self.path)) from None


def _table(path: Path, text: str, columns: Columns) -> Table:
    header, rows, places = _rows(text)
    numeric = _numeric(header, rows)
    chosen = choose(columns, header, numeric)
    by_name = dict(zip(header, zip(*rows, strict=True), strict=True))
    stamps = text_as_stamps(by_name[chosen.time], chosen.time, places)
    if not chosen.series:
        texts = [name for name in header if name not in {chosen.time, *numeric}]
        refuse_hidden_series(stamps, texts, by_name.__getitem__)
    return Table(
        file=file_words(path),
        stem=series_name(path),
        stamps=stamps,
        values={name: as_numbers(by_name[name], name, places) for name in chosen.values},
        series=by_name[chosen.series] if chosen.series else None,
        places=np.array(places, dtype=np.int64),
        chosen=chosen,
    )


def _rows(text: str) -> tuple[list[str], list[list[str]], list[int]]:
    """The header, the rows below it and the line of each; blank lines are passed over."""
    header: list[str] = []
    rows: list[list[str]] = []
    places: list[int] = []
    for line, row in _numbered(text):
        if not row:
            continue
        if not header:
            header = _header(row, line)
            continue
        if len(row) != len(header):
            raise InputError(
                f"{counted(len(row), 'cell')} under {counted(len(header), 'column')}",
                remedy="make the row as wide as the header",
                line=line,
            )
        rows.append(row)
        places.append(line)
    if not rows:
        raise InputError(
            "there is a header and no sample under it", remedy="give a file with samples"
        )
    return header, rows, places


def _numbered(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with its line."""
    # splitlines() would also cut at form feeds and U+2028, which are legal inside a cell.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    reader = csv.reader((f"{line}\n" for line in lines), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(
            f"is not CSV ({error})", remedy="give comma-separated values", line=reader.line_num
        ) from None


def _header(row: Sequence[str], line: int) -> list[str]:
    header = [name.strip() for name in row]
    if len(header) == 1:
        raise InputError(
            f"the header has one column, {shown(header[0])}",
            remedy="separate a time and a value column by a comma",
            line=line,
        )
    for name in header:
        if looks_numeric(name):
            raise InputError(
                f"the header holds the number {shown(name)}",
                remedy="name the columns in the first line",
                line=line,
            )
        if header.count(name) > 1:
            raise InputError(
                f"{shown(name)} is there {header.count(name)} times",
                remedy="name each column once",
                line=line,
                field="header",
            )
    return header


def _numeric(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The columns whose first cells are numbers."""
    return [name for column, name in enumerate(header) if _begins_with_number(rows, column)]


def _begins_with_number(rows: Sequence[Sequence[str]], column: int) -> bool:
    head = (row[column] for row in rows[:_HEAD_ROWS])
    return looks_numeric(next((cell for cell in head if cell.strip()), ""))
