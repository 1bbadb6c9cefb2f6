"""The names of the forecasters, and who answers to them.

The command line, the settings and a stored model know a forecaster by its name only; here the name
becomes the thing. This module must not choose between forecasters or import a heavy library.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from autoscaler.forecasters.boosted import Boosted
from autoscaler.forecasters.ensemble import Ensemble
from autoscaler.forecasters.ets import Ets
from autoscaler.forecasters.last_value import LastValue
from autoscaler.forecasters.mstl import Mstl
from autoscaler.forecasters.seasonal_naive import SeasonalNaive
from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gpu_fleet.forecasts import Forecaster

__all__ = ["FORECASTERS", "NAIVE", "Entry", "forecaster"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A forecaster by name."""

    help: str
    """What it does, in one line."""
    make: Callable[[int], Forecaster]
    """Makes it; takes how many threads it may use, which never changes what it says."""


FORECASTERS: Mapping[str, Entry] = MappingProxyType(
    {
        "last-value": Entry(
            "what is now will be then",
            lambda _: LastValue(),
        ),
        "seasonal-naive": Entry(
            "what was at this time yesterday will be again",
            lambda _: SeasonalNaive(),
        ),
        "seasonal-naive-week": Entry(
            "what was at this time a week ago will be again",
            lambda _: SeasonalNaive("seasonal-naive-week", 7),
        ),
        "ets": Entry(
            "exponential smoothing: the level of lately, with a trend where there was one",
            lambda _: Ets(),
        ),
        "mstl": Entry(
            "daily and weekly patterns on a level that follows the series",
            lambda _: Mstl(),
        ),
        "lightgbm": Entry(
            "gradient-boosted quantiles of lags, habits and the calendar",
            lambda threads: Boosted(threads=threads),
        ),
        "ensemble": Entry(
            "the middle of lightgbm, mstl and last-value",
            lambda threads: Ensemble((Boosted(threads=threads), Mstl(), LastValue())),
        ),
    }
)

NAIVE = ("last-value", "seasonal-naive", "seasonal-naive-week")
"""The guesses that every other forecaster has to beat."""


def forecaster(name: str, threads: int = 1) -> Forecaster:
    """The forecaster of this name."""
    if name not in FORECASTERS:
        raise InputError(
            f"no forecaster is called {name!r}",
            field="model",
            remedy=f"give one of {', '.join(FORECASTERS)}",
        )
    return FORECASTERS[name].make(threads)
