"""Which columns of a table are the time, the values and the series, said or found.

CSV and Parquet ask the same questions, so they are answered here once; what was found and not said
is told in a note. This module must not read a file or turn cells into numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from gpu_fleet.words import did_you_mean, listed, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TIME_NAMES", "Chosen", "Columns", "choose", "printable", "series_name"]

TIME_NAMES = ("time", "timestamp", "date", "ds", "t_s", "t")
"""Names under which a time column is found, in this order."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a person says about the columns of a file; what is empty is found."""

    time: str = ""
    values: tuple[str, ...] = ()
    series: str = ""
    """A column whose values name the series: each of them is one of its own."""
    total: bool = False
    """Beside the series of that column, the sum over them; without any other with `only_total`."""
    only_total: bool = False
    zone: str = ""
    """The IANA name of the time zone of stamps without an offset; empty is UTC, with a note."""
    unit: str = ""
    """Empty takes the name of the value column."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns that are read."""

    time: str
    values: tuple[str, ...]
    series: str
    notes: tuple[str, ...]


def choose(
    columns: Columns, header: Sequence[str], numeric: Sequence[str], dated: Sequence[str] = ()
) -> Chosen:
    """The columns to read, out of the header, of those of numbers and of those of dates."""
    for name in header:
        if not name.isprintable():
            raise InputError(
                f"the column {shown(name)} cannot be printed", remedy="rename it", field="header"
            )
    for name in filter(None, (columns.time, columns.series, *columns.values)):
        _require(name, header)
    time = columns.time or _time_column(header, dated)
    values = columns.values or (_value_column(time, columns.series, numeric),)
    for taken in (time, columns.series):
        if taken in values:
            raise InputError(
                "cannot be the values too", remedy="name another --value-column", field=taken
            )
    if columns.series == time:
        raise InputError(
            "is the time and cannot name series", remedy="name another --series-column", field=time
        )
    if (columns.total or columns.only_total) and not columns.series:
        raise InputError(
            "a total needs series to add up",
            remedy="name the column that tells them apart with --series-column",
            field="--total",
        )
    found = [
        f"{word} column {name}"
        for word, name, said in (
            ("time", time, columns.time),
            ("value", ",".join(values), columns.values),
        )
        if not said
    ]
    return Chosen(time, values, columns.series, tuple(found))


def series_name(stem: str, series: str, column: str) -> str:
    """`file`, `file:column`, `file:series` or `file:series:column`; empty parts are left out."""
    return ":".join(printable(part) for part in (stem, series, column) if part)


def printable(name: str) -> str:
    """A name that came from a file or a server, fit for one line."""
    return name if name.isprintable() else repr(name)[1:-1]


def _require(name: str, header: Sequence[str]) -> None:
    if name in header:
        return
    raise InputError(
        f"there is no such column{did_you_mean(name, header)}",
        remedy=f"the file has {listed(header)}",
        field=name,
    )


def _time_column(header: Sequence[str], dated: Sequence[str]) -> str:
    lower = {name.lower(): name for name in reversed(header)}
    named = [lower[name] for name in TIME_NAMES if name in lower]
    return next(iter((*named, *dated, *header)))


def _value_column(time: str, series: str, numeric: Sequence[str]) -> str:
    able = [name for name in numeric if name not in {time, series}]
    if len(able) == 1:
        return able[0]
    if not able:
        raise InputError(
            "there is no column of numbers beside the time",
            remedy="name the time with --time-column and the values with --value-column",
            field="header",
        )
    raise InputError(
        f"{len(able)} columns hold numbers ({listed(able)})",
        remedy="name one or more with --value-column",
        field="header",
    )
