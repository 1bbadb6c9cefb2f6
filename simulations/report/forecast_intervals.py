"""How sure the figures of a backtest are: each with its interval, beside what it is held against.

One series gets a chart of all its horizons; of several, the worst come first, since they are what a
planner has to know. This module must not judge what an interval means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from simulations.report.document import Estimated, IntervalChart
from simulations.report.forecast_times import span_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulations.report.forecast_figures import Figures, Interval, Judged

__all__ = ["reliability", "skill"]

MOST_ROWS: Final = 20
"""Series in a chart of intervals: the table beside it has them all."""


def reliability(series: Sequence[Judged]) -> tuple[IntervalChart, ...]:
    """The share of outcomes that each bound held for, with its interval."""
    return tuple(
        IntervalChart(
            title=_titled("How often the 95 % bound held", horizon_s),
            x_label="Outcomes at or below the bound, %, with the 95 % interval of that share",
            estimates=tuple(
                _estimated(label, said.coverage, said.coverage_ci) for label, said in told
            ),
            reference=95.0,
            decimals=1,
            caption=_cut(told, left_out, "held for least"),
        )
        for horizon_s, told, left_out in _by_horizon(series, lambda said: said.coverage)
    )


def skill(series: Sequence[Judged]) -> tuple[IntervalChart, ...]:
    """How much less was lost than by the best naive guess, with the interval."""
    return tuple(
        IntervalChart(
            title=_titled("How much less was lost than by the best naive guess", horizon_s),
            x_label="Pinball loss of the 95 % bound saved, %, with its 95 % interval",
            estimates=tuple(_estimated(label, said.skill, said.skill_ci) for label, said in told),
            reference=0.0,
            decimals=1,
            signed=True,
            caption=_cut(told, left_out, "gained least"),
        )
        for horizon_s, told, left_out in _by_horizon(series, lambda said: said.skill)
    )


def _titled(title: str, horizon_s: int | None) -> str:
    return title if horizon_s is None else f"{title}, {span_words(horizon_s)} ahead"


_Told: TypeAlias = "list[tuple[str, Figures]]"


def _by_horizon(
    series: Sequence[Judged], by: Callable[[Figures], float | None]
) -> list[tuple[int | None, _Told, int]]:
    """A chart of all horizons for one series; for several one each, the worst series first."""
    if len(series) == 1:
        (one,) = series
        told = [(f"{span_words(s)} ahead", one.selected(s)) for s in one.horizons_s]
        return [(None, told, 0)]
    found: list[tuple[int | None, _Told, int]] = []
    for horizon_s in sorted({s for one in series for s in one.horizons_s}):
        told = [(one.name, one.selected(horizon_s)) for one in series if _has(one, horizon_s)]
        told.sort(key=lambda pair: _or_last(by(pair[1])))
        found.append((horizon_s, told[:MOST_ROWS], len(told[MOST_ROWS:])))
    return found


def _has(one: Judged, horizon_s: int) -> bool:
    return horizon_s in one.horizons_s


def _or_last(value: float | None) -> float:
    return float("inf") if value is None else value


def _cut(told: _Told, left_out: int, which: str) -> str:
    if not left_out:
        return ""
    return f"The {len(told)} series that it {which}; {left_out} more are in the table."


def _estimated(label: str, share: float | None, between: Interval | None) -> Estimated:
    lo, hi = (None, None) if between is None else (100 * between[0], 100 * between[1])
    return Estimated(label, _percent(share), lo, hi)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
