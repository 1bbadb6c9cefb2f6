"""What both forecast commands are told about series, and the series that come of it.

Columns, steps and kinds are called and explained the same by `backtest` and `run`, and read in one
place. This module must not forecast.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoscaler.forecasters.registry import FORECASTERS, NAIVE
from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings, Kind
from autoscaler.repairs import repairs
from autoscaler.sources.columns import Columns
from autoscaler.sources.files import read_series_file
from autoscaler.store.models import digest
from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import InputError
from gpu_fleet.words import counted, did_you_mean, listed, shown
from simulations.runs.durations import in_words, parse_duration
from simulations.runs.outputs import fingerprint

if TYPE_CHECKING:
    from autoscaler.sources.prometheus import PrometheusRange
    from gpu_fleet.series import Series

__all__ = [
    "KindOption",
    "Models",
    "OneTotal",
    "ReadSeries",
    "Reading",
    "SeriesColumn",
    "SeriesFiles",
    "StepOption",
    "TimeColumn",
    "TimeZone",
    "ValueColumns",
    "WorkersOption",
    "moment",
    "parse_models",
    "read_series",
    "series_spec",
    "series_words",
]

SeriesFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--series", help="History: CSV (.csv, .csv.gz) or Parquet. Repeat for several files."
    ),
]
TimeColumn = Annotated[
    str, typer.Option(help="The column of times; found where it is not given.", show_default=False)
]
ValueColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--value-column", help="A column of values, each a series. Repeat for several columns."
    ),
]
SeriesColumn = Annotated[
    str,
    typer.Option(help="A column that tells series apart, row by row.", show_default=False),
]
OneTotal = Annotated[
    bool, typer.Option("--total", help="Forecast the sum over --series-column too.")
]
TimeZone = Annotated[
    str,
    typer.Option(
        help="Zone of times without an offset: Europe/Berlin. Without it UTC.", show_default=False
    ),
]
StepOption = Annotated[
    str,
    typer.Option(
        help="Resample to this step: 10min, 1h. Without it the samples' own.", show_default=False
    ),
]
KindOption = Annotated[
    str,
    typer.Option(
        "--kind", help="What a sample is: gauge or rate (steps are means), count (sums), counter."
    ),
]
Models = Annotated[
    str,
    typer.Option(help="Forecasters, separated by commas, or all; the naive ones are always there."),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", help="Processes that share the models and series.")
]

YEAR_S = 366 * DAY_S
"""A series that begins in 1970 has no dates: its times count from its own beginning."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Which files are read, or which ranges of a Prometheus, and how."""

    files: tuple[str, ...]
    columns: Columns
    history: HistorySettings
    ranges: tuple[PrometheusRange, ...] = ()

    @classmethod
    def of(
        cls,
        files: list[str] | None,
        ranges: tuple[PrometheusRange, ...] = (),
        *,
        time_column: str,
        value_columns: list[str] | None,
        series_column: str,
        total: bool,
        time_zone: str,
        step: str,
        kind: str,
    ) -> Reading:
        """What the options say."""
        if bool(files) == bool(ranges):
            raise InputError(
                "history comes from one place",
                remedy="give --series FILE, or --prometheus URL with --query",
                field="--series",
            )
        columns = Columns(
            time=time_column,
            values=tuple(value_columns or ()),
            series=series_column,
            total=total,
            zone=time_zone,
        )
        if ranges and columns != Columns():
            raise InputError(
                "columns and zones are a file's, and a Prometheus has none",
                remedy="leave --time-column, --value-column, --series-column, --total, --time-zone",
                field="--prometheus",
            )
        step_s = parse_duration(step, "--step") if step else None
        history = HistorySettings(kind=_kind(kind), step_s=step_s)
        return cls(tuple(files or ()), columns, history, ranges)


@dataclass(frozen=True, slots=True)
class ReadSeries:
    """A series, and where it came from."""

    series: Series
    file: str
    sha256: str
    """Of the file's bytes; of a Prometheus's answer, of the series that was made of it."""
    notes: tuple[str, ...]
    """What was taken for granted."""


