"""`synthscale forecast run`: what comes next, between which bounds, and why that is believed.

Shell: reads series, lets every model walk through the last part of each, writes what is said at
the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from autoscaler.forecast import ForecastSettings, forecast_of, recent_walk
from autoscaler.forecasters.registry import NAIVE
from gpu_fleet.errors import InputError
from gpu_fleet.forecasts import Forecast, Target
from simulations.commands.forecast_options import (
    KindOption,
    Models,
    OneTotal,
    Reading,
    ReadSeries,
    SeriesColumn,
    SeriesFiles,
    StepOption,
    TimeColumn,
    TimeZone,
    ValueColumns,
    WorkersOption,
    parse_models,
    read_series,
    series_spec,
)
from simulations.commands.forecast_prometheus import (
    CaFile,
    LastOption,
    PrometheusUrl,
    Queries,
    TokenFile,
    UntilOption,
    ranges,
)
from simulations.commands.forecast_run_words import words
from simulations.commands.options import JsonPath
from simulations.forecasts.run_rows import json_rows
from simulations.forecasts.spec import LONGEST_HORIZON_S, Horizon
from simulations.runs.durations import parse_duration
from simulations.runs.outputs import check_writable, document, say, write_json
from simulations.runs.progress import Progress
from simulations.runs.sweep import sweep, workers
from simulations.runs.walks import WalkTask, take

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Experiment", "command", "run_experiment", "spec_of"]


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that `forecast run` was asked for."""

    reading: Reading
    read: tuple[ReadSeries, ...]
    horizons_s: tuple[int, ...]
    models: tuple[str, ...]
    settings: ForecastSettings


def command(
    series: SeriesFiles = None,
    horizon: Annotated[
        list[str] | None,
        typer.Option(
            help="How far ahead, rounded up to whole steps: 10min, 1h (without it), 24h. Repeat."
        ),
    ] = None,
    time_column: TimeColumn = "",
    value_column: ValueColumns = None,
    series_column: SeriesColumn = "",
    total: OneTotal = False,
    time_zone: TimeZone = "",
    step: StepOption = "",
    kind: KindOption = "gauge",
    models: Models = "all",
    workers_: WorkersOption = 1,
    prometheus: PrometheusUrl = "",
    query: Queries = None,
    last: LastOption = "28d",
    until: UntilOption = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    json_path: JsonPath = None,
) -> None:
    """Forecast what comes after the last sample, and say why it is believed."""
    check_writable(json_path)
    horizons_s = tuple(_horizon(text) for text in horizon or ["1h"])
    named = parse_models(models)
    asked = ranges(
        prometheus,
        query,
        last=last,
        until=until,
        step=step,
        token_file=token_file,
        ca_file=ca_file,
    )
    reading = Reading.of(
        series,
        asked,
        time_column=time_column,
        value_columns=value_column,
        series_column=series_column,
        total=total,
        time_zone=time_zone,
        step=step,
        kind=kind,
    )
    with workers(workers_) as executor:
        read = tuple(read_series(reading))
        experiment = Experiment(reading, read, horizons_s, named, ForecastSettings())
        forecasts = run_experiment(experiment, executor)
    say(words(read, forecasts, horizons_s), json_path)
    write_json(
        json_path, document("forecast run", spec_of(experiment, forecasts), json_rows(forecasts))
    )


def _horizon(text: str) -> int:
    asked_s = parse_duration(text, "--horizon")
    if asked_s > LONGEST_HORIZON_S:
        raise InputError(
            f"{asked_s:,} s ahead is not possible", remedy="give a year or less", field="--horizon"
        )
    return asked_s


def run_experiment(experiment: Experiment, executor: Executor | None) -> list[Forecast]:
    """A forecast of each series, in their order whatever the executor does."""
    settings = experiment.settings
    asked = [_targets(read, experiment.horizons_s) for read in experiment.read]
    plans = [
        recent_walk(read.series, targets, settings)
        for read, targets in zip(experiment.read, asked, strict=True)
    ]
    tasks = [
        WalkTask(read.series, model, targets, settings.levels, plan)
        for read, targets, plan in zip(experiment.read, asked, plans, strict=True)
        for model in experiment.models
    ]
    told = [kept.told for kept in sweep(take, tasks, executor, Progress("forecasting"))]
    count = len(experiment.models)
    return [
        forecast_of(
            read.series,
            told[at * count : (at + 1) * count],
            NAIVE,
            targets,
            plan,
            settings,
        )
        for at, (read, targets, plan) in enumerate(zip(experiment.read, asked, plans, strict=True))
    ]


def _targets(read: ReadSeries, horizons_s: tuple[int, ...]) -> tuple[Target, ...]:
    """The value at each horizon and, where that is more than a step away, the most until then."""
    steps = sorted({Horizon.of(asked_s, read.series.step_s).ahead for asked_s in horizons_s})
    return tuple(
        Target(ahead, peak) for ahead in steps for peak in (False, True)[: 1 + (ahead > 1)]
    )


def spec_of(experiment: Experiment, forecasts: list[Forecast]) -> dict[str, object]:
    """Everything that decides the result, as `--json` states it."""
    history, columns = experiment.reading.history, experiment.reading.columns
    return {
        "series": [
            {**series_spec(read), "origin_s": made.origin_s}
            for read, made in zip(experiment.read, forecasts, strict=True)
        ],
        "kind": history.kind.value,
        "step_s": history.step_s,
        "time_column": columns.time or None,
        "value_columns": list(columns.values),
        "series_column": columns.series or None,
        "total": columns.total,
        "time_zone": columns.zone or None,
        "horizons_s": list(experiment.horizons_s),
        "models": list(experiment.models),
        "levels": list(experiment.settings.levels),
    }
