"""`synthscale forecast backtest`: whether forecasts would have held, and beaten a naive guess.

Shell: reads series, lets every model walk through each of them, writes what came.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gpu_fleet.errors import InputError
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
from simulations.commands.forecast_words import words
from simulations.commands.options import JsonPath, ReportPath
from simulations.forecasts.result import SeriesResult, result_of
from simulations.forecasts.rows import json_rows
from simulations.forecasts.spec import BacktestSpec, StudyPlan
from simulations.runs.durations import parse_durations
from simulations.runs.outputs import document
from simulations.runs.progress import Progress
from simulations.runs.publish import Destinations, publish
from simulations.runs.sweep import sweep, workers
from simulations.runs.walks import Kept, WalkTask, checked_folder, kept_in_words, take

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from simulations.report.document import Report

__all__ = ["Experiment", "Outcome", "command", "run_experiment", "spec_of"]


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that `forecast backtest` was asked for."""

    reading: Reading
    read: tuple[ReadSeries, ...]
    spec: BacktestSpec
    folder: Path | None = None
    """Where finished walks are kept."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    results: list[SeriesResult]
    left_out: list[tuple[ReadSeries, str]]
    """Series that are too short for every horizon, and why."""
    resumed: tuple[str, ...] = ()
    """What was found of an earlier run, in words."""


def command(
    series: SeriesFiles = None,
    time_column: TimeColumn = "",
    value_column: ValueColumns = None,
    series_column: SeriesColumn = "",
    total: OneTotal = False,
    time_zone: TimeZone = "",
    step: StepOption = "",
    kind: KindOption = "gauge",
    horizons: Annotated[
        str, typer.Option(help="How far ahead; each is rounded up to whole steps.")
    ] = "10min,1h,24h",
    split: Annotated[
        float, typer.Option(help="Share of each series that comes before anything is judged.")
    ] = 0.6,
    models: Models = "all",
    workers_: WorkersOption = 1,
    prometheus: PrometheusUrl = "",
    query: Queries = None,
    last: LastOption = "28d",
    until: UntilOption = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    resume: Annotated[
        str | None,
        typer.Option(help="Keep each finished walk in this folder, and go on from what is there."),
    ] = None,
    json_path: JsonPath = None,
    report: ReportPath = None,
) -> None:
    """Walk through history, forecast at every step, and compare with what came."""
    to = Destinations.checked(json_path, report)
    spec = BacktestSpec(
        models=parse_models(models),
        horizons_s=parse_durations(horizons, "--horizons"),
        split=split,
    )
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
        experiment = Experiment(reading, read, spec, checked_folder(resume))
        outcome = run_experiment(experiment, executor)
    _publish(experiment, outcome, to)


def run_experiment(
    experiment: Experiment, executor: Executor | None, *, shown: bool = True
) -> Outcome:
    """Every model through every series, in that order whatever the executor does."""
    planned, left_out = _plans(experiment)
    spec = experiment.spec
    tasks = [
        WalkTask(
            series=read.series,
            model=model,
            targets=plan.targets,
            levels=spec.levels,
            plan=plan.walk,
            folder=experiment.folder,
        )
        for read, plan in planned
        for model in spec.models
    ]
    kept = sweep(take, tasks, executor, Progress("forecasting", shown))
    count = len(spec.models)
    walked = [
        (read, plan, kept[at * count : (at + 1) * count]) for at, (read, plan) in enumerate(planned)
    ]
    results = sweep(partial(_followed, spec), walked, executor, Progress("choosing", shown))
    return Outcome(results, left_out, kept_in_words(kept) if experiment.folder else ())


def _plans(
    experiment: Experiment,
) -> tuple[list[tuple[ReadSeries, StudyPlan]], list[tuple[ReadSeries, str]]]:
    """What is asked of each series, and which are too short; raises where all of them are."""
    planned: list[tuple[ReadSeries, StudyPlan]] = []
    left_out: list[tuple[ReadSeries, str]] = []
    for read in experiment.read:
        try:
            planned.append((read, experiment.spec.plan(read.series)))
        except InputError as complaint:
            if len(experiment.read) == 1:
                raise complaint.within(read.file) from None
            left_out.append((read, complaint.problem))
    if not planned:
        raise InputError(
            f"all {len(left_out)} series are too short; the first: {left_out[0][1]}",
            remedy="give longer series, a nearer horizon or a finer --step",
            field="--horizons",
        )
    return planned, left_out


def _followed(
    spec: BacktestSpec, walked: tuple[ReadSeries, StudyPlan, Sequence[Kept]]
) -> SeriesResult:
    read, plan, kept = walked
    return result_of(read.series, spec, plan, [one.told for one in kept])


# -- output --------------------------------------------------------------------------------------


def spec_of(experiment: Experiment, outcome: Outcome) -> dict[str, object]:
    """Everything that decides the result, as `--json` states it."""
    plans = {result.series.name: result.plan for result in outcome.results}
    spec, history, columns = experiment.spec, experiment.reading.history, experiment.reading.columns
    return {
        "series": [
            {**series_spec(read), **_plan_spec(plans.get(read.series.name))}
            for read in experiment.read
        ],
        "kind": history.kind.value,
        "step_s": history.step_s,
        "time_column": columns.time or None,
        "value_columns": list(columns.values),
        "series_column": columns.series or None,
        "total": columns.total,
        "time_zone": columns.zone or None,
        "horizons_s": list(spec.horizons_s),
        "split": spec.split,
        "models": list(spec.models),
        "levels": list(spec.levels),
        "most_refits": spec.most_refits,
    }


def _plan_spec(plan: StudyPlan | None) -> dict[str, object]:
    """What was asked of a series; nothing of one that is too short for every horizon."""
    if plan is None:
        return {"horizons": [], "first_origin": None, "split_origin": None, "refits": 0}
    return {
        "horizons": [
            {
                "asked_s": horizon.asked_s,
                "horizon_s": horizon.horizon_s,
                "left_out": horizon.too_short or None,
            }
            for horizon in plan.horizons
        ],
        "first_origin": plan.walk.first,
        "split_origin": plan.split,
        "refits": len(plan.walk.refits),
    }


def _publish(experiment: Experiment, outcome: Outcome, to: Destinations) -> None:
    rows = json_rows(outcome.results)
    to.say(words(experiment.read, outcome.results, outcome.left_out, outcome.resumed, rows))
    content = document("forecast backtest", spec_of(experiment, outcome), rows)

    def report() -> Report:
        from simulations.report.forecast import forecast_report  # noqa: PLC0415 - only when asked

        notes = [f"{read.series.name}: {note}" for read in experiment.read for note in read.notes]
        return forecast_report(outcome.results, content, notes)

    publish(to, content, (), report)
