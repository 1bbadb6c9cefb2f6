"""What `forecast run` prints: what was read, where demand was, what comes, and why that is said.

This module must not compute a figure that the forecast lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulations.commands.forecast_options import moment, series_words
from simulations.forecasts.spec import Horizon
from simulations.runs.durations import in_words
from simulations.runs.outputs import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpu_fleet.forecasts import Answer, Forecast
    from gpu_fleet.series import Series
    from simulations.commands.forecast_options import ReadSeries

__all__ = ["sparkline", "words"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_MOST_CELLS = 72
_DAYS_SHOWN = 3
_LEGEND = """\
  likely     as likely to be more as to be less
  at most    19 times in 20; hold this ready
  held       how often that bound was kept so far, over the last part of the history
  naive      the bound of the best naive forecaster, from its own errors"""


def words(
    read: Sequence[ReadSeries], forecasts: Sequence[Forecast], horizons_s: Sequence[int]
) -> str:
    """What the command prints for people."""
    parts = [
        line
        for one, made in zip(read, forecasts, strict=True)
        for line in (*_of_series(one, made, horizons_s), "")
    ]
    return "\n".join((*parts, _LEGEND))


def _of_series(read: ReadSeries, made: Forecast, horizons_s: Sequence[int]) -> list[str]:
    series = read.series
    shown = min(len(series), max(1, _DAYS_SHOWN * series.steps_a_day))
    least, most = series.values[-shown:].min(), series.values[-shown:].max()
    columns = ("ahead", "when", "what", "at least", "likely", "at most", "naive", "held %", "by")
    return [
        *series_words(read),
        *_rounded(series, horizons_s),
        "",
        f"  the last {in_words(shown * series.step_s)}, from {least:.4g} to {most:.4g}:",
        f"  {sparkline(series, shown)}",
        "",
        table(columns, [_cells(series, answer) for answer in made.answers]),
        "",
        *(f"  {line}" for line in dict.fromkeys(map(_why, made.answers))),
        *(f"  {one}" for one in made.unanswered),
    ]


def _rounded(series: Series, horizons_s: Sequence[int]) -> list[str]:
    horizons = [Horizon.of(asked_s, series.step_s) for asked_s in horizons_s]
    return [
        f"  {in_words(horizon.asked_s)} is less than whole steps; "
        f"{in_words(horizon.horizon_s)} is taken"
        for horizon in horizons
        if horizon.asked_s != horizon.horizon_s
    ]


def _cells(series: Series, answer: Answer) -> tuple[str, ...]:
    low, middle, high = answer.quantiles
    naive = f"{answer.naive_quantiles[-1]:.4g}" if answer.naive_quantiles else "-"
    # The step that is forecast begins so many steps after the last known one began.
    return (
        in_words(answer.horizon_s),
        moment(series, len(series) - 1 + answer.target.ahead),
        "most until then" if answer.target.peak else "then",
        f"{low:.4g}",
        f"{middle:.4g}",
        f"{high:.4g}",
        naive,
        "-" if answer.held is None else f"{100 * answer.held:.1f} of {answer.outcomes}",
        answer.by,
    )


def _why(answer: Answer) -> str:
    what = "most until then" if answer.target.peak else "then"
    return f"{in_words(answer.horizon_s)}, {what}: {answer.by}: {answer.reason}"


def sparkline(series: Series, count: int) -> str:
    """The last steps as a row of blocks from 0, or the least, to the most; `?` for stand-ins."""
    values, measured = series.values[-count:], series.measured[-count:]
    edges = np.linspace(0, len(values), min(len(values), _MOST_CELLS) + 1).astype(np.int64)
    floor = min(0.0, float(values.min()))
    span = float(values.max()) - floor
    cells = []
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if not measured[first:end].any():
            cells.append("?")
            continue
        share = 0.0 if span <= 0 else (float(values[first:end].mean()) - floor) / span
        cells.append(_BLOCKS[min(len(_BLOCKS) - 1, int(share * len(_BLOCKS)))])
    return "".join(cells)
