"""The one door to lightgbm: rows and labels go in, trees as text come out, and text is heard again.

Boosted trees are kept as text, never pickled, so that a stored model is data and not a program. The
library is imported by the first call, since that takes a second that most commands need not spend.
This module must not know what a row means.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autoscaler.forecasters import stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Growth", "Rows", "Trees"]

FIRST_LINE = "tree\n"
LAST_PART = "\nend of trees\n"
BINS = 63


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees are grown: few leaves and many rows in each, for series are short."""

    rounds: int
    leaves: int
    least_rows: int
    """Rows in a leaf; with fewer it would learn single events."""
    objective: str
    level: float = 0.5
    """The quantile that is learned, where the objective is one."""
    rate: float = 0.1

    def settings(self, threads: int) -> dict[str, object]:
        """What lightgbm is told. Rows and columns are drawn by a fixed seed."""
        return {
            **_common(threads),
            "objective": self.objective,
            "alpha": self.level,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.least_rows,
            "learning_rate": self.rate,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "feature_fraction": 0.7,
            "lambda_l2": 1.0,
        }


class Rows:
    """Rows and labels made ready once, for all that is learned from them."""

    __slots__ = ("_data", "_threads")

    def __init__(
        self, rows: NDArray[np.float64], labels: NDArray[np.float64], threads: int
    ) -> None:
        self._threads = threads
        self._data = _lightgbm().Dataset(rows, labels, params=_common(threads), free_raw_data=False)

    def grow(self, growth: Growth) -> Trees:
        """Trees that say of each row what its label might be."""
        booster = _lightgbm().train(growth.settings(self._threads), self._data, growth.rounds)
        # What is used now is what will be read back later, to the last bit.
        return Trees(str(booster.model_to_string()))


class Trees:
    """Boosted trees, as text and ready to answer."""

    __slots__ = ("_booster", "text")

    def __init__(self, text: str) -> None:
        lightgbm = _lightgbm()
        if not text.startswith(FIRST_LINE) or LAST_PART not in text:
            raise stored.bad_part("trees", "this is no text of boosted trees")
        try:
            self._booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise stored.bad_part("trees", "lightgbm cannot read these trees") from error
        self.text = text

    @property
    def columns(self) -> int:
        """How many columns a row has."""
        return int(self._booster.num_feature())

    def say(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """One number for each row."""
        if len(rows) == 0:
            return np.zeros(0)
        return np.asarray(self._booster.predict(rows, num_threads=1), dtype=np.float64)


def _common(threads: int) -> dict[str, object]:
    return {
        "verbose": -1,
        "seed": 1,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": threads,
        "max_bin": BINS,
        # The same rows are used with leaves of several sizes.
        "feature_pre_filter": False,
    }


class _Silence:
    """Takes what the library would print: errors are raised all the same."""

    def info(self, _: str) -> None:
        """Nothing to tell."""

    def warning(self, _: str) -> None:
        """Nothing to tell."""


@cache
def _lightgbm() -> Any:  # noqa: ANN401 - a library of which we use five names
    library = importlib.import_module("lightgbm")
    library.register_logger(_Silence())
    return library
