"""From the columns of one table to series of samples, whatever file the table came from.

Rows keep the order of the file: sorting and choosing among doubles are repairs, and repairs are
marked elsewhere. This module must not open a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.history.samples import Samples
from autoscaler.sources.columns import series_name
from autoscaler.sources.zones import named_zone, utc_of, zone_offset_s
from gpu_fleet.errors import InputError
from gpu_fleet.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from autoscaler.sources.columns import Chosen, Columns
    from autoscaler.sources.stamps import Stamps

__all__ = ["MOST_SERIES", "Table", "refuse_hidden_series", "samples_of"]

MOST_SERIES = 1_000
"""More values than these in a series column show that it holds something else."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What was read of a file, row by row."""

    file: str
    stem: str
    stamps: Stamps
    values: Mapping[str, NDArray[np.float64]]
    """By value column."""
    series: Sequence[str] | None
    """The series of each row, where a column names it."""
    places: NDArray[np.int64]
    chosen: Chosen
    place_word: str = "line"


def refuse_hidden_series(
    stamps: Stamps, texts: Sequence[str], cells: Callable[[str], Sequence[str]]
) -> None:
    """Complain about several series that would be read as one with doubled stamps.

    `texts` are the columns that hold neither times nor numbers, `cells` what one of them holds.
    """
    if len(np.unique(stamps.times_ns)) * 2 > len(stamps.times_ns):
        return
    for name in texts:
        count = len(set(cells(name)))
        if count > 1:
            raise InputError(
                f"{counted(count, 'value')} under the same stamps",
                remedy=f"name the column that tells series apart, as in --series-column {name}",
                field=name,
            )


def samples_of(table: Table, columns: Columns) -> tuple[Samples, ...]:
    """Each series of the table, in the order in which the file names them first."""
    found = [
        samples
        for name, rows in _groups(table, columns).items()
        for samples in _one(table, columns, name, rows)
    ]
    if columns.only_total or columns.total:
        totals = [_total(column, table, columns, found) for column in table.values]
        found = totals if columns.only_total else [*found, *totals]
    return tuple(found)


def _groups(table: Table, columns: Columns) -> dict[str, NDArray[np.int64]]:
    """The rows of each series."""
    if table.series is None:
        return {"": np.arange(len(table.places))}
    names, first, which = np.unique(
        np.array(table.series, dtype=np.str_), return_index=True, return_inverse=True
    )
    if len(names) > MOST_SERIES:
        raise InputError(
            f"names {counted(len(names), 'series', 'series')}",
            remedy=f"name a column with {MOST_SERIES:,} values or fewer with --series-column",
            field=columns.series,
            file=table.file,
        )
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which))
    rows = np.split(order, ends[:-1])
    return {str(names[index]): rows[index] for index in np.argsort(first).tolist()}


def _one(table: Table, columns: Columns, series: str, rows: NDArray[np.int64]) -> list[Samples]:
    """The series of these rows: one for each value column."""
    times_ns, offset_s, notes = _placed(table, columns, rows)
    several = len(table.values) > 1
    return [
        Samples(
            name=series_name(table.stem, series, column if several else ""),
            times_ns=times_ns,
            values=values[rows],
            unit=columns.unit or column,
            utc_offset_s=offset_s,
            source=table.file,
            column=column,
            places=table.places[rows],
            place_word=table.place_word,
            notes=notes,
        )
        for column, values in table.values.items()
    ]


def _placed(
    table: Table, columns: Columns, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int, tuple[str, ...]]:
    """The times in UTC, the offset there, and what was taken for granted."""
    stamps, notes = table.stamps, table.chosen.notes
    times_ns = stamps.times_ns[rows]
    zone = named_zone(columns.zone or "UTC")
    if not stamps.is_dated:
        return times_ns, 0, (*notes, "times are seconds since the series began")
    if stamps.is_wall:
        utc_ns = utc_of(times_ns, zone, table.chosen.time, table.places[rows])
        if not columns.zone:
            notes = (*notes, "times without an offset are taken as UTC")
        return utc_ns, zone_offset_s(zone, int(utc_ns[0])), notes
    offset_s = zone_offset_s(zone, int(times_ns[0])) if columns.zone else stamps.utc_offset_s
    return times_ns, offset_s, notes


def _total(column: str, table: Table, columns: Columns, found: Sequence[Samples]) -> Samples:
    """The sum over all series at each moment; one without a value there makes the sum absent.

    A moment is judged by the rows it has: a series without a row counts nothing.
    """
    parts = [samples for samples in found if samples.column == column]
    latest = [_last_of_each_moment(samples) for samples in parts]
    times_ns, slot = np.unique(
        np.concatenate([times for times, _, _ in latest]), return_inverse=True
    )
    sums = np.zeros(len(times_ns))
    np.add.at(sums, slot, np.concatenate([values for _, values, _ in latest]))
    places = np.zeros(len(times_ns), dtype=np.int64)
    np.maximum.at(places, slot, np.concatenate([places for _, _, places in latest]))
    several = len(table.values) > 1
    return Samples(
        name=series_name(table.stem, "total", column if several else ""),
        times_ns=times_ns,
        values=sums,
        unit=columns.unit or column,
        utc_offset_s=parts[0].utc_offset_s,
        source=table.file,
        column=column,
        places=places,
        place_word=table.place_word,
        notes=(*parts[0].notes, f"total over {counted(len(parts), 'series', 'series')}"),
    )


def _last_of_each_moment(
    samples: Samples,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """One sample a moment, the last one: a doubled row must not count twice in a sum."""
    _, back = np.unique(samples.times_ns[::-1], return_index=True)
    rows = len(samples) - 1 - back
    places = samples.places
    return (
        samples.times_ns[rows],
        samples.values[rows],
        np.zeros(len(rows), dtype=np.int64) if places is None else places[rows],
    )
