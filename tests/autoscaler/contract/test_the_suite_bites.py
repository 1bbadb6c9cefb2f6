"""The contract is not blind: a forecaster with one planted fault fails the check that is for it.

Each fault is put around the last value, which keeps the contract without it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.forecasters.last_value import LastValue
from gpu_fleet.forecasts import NotForecastable
from tests.autoscaler.contract import suite
from tests.autoscaler.contract.demand import demand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Fitted, Target
    from gpu_fleet.series import Series

    Answer = NDArray[np.float64]
    Fault = Callable[[Answer, Series, NDArray[np.int64]], Answer]


@dataclass
class Faulty:
    """What the last value says, spoilt."""

    fitted: Fitted
    fault: Fault

    def quantiles(self, series: Series, origins: NDArray[np.int64]) -> Answer:
        """Spoils an answer."""
        return self.fault(self.fitted.quantiles(series, origins), series, origins)

    def state(self) -> Mapping[str, object]:
        """What the last value stores."""
        return self.fitted.state()


@dataclass
class Planted:
    """The last value with a fault in its answers."""

    fault: Fault
    name: str = "planted"

    def fit(self, past: Series, targets: Sequence[Target], levels: Sequence[float]) -> Fitted:
        """Fits the last value."""
        return Faulty(LastValue().fit(past, targets, levels), self.fault)

    def revive(self, state: Mapping[str, object]) -> Fitted:
        """Revives the last value."""
        return Faulty(LastValue().revive(state), self.fault)


class Credulous(Planted):
    """Learns from stand-ins, never refuses and believes whatever it is handed."""

    def fit(self, past: Series, targets: Sequence[Target], levels: Sequence[float]) -> Fitted:
        """Takes all for measured; what is too short is replaced by something longer."""
        whole = dataclasses.replace(past, measured=np.ones(len(past), dtype=np.bool_))
        try:
            fitted = LastValue().fit(whole, targets, levels)
        except NotForecastable:
            fitted = LastValue().fit(demand(), targets, levels)
        return Faulty(fitted, self.fault)

    def revive(self, state: Mapping[str, object]) -> Fitted:
        """Looks at nothing."""
        del state
        return self.fit(demand(), suite.TARGETS, suite.LEVELS)


def _as_is(answer: Answer, series: Series, origins: NDArray[np.int64]) -> Answer:
    del series, origins
    return answer


def _measured_all(answer: Answer, series: Series, origins: NDArray[np.int64]) -> Answer:
    """Widths from all steps, stand-ins too."""
    moves = np.quantile(np.diff(series.values[: origins.max() + 1])[-14 * 24 :], suite.LEVELS)
    return np.broadcast_to(series.values[origins][:, np.newaxis, np.newaxis] + moves, answer.shape)


def _peek(answer: Answer, series: Series, origins: NDArray[np.int64]) -> Answer:
    """One step of the future is mixed in."""
    after = series.values[np.minimum(origins + 1, len(series) - 1)]
    return answer + 0.01 * (after - series.values[origins])[:, np.newaxis, np.newaxis]


def _fall(answer: Answer, series: Series, origins: NDArray[np.int64]) -> Answer:
    del series, origins
    return answer[:, :, ::-1]


def _depend_on_company(answer: Answer, series: Series, origins: NDArray[np.int64]) -> Answer:
    del series
    return answer * (1 + 1e-15 * len(origins))


def _add_one(answer: Answer, series: Series, origins: NDArray[np.int64]) -> Answer:
    del series, origins
    return answer + 1


def _add_a_percent(answer: Answer, series: Series, origins: NDArray[np.int64]) -> Answer:
    del series, origins
    return answer * 1.01


def _leave_out(answer: Answer, series: Series, origins: NDArray[np.int64]) -> Answer:
    del series, origins
    return answer[:, :-1]


@pytest.mark.parametrize(
    ("forecaster", "check"),
    [
        (Planted(_peek), suite.what_comes_after_is_not_looked_at),
        (Planted(_fall), suite.quantiles_do_not_fall),
        (Planted(_depend_on_company), suite.many_origins_are_answered_as_one_is),
        (Planted(_add_one), suite.another_unit_gives_the_same_forecast),
        (Planted(_add_a_percent), suite.another_base_load_gives_the_same_forecast),
        (Planted(_leave_out), suite.answers_have_the_right_shape),
        (Planted(_measured_all), suite.stand_ins_teach_nothing),
        (Credulous(_as_is), suite.too_little_is_refused_by_name),
        (Credulous(_as_is), suite.a_foreign_model_is_refused),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_a_planted_fault_is_found(forecaster: Planted, check: suite.Check) -> None:
    """The check that is for a fault fails on it."""
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(suite.Trial(forecaster))


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda check: check.__name__)
def test_without_a_fault_nothing_is_found(check: suite.Check) -> None:
    """The same wrapping without a fault keeps the contract."""
    check(suite.Trial(Planted(_as_is)))
