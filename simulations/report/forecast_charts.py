"""A backtest as charts: what came beside what was said, by day, by hour, and who said it.

Long series are shown twice: their last days step by step, and all that was judged in means that fit
a chart. This module must not judge; shares by hour come from `simulations.forecasts.hours`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from simulations.forecasts.hours import by_hour
from simulations.forecasts.result import BEST_NAIVE, SELECTED
from simulations.forecasts.spec import LOW, MIDDLE, UPPER
from simulations.report.document import (
    Band,
    HeatMap,
    HeatMaps,
    LineChart,
    RowGroup,
    Series,
)
from simulations.report.fleet_parts import typeset
from simulations.report.forecast_beside import mean_span_s, means, side_by_side
from simulations.report.forecast_times import Calendar, span_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.report.forecast_beside import Beside
    from simulations.report.forecast_figures import Judged

    Floats = NDArray[np.float64]

__all__ = ["ACTUAL", "choices", "hours", "last_days", "whole_span"]

ACTUAL: Final = "what came"
"""The line of what was measured."""
LAST_DAYS: Final = 7
LEAST_STEPS: Final = 60
MOST_COLUMNS: Final = 150


def last_days(one: Judged) -> LineChart:
    """The last days that were judged, step by step."""
    result, horizon = one.result, one.result.plan.kept[one.shown]
    series, calendar = result.series, Calendar.of(result.series)
    first = max(result.plan.split, len(series) - _last_steps(one))
    night_s = calendar.night_before(first)
    told = side_by_side(one, first, calendar, night_s)
    span = span_words(horizon.horizon_s)
    return LineChart(
        title=f"The last days, as forecast {span} ahead",
        x_label=calendar.axis_label(night_s),
        y_label=_y_label(one),
        series=_lines(told),
        caption=typeset(
            f"What was answered {span} before, with a band from the 5 to the 95 % bound; one "
            "outcome in 20 should lie above it."
        ),
    )


def whole_span(one: Judged) -> tuple[LineChart, ...]:
    """All that was judged, in means; nothing where the last days are all."""
    result, calendar = one.result, Calendar.of(one.result.series)
    first = result.plan.split
    if first >= len(result.series) - _last_steps(one):
        return ()
    night_s = calendar.night_before(0)
    mean_s = mean_span_s(len(result.series) - first, calendar.step_s)
    told = means(side_by_side(one, first, calendar, night_s), mean_s)
    return (
        LineChart(
            title="Everything that was judged",
            x_label=calendar.axis_label(night_s),
            y_label=_y_label(one),
            series=_lines(told),
            caption=(
                f"Means over {span_words(mean_s)}, of what came and of the bounds; what was "
                "answered before is what forecasters learned from."
            ),
            highlight=ACTUAL,
        ),
    )


def _y_label(one: Judged) -> str:
    return one.unit or "Value"


def _last_steps(one: Judged) -> int:
    return max(LAST_DAYS * one.result.series.steps_a_day, LEAST_STEPS)


def _lines(told: Beside) -> tuple[Series, ...]:
    xs = tuple(told.days.tolist())
    said = Series(
        SELECTED,
        xs,
        tuple(told.said[:, MIDDLE].tolist()),
        Band(tuple(told.said[:, LOW].tolist()), tuple(told.said[:, UPPER].tolist())),
    )
    came = Series(ACTUAL, xs, tuple(told.came.tolist()))
    repaired = (
        Series(f"stand-in, {kind.value}", xs, tuple(values.tolist()))
        for kind, values in told.stand_ins.items()
        if np.isfinite(values).any()
    )
    return (said, came, *repaired, *_shifts(told))


def _shifts(told: Beside) -> tuple[Series, ...]:
    """A stem for each moment, from the top down to what there was."""
    at = np.flatnonzero(np.isfinite(told.shifts))
    if not at.size:
        return ()
    # An unknown point after each parts them: they are moments, and no line.
    top = float(np.nanmax(np.concatenate([told.came, told.said[:, UPPER]])))
    ys = [y for value in told.shifts[at].tolist() for y in (max(top, value), value, None)]
    return (Series("level shift noticed", tuple(np.repeat(told.days[at], 3).tolist()), tuple(ys)),)


def hours(one: Judged) -> tuple[LineChart, ...]:
    """Coverage and error by hour of day; nothing where steps are too long to tell hours."""
    result = one.result
    label = f"Hour of the day, {Calendar.of(result.series).clock_name}"
    shown = by_hour(result, SELECTED, one.shown)
    if sum(hour.outcomes > 0 for hour in shown) < 2:  # noqa: PLR2004 - one hour is no comparison
        return ()
    xs = tuple(float(hour.hour) for hour in shown)
    held = tuple(
        Series(
            span_words(horizon_s),
            xs,
            tuple(_percent(hour.coverage) for hour in by_hour(result, SELECTED, k)),
        )
        for k, horizon_s in enumerate(one.horizons_s)
    )
    off = tuple(
        Series(name, xs, tuple(_percent(hour.wape) for hour in by_hour(result, model, one.shown)))
        for name, model in ((SELECTED, SELECTED), ("best naive", BEST_NAIVE))
    )
    return (
        LineChart(
            title="How often the bound held, by hour of day",
            x_label=label,
            y_label="Outcomes at or below the 95 % bound, %",
            series=(*held, Series("asked for", xs, (95.0,) * len(xs))),
            caption="By the hour that was forecast. A bound that fails at one hour only hides in "
            "the mean.",
        ),
        LineChart(
            title=f"How far the middle was off {span_words(one.horizons_s[one.shown])} ahead, "
            "by hour of day",
            x_label=label,
            y_label="Mean error, % of what came at that hour",
            series=off,
        ),
    )


def choices(one: Judged) -> tuple[HeatMaps, ...]:
    """Who made the bound that was answered, and when; nothing where there is one forecaster."""
    result, calendar = one.result, Calendar.of(one.result.series)
    if len(result.models) == 1:
        return ()
    scored = result.origins >= result.plan.split
    origins = result.origins[scored]
    night_s = calendar.night_before(0)
    ends = calendar.days(np.array([origins[0], origins[-1] + 1]), night_s)
    return (
        HeatMaps(
            title="Who made the bound",
            legend="Part of this forecaster in the bound",
            maps=tuple(
                HeatMap(
                    title=f"{span_words(horizon_s)} ahead",
                    matrix=_parts(one, k, scored),
                    x_label=calendar.axis_label(night_s),
                    x_range=(float(ends[0]), float(ends[1])),
                    row_groups=tuple(RowGroup(model, 1) for model in result.models),
                    rows_are="forecasters",
                )
                for k, horizon_s in enumerate(one.horizons_s)
            ),
            caption=typeset(
                "The best naive one, unless others have lately lost less: these share it, whoever "
                "lost less having more, and are left out when they stop."
            ),
        ),
    )


def _parts(one: Judged, k: int, scored: NDArray[np.bool_]) -> Floats:
    """Forecasters by columns of time: the mean part of each in the bound in a column's moments."""
    result = one.result
    parts = result.followed.parts[scored, :, k, UPPER].T.copy()
    parts[:, ~np.isfinite(result.said(SELECTED)[scored, k, UPPER])] = np.nan
    columns = np.array_split(parts, min(MOST_COLUMNS, parts.shape[1]), axis=1)
    return np.stack([_mean_of_known(column) for column in columns], axis=1)


def _mean_of_known(column: Floats) -> Floats:
    known = np.isfinite(column[0])
    if not known.any():
        return np.full(len(column), np.nan)
    return np.asarray(column[:, known].mean(axis=1))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
