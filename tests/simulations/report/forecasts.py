"""Backtests made small, and their documents, for tests of the page that shows them.

The forecasts are real, of made-up series; only figures that no small series yields are made up too.
This module must not assert anything.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from simulations.forecasts.rows import json_rows
from simulations.report.forecast import forecast_report
from simulations.report.forecast_figures import Figures, judged
from simulations.report.render import render
from tests.simulations.forecasts.made import days, series_of, studied
from tests.simulations.report.pages import page_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.forecasts.result import SeriesResult
    from simulations.report.forecast_figures import Judged
    from tests.simulations.report.pages import Page

__all__ = ["a_backtest", "content_of", "figures", "html_of", "judged_of", "named", "page_for"]


@cache
def a_backtest() -> SeriesResult:
    """Twenty days of hours, naive forecasters, an hour and a day ahead."""
    return studied(series_of(days()))


def named(name: str, result: SeriesResult | None = None) -> SeriesResult:
    """The same backtest of a series of another name."""
    one = result or a_backtest()
    return replace(one, series=replace(one.series, name=name))


def content_of(results: Sequence[SeriesResult]) -> dict[str, object]:
    """The document that `--json` writes of them, as far as a page reads it."""
    read = [
        {
            "series": one.series.name,
            "file": "made.csv",
            "sha256": "0123456789abcdef" * 4,
            "horizons": [{"horizon_s": horizon.horizon_s} for horizon in one.plan.horizons],
        }
        for one in results
    ]
    return {
        "command": "forecast backtest",
        "version": "1",
        "spec": {"series": read},
        "rows": json_rows(results),
    }


def html_of(results: Sequence[SeriesResult], notes: Sequence[str] = ()) -> str:
    """The page, as it is written."""
    return render(forecast_report(results, content_of(results), notes))


def page_for(*results: SeriesResult) -> Page:
    """The page, as a browser reads it."""
    return page_of(html_of(results))


def judged_of(*results: SeriesResult) -> tuple[Judged, ...]:
    """The series with their figures."""
    return judged(results, json_rows(results))


def figures(
    *,
    coverage: float | None = 0.95,
    skill: float | None = 0.25,
    skill_ci: tuple[float, float] | None = (0.2, 0.3),
    horizon_s: int = 3_600,
    width: float = 10.0,
) -> Figures:
    """What was answered at one horizon, out of 100 GPUs."""
    return Figures(
        model="selected",
        horizon_s=horizon_s,
        loss=1.0,
        coverage=coverage,
        coverage_ci=None if coverage is None else (coverage - 0.01, min(1.0, coverage + 0.01)),
        accuracy=0.9,
        width=width,
        over_provision=width,
        mean_value=100.0,
        naive="last-value",
        skill=skill,
        skill_ci=skill_ci,
        choices={"last-value": 1.0},
        origins=240,
        days=10.0,
        fit_s=0.1,
    )


def with_figures(one: Figures) -> Judged:
    """The backtest, but for what was answered an hour ahead."""
    (judged_one,) = judged_of(a_backtest())
    return replace(judged_one, figures={**judged_one.figures, ("selected", one.horizon_s): one})


def zeros(count: int = 20) -> SeriesResult:
    """Days on which nobody wanted anything."""
    return studied(series_of(np.zeros(count * 24)))
