"""A backtest as tables: what was read and repaired, who did how well, and all of it in short.

This module must not compute: figures are those of the rows, repairs those of the series' marks.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from gpu_fleet.series import MarkKind
from gpu_fleet.words import counted
from simulations.forecasts.result import SELECTED
from simulations.report.document import Column, Table
from simulations.report.forecast_times import Calendar, span_words
from simulations.report.forecast_words import gain_of, held_of
from simulations.report.numbers import interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpu_fleet.series import Mark, Series
    from simulations.report.document import Cell
    from simulations.report.forecast_figures import Figures, Interval, Judged

__all__ = ["in_short", "rankings", "repairs", "what_was_read"]

MOST_MARKS: Final = 30
SINGLY: Final = (MarkKind.GAP, MarkKind.OUTAGE, MarkKind.RESET, MarkKind.LEVEL_SHIFT)
"""What a planner may remember; what else was noticed is counted."""
COUNTED: Final = (
    MarkKind.GAP,
    MarkKind.OUTAGE,
    MarkKind.LEVEL_SHIFT,
    MarkKind.RESET,
    MarkKind.PARTIAL,
    MarkKind.DUPLICATE,
    MarkKind.UNORDERED,
)


def in_short(series: Sequence[Judged]) -> Table:
    """Each series and horizon in a line."""
    units = dict.fromkeys(one.unit for one in series)
    return Table(
        title="In short",
        columns=(
            *((Column("Series"),) if len(series) > 1 else ()),
            Column("Ahead", text=False),
            Column("Saved", unit="% of loss", decimals=1, signed=True),
            Column("95 % interval", unit="% of loss", text=False),
            Column("Forecasting pays", text=False),
            Column("Held", unit="%", decimals=1),
            Column("Bound holds", text=False),
            Column("Above middle", unit=next(iter(units)) if len(units) == 1 else "units"),
            Column("The same", unit="% of demand", decimals=1),
        ),
        rows=tuple(
            (*((one.name,) if len(series) > 1 else ()), *_short_row(one.selected(horizon_s)))
            for one in series
            for horizon_s in one.horizons_s
        ),
        caption=(
            "Of what would have been answered. Saved: how much less its bound lost than that of "
            "the best naive guess. Held: how much of the time demand was within the bound. "
            "Above middle: the bound less the middle, on average."
        ),
    )


def _short_row(said: Figures) -> tuple[Cell, ...]:
    return (
        span_words(said.horizon_s),
        _percent(said.skill),
        _between(said.skill_ci, 1, signed=True),
        gain_of(said).value,
        _percent(said.coverage),
        held_of(said).value,
        said.width,
        _percent(said.width_share),
    )


def rankings(one: Judged) -> tuple[Table, ...]:
    """For each horizon all forecasters, the least loss first."""
    return tuple(_ranking(one, horizon_s) for horizon_s in one.horizons_s)


def _ranking(one: Judged, horizon_s: int) -> Table:
    said = [one.figures[model, horizon_s] for model in (SELECTED, *one.result.models)]
    said.sort(key=lambda figures: np.inf if figures.loss is None else figures.loss)
    choices = one.selected(horizon_s).choices
    return Table(
        title=f"Forecasters {span_words(horizon_s)} ahead",
        columns=(
            Column("Forecaster"),
            Column("Loss", unit="pinball"),
            Column("Saved", unit="%", decimals=1, signed=True),
            Column("95 % interval", unit="%", text=False),
            Column("Held", unit="%", decimals=1),
            Column("95 % interval", unit="%", text=False),
            Column("Above middle", unit=one.unit),
            Column("Not needed", unit=one.unit),
            Column("Off by", unit="%", decimals=1),
            Column("Part", unit="%", decimals=0),
        ),
        rows=tuple(_ranked_row(figures, choices.get(figures.model)) for figures in said),
        caption=_ranking_caption(one, horizon_s),
        highlight=next(at for at, figures in enumerate(said) if figures.model == SELECTED),
    )


def _ranked_row(said: Figures, part: float | None) -> tuple[Cell, ...]:
    is_best_naive = said.model == said.naive
    return (
        f"{said.model}, best naive" if is_best_naive else said.model,
        said.loss,
        "-" if is_best_naive else _percent(said.skill),
        "-" if is_best_naive else _between(said.skill_ci, 0, signed=True),
        _percent(said.coverage),
        _between(said.coverage_ci, 1),
        said.width,
        said.over_provision,
        _percent(None if said.accuracy is None else 1 - said.accuracy),
        "-" if said.model == SELECTED else 100 * (part or 0.0),
    )


def _ranking_caption(one: Judged, horizon_s: int) -> str:
    said = one.selected(horizon_s)
    words = f"{counted(said.origins, 'outcome')} over {said.days:.1f} days."
    refused = "".join(
        f" {told.name} refused: {told.refusal.rstrip('.')}."
        for told in one.result.told
        if told.refusal
    )
    return (
        f"{words} Saved: loss less than that of the best naive one. Above middle: the bound less "
        "the middle. Not needed: what the bound held ready in vain. "
        f"Off by: the middle, of demand. Part: its own in what was answered, on average.{refused}"
    )


def what_was_read(series: Sequence[Judged]) -> Table:
    """The series as they came out of the file, with how much of them was measured."""
    counts = [_marked_steps(one.result.series) for one in series]
    kinds = [kind for kind in COUNTED if any(kind in count for count in counts)]
    return Table(
        title="The series",
        columns=(
            Column("Series"),
            Column("From", text=False),
            Column("To", text=False),
            Column("Step", text=False),
            Column("Steps"),
            Column("Mean"),
            Column("Most"),
            Column("Unit", text=False),
            Column("Measured", unit="% of steps", decimals=1),
            *(Column(kind.value.capitalize(), unit="steps") for kind in kinds),
        ),
        rows=tuple(
            (*_read_row(one), *(float(count[kind]) for kind in kinds))
            for one, count in zip(series, counts, strict=True)
        ),
        caption=(
            "Steps that were not measured hold stand-ins made from the past; they are neither "
            "learned from as outcomes nor judged by."
        ),
    )


def _read_row(one: Judged) -> tuple[Cell, ...]:
    series, calendar = one.result.series, Calendar.of(one.result.series)
    measured = series.values[series.measured]
    return (
        one.name,
        calendar.moment(0),
        calendar.moment(len(series)),
        span_words(series.step_s),
        float(len(series)),
        float(measured.mean()) if measured.size else None,
        float(measured.max()) if measured.size else None,
        one.unit,
        100 * float(series.measured.mean()),
    )


def _marked_steps(series: Series) -> Counter[MarkKind]:
    count: Counter[MarkKind] = Counter()
    for mark in series.marks:
        count[mark.kind] += mark.last - mark.first + 1
    return count


def repairs(one: Judged) -> tuple[Table, ...]:
    """What was noticed, moment by moment; nothing where nothing was."""
    series, calendar = one.result.series, Calendar.of(one.result.series)
    marks = [mark for mark in series.marks if mark.kind in SINGLY]
    if not marks:
        return ()
    left_out = len(marks) - MOST_MARKS
    shown = sorted(sorted(marks, key=_length, reverse=True)[:MOST_MARKS], key=lambda m: m.first)
    return (
        Table(
            title="What was noticed in it, and repaired",
            columns=(
                Column("From", text=True),
                Column("What", text=True),
                Column("Lasted", text=True),
                Column("In words", text=True),
            ),
            rows=tuple(
                (
                    calendar.moment(mark.first),
                    mark.kind.value,
                    "-"
                    if mark.kind is MarkKind.LEVEL_SHIFT
                    else span_words(_length(mark) * series.step_s),
                    mark.detail,
                )
                for mark in shown
            ),
            caption=(
                "A gap and an outage are filled by stand-ins; a level shift is only noticed."
                + (
                    f" The longest {MOST_MARKS}; {left_out} shorter ones are left out."
                    if left_out > 0
                    else ""
                )
            ),
        ),
    )


def _length(mark: Mark) -> int:
    return mark.last - mark.first + 1


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _between(share: Interval | None, places: int, *, signed: bool = False) -> Cell:
    if share is None:
        return None
    return interval(100 * share[0], 100 * share[1], places, signed=signed)
