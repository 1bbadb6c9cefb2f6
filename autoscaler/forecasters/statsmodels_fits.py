"""The one door to statsmodels: numbers go in, smoothing weights and seasonal patterns come out.

The library is imported by the first call, since that takes a second that most commands need not
spend, and what it warns of is not printed: a form that cannot be fitted is one form fewer. Only
plain numbers leave. This module must not know what it smooths.
"""

from __future__ import annotations

import importlib
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["fewest_values", "seasons", "smoothing_weights"]

FORMS: tuple[dict[str, object], ...] = (
    {},
    {"trend": "add"},
    {"trend": "add", "damped_trend": True},
)
"""A level alone, with a trend, and with a trend that fades."""
TREND, FADING = "smoothing_trend", "damping_trend"
MOST_ITERATIONS = 200
CYCLES = 51
"""A pattern changes over so many cycles: with fewer it would repeat the noise of the last one."""


def fewest_values() -> int:
    """How many values smoothing weights need at least."""
    return 20


def smoothing_weights(
    values: NDArray[np.float64], *, trend: bool
) -> tuple[float, float, float] | None:
    """The weights of level and trend and how fast the trend fades, of the form with least AICc.

    None where no form can be fitted.
    """
    found: list[tuple[float, tuple[float, float, float]]] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for form in FORMS if trend else FORMS[:1]:
            fit = _fit(values, form)
            if fit is not None:
                found.append(fit)
    return min(found)[1] if found else None


def seasons(
    values: NDArray[np.float64], periods: Sequence[int], jump: int
) -> list[NDArray[np.float64]]:
    """The last cycle of each period's pattern (MSTL), of which every `jump`th step is fitted."""
    windows = (CYCLES,) * len(periods)
    jumps = {"seasonal_jump": jump, "trend_jump": jump, "low_pass_jump": jump}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model = _library("statsmodels.tsa.seasonal").MSTL
        parts = np.asarray(
            model(values, periods=tuple(periods), windows=windows, stl_kwargs=jumps).fit().seasonal
        )
    columns = parts.reshape(len(values), -1).T
    return [
        np.array(column[len(values) - period :], dtype=np.float64)
        for column, period in zip(columns, periods, strict=True)
    ]


def _fit(
    values: NDArray[np.float64], form: dict[str, object]
) -> tuple[float, tuple[float, float, float]] | None:
    start: dict[str, object] = {"initial_trend": 0.0} if form else {}
    try:
        model = _library("statsmodels.tsa.exponential_smoothing.ets").ETSModel(
            values,
            error="add",
            initialization_method="known",
            initial_level=float(values[0]),
            **form,
            **start,
        )
        fit = model.fit(disp=False, maxiter=MOST_ITERATIONS)
    except (ArithmeticError, ValueError, np.linalg.LinAlgError):
        return None
    told = dict(
        zip(fit.param_names, np.asarray(fit.params, dtype=np.float64).tolist(), strict=True)
    )
    weights = (
        told["smoothing_level"],
        told.get(TREND, 0.0),
        told.get(FADING, 1.0 if TREND in told else 0.0),
    )
    score = float(fit.aicc)
    return (score, weights) if np.isfinite([score, *weights]).all() else None


@cache
def _library(name: str) -> Any:  # noqa: ANN401 - a library without types, of which we use two names
    return importlib.import_module(name)
