"""The rows of a backtest as typed figures, beside the series that they are of.

The page shows what the JSON says and nothing else, so it reads the very rows that `--json` writes.
This module must not compute a figure that a row lacks, except to compare two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Final, TypeAlias

from simulations.forecasts.result import BEST_NAIVE, SELECTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.forecasts.result import SeriesResult

__all__ = ["Figures", "Interval", "Judged", "judged"]

Interval: TypeAlias = tuple[float, float]
Row: TypeAlias = "Mapping[str, object]"

USUAL_LEAD_S: Final = 3_600
"""Charts show one horizon: the one next to an hour, in which a cloud brings a node with room to
spare."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One model at one horizon; what is None is not known."""

    model: str
    horizon_s: int
    loss: float | None
    """The mean pinball loss of the upper bound."""
    coverage: float | None
    coverage_ci: Interval | None
    accuracy: float | None
    """1 - WAPE of the middle."""
    width: float | None
    """The upper bound above the middle, on average."""
    over_provision: float | None
    mean_value: float | None
    naive: str
    """The best naive one at this horizon."""
    skill: float | None
    """The share that it loses less than the best naive one."""
    skill_ci: Interval | None
    choices: Mapping[str, float]
    origins: int
    days: float
    fit_s: float | None

    @property
    def width_share(self) -> float | None:
        """The width as a share of mean demand."""
        if self.width is None or not self.mean_value or self.mean_value < 0:
            return None
        return self.width / self.mean_value


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One series: everything that was said, and how good it was."""

    result: SeriesResult
    figures: Mapping[tuple[str, int], Figures]
    """By model (also `selected`, `best_naive`) and horizon in seconds."""

    @property
    def name(self) -> str:
        """The name of the series."""
        return self.result.series.name

    @property
    def unit(self) -> str:
        """What its values count."""
        return self.result.series.unit

    @property
    def horizons_s(self) -> tuple[int, ...]:
        """The horizons that were judged, the nearest first."""
        return tuple(horizon.horizon_s for horizon in self.result.plan.kept)

    @property
    def shown(self) -> int:
        """Which of them the charts show."""
        far = [abs(log(horizon_s / USUAL_LEAD_S)) for horizon_s in self.horizons_s]
        return far.index(min(far))

    def selected(self, horizon_s: int) -> Figures:
        """What would have been answered."""
        return self.figures[SELECTED, horizon_s]

    def best_naive(self, horizon_s: int) -> Figures:
        """The naive forecaster that lost least."""
        return self.figures[BEST_NAIVE, horizon_s]


def judged(results: Sequence[SeriesResult], rows: Sequence[Row]) -> tuple[Judged, ...]:
    """Each series with its rows; rows are in the order of `simulations.forecasts.rows`."""
    left = iter(rows)
    found = []
    for result in results:
        own = [
            _figures(next(left))
            for _ in result.plan.kept
            for _ in (SELECTED, BEST_NAIVE, *result.models)
        ]
        found.append(Judged(result, {(one.model, one.horizon_s): one for one in own}))
    return tuple(found)


def _figures(row: Row) -> Figures:
    choices = row["choices"]
    return Figures(
        model=str(row["model"]),
        horizon_s=int(_number(row["horizon_s"]) or 0),
        loss=_number(row["pinball95"]),
        coverage=_number(row["coverage95"]),
        coverage_ci=_interval(row["coverage95_ci95"]),
        accuracy=_number(row["accuracy"]),
        width=_number(row["mean_width"]),
        over_provision=_number(row["mean_over_provision"]),
        mean_value=_number(row["mean_value"]),
        naive=str(row["naive"]),
        skill=_number(row["skill"]),
        skill_ci=_interval(row["skill_ci95"]),
        choices=(
            {str(name): _number(share) or 0.0 for name, share in choices.items()}
            if isinstance(choices, dict)
            else {}
        ),
        origins=int(_number(row["origins"]) or 0),
        days=_number(row["days"]) or 0.0,
        fit_s=_number(row["fit_s"]),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _interval(value: object) -> Interval | None:
    match value:
        case [lo, hi]:
            low, high = _number(lo), _number(hi)
            return None if low is None or high is None else (low, high)
    return None
