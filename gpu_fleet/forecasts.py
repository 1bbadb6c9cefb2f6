"""What a forecaster promises, and the forecast that explains itself.

A pool's plan asks one question: with which probability does demand stay below this, by the time new
capacity would be ready? Whoever answers it, ours or a user's own model, keeps this protocol and
passes the contract suite in tests/autoscaler/contract. This module must not forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gpu_fleet.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gpu_fleet.series import Series

__all__ = ["Fitted", "Forecaster", "NotForecastable", "Target"]


class NotForecastable(FleetError):
    """A series that this forecaster cannot learn from; the text says what it lacks."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """What is asked: the value `ahead` steps from now, or the most of all values until then."""

    ahead: int
    peak: bool = False

    def __post_init__(self) -> None:
        if self.ahead < 1:
            raise FleetError(f"a forecast {self.ahead} steps ahead; give 1 or more")


class Forecaster(Protocol):
    """A way to forecast. It holds settings and nothing that it learned."""

    @property
    def name(self) -> str:
        """The name in the registry, on the command line and in reports."""
        ...

    def fit(self, past: Series, targets: Sequence[Target], levels: Sequence[float]) -> Fitted:
        """Learn from a series what `targets` need, at these quantile levels.

        Raises `NotForecastable` where the past is too short. The same past gives the same result.
        """
        ...

    def revive(self, state: Mapping[str, object]) -> Fitted:
        """What was fitted before, out of `Fitted.state`; raises `InputError` on a foreign one."""
        ...


class Fitted(Protocol):
    """What was learned, ready to answer from any moment of a series that goes on."""

    def quantiles(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """The quantiles of each target as seen from each origin: [origin, target, level].

        From origin t only values up to and including t are used. Quantiles do not fall as the
        level rises. Not-a-number where nothing can be said from that origin.
        """
        ...

    def state(self) -> Mapping[str, object]:
        """All that was learned, as JSON could hold it."""
        ...
