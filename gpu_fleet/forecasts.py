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

__all__ = ["Answer", "Fitted", "Forecast", "Forecaster", "NotForecastable", "Target", "Unanswered"]


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What is expected of one target, by whom, and why by them."""

    target: Target
    horizon_s: int
    """The target's `ahead` in time."""
    quantiles: tuple[float, ...]
    """One for each of the forecast's levels."""
    parts: tuple[tuple[tuple[str, float], ...], ...]
    """Who has which part in each of them, before it was corrected by what came true; the largest
    first."""
    reason: str
    """Why the highest is by these."""
    naive: str
    """The naive forecaster that lost least lately."""
    naive_quantiles: tuple[float, ...]
    """Its own, uncorrected: what anybody would have without us. Empty while it is mute."""
    outcomes: int
    """How often the highest quantile can be compared with what came."""
    held: float | None
    """The share of these outcomes that it was not exceeded by; None while there is none."""
    model_age_s: int
    """For how long they have not been fitted."""

    @property
    def by(self) -> str:
        """Who says the highest quantile: `lightgbm`, or `lightgbm 60 %, mstl 40 %`."""
        highest = self.parts[-1]
        if len(highest) == 1:
            return highest[0][0]
        return ", ".join(f"{name} {100 * part:.0f} %" for name, part in highest)

    def __str__(self) -> str:
        what = "the most until then" if self.target.peak else "then"
        low, high = self.quantiles[0], self.quantiles[-1]
        naive = f"{self.naive_quantiles[-1]:.4g}" if self.naive_quantiles else "mute"
        held = "not known yet" if self.held is None else f"{self.held:.1%} of {self.outcomes:,}"
        return (
            f"in {self.horizon_s:,} s, {what}: {low:.4g} to {high:.4g} by {self.by}: "
            f"{self.reason}; {self.naive} says {naive}; the bound has held: {held}"
        )


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A target of which nothing can be said yet, and what it lacks."""

    target: Target
    horizon_s: int
    why: str

    def __str__(self) -> str:
        what = "the most until then" if self.target.peak else "then"
        return f"in {self.horizon_s:,} s, {what}: unknown ({self.why})"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What comes next, taken apart. `str()` is what logs, conditions and `/explain` print."""

    series: str
    unit: str
    origin_s: int
    """The moment it speaks from, the end of the last known step: seconds as in the series."""
    step_s: int
    levels: tuple[float, ...]
    answers: tuple[Answer, ...]
    unanswered: tuple[Unanswered, ...]
    repaired: tuple[str, ...]
    """What was noticed and repaired in the history it rests on, in words."""

    def __str__(self) -> str:
        return "\n".join(
            (
                f"{self.series} from {self.origin_s}, {self.unit or 'no unit'}:",
                *(f"  {line}" for line in (*self.answers, *self.unanswered)),
                *(f"  history: {words}" for words in self.repaired),
            )
        )