def parse_models(text: str) -> tuple[str, ...]:
    """The forecasters that `text` names, the naive ones before them, each once."""
    if text.strip() == "all":
        return tuple(FORECASTERS)
    named = [part.strip() for part in text.split(",")]
    for name in named:
        if name not in FORECASTERS:
            raise InputError(
                f"no forecaster is called {shown(name)}{did_you_mean(name, tuple(FORECASTERS))}",
                remedy=f"give all, or some of {listed(tuple(FORECASTERS))}",
                field="--models",
            )
    return tuple(dict.fromkeys((*NAIVE, *named)))


def read_series(reading: Reading) -> list[ReadSeries]:
    """Every series of every file or range, each under a name of its own."""
    found = [one for file in reading.files for one in _of_file(file, reading)]
    found += [one for asked in reading.ranges for one in _of_range(asked, reading)]
    several = Counter(one.series.name for one in found)
    return [one if several[one.series.name] == 1 else _renamed(one, found) for one in found]


def _of_file(file: str, reading: Reading) -> list[ReadSeries]:
    path = Path(file)
    every = read_series_file(path, reading.columns)
    sha256 = fingerprint(path)
    return [
        ReadSeries(series_of(samples, reading.history), file, sha256, samples.notes)
        for samples in every
    ]


def _of_range(asked: PrometheusRange, reading: Reading) -> list[ReadSeries]:
    read = [(series_of(samples, reading.history), samples) for samples in asked.read()]
    return [
        ReadSeries(series, samples.source, digest(series), samples.notes)
        for series, samples in read
    ]


def _renamed(one: ReadSeries, found: list[ReadSeries]) -> ReadSeries:
    """Two files of one name in different folders: the path tells them apart."""
    alike = [other for other in found if other.series.name == one.series.name]
    if sum(other.file == one.file for other in alike) > 1:
        raise InputError(
            f"series {one.series.name} is there twice",
            remedy="name each file, and ask each query, once",
            file=one.file,
            field="--series",
        )
    return replace(one, series=replace(one.series, name=f"{one.series.name} ({one.file})"))


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise InputError(
            f"{shown(text)} is not known",
            remedy=f"say {', '.join(kind.value for kind in Kind)}",
            field="--kind",
        ) from None


def series_words(read: ReadSeries) -> list[str]:
    """What was read and repaired, for people."""
    series = read.series
    first, last = moment(series, 0), moment(series, len(series) - 1)
    unit = f", {series.unit}" if series.unit else ""
    steps = f"{counted(len(series), 'step')} of {in_words(series.step_s)}{unit}"
    return [
        f"{series.name}: {steps}, from {first} to {last}",
        *(f"  note: {note}" for note in read.notes),
        *(f"  {words}" for words in repairs(series)),
    ]


def moment(series: Series, step: int) -> str:
    """When a step begins: local time, or the day of a series without dates."""
    at_s = series.time_s(step)
    if 0 <= series.start_s < YEAR_S:
        day, rest_s = divmod(at_s, DAY_S)
        return f"day {day} {rest_s // 3_600:02d}:{rest_s % 3_600 // 60:02d}"
    zone = timezone(timedelta(seconds=series.utc_offset_s)) if series.utc_offset_s else UTC
    try:
        return f"{datetime.fromtimestamp(at_s, zone):%Y-%m-%d %H:%M %Z}"
    except (ValueError, OverflowError, OSError):
        return f"{at_s} s"


def series_spec(read: ReadSeries) -> dict[str, object]:
    """What `--json` states about a series."""
    series = read.series
    return {
        "series": series.name,
        "file": read.file,
        "sha256": read.sha256,
        "unit": series.unit,
        "step_s": series.step_s,
        "steps": len(series),
        "start_s": series.start_s,
        "utc_offset_s": series.utc_offset_s,
        "measured": int(series.measured.sum()),
        "notes": list(read.notes),
        "repairs": list(repairs(series)),
    }
