"""How long things take: distributions of durations as values.

It exists so that a workload can state its distributions, print them and compare them,
and so that the moments used in a formula and the samples used in a run come from one place.
It must not hold a generator: a duration is drawn from the stream it is given.

Samples are whole nanoseconds, means are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, log1p, sqrt
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gpu_fleet.errors import SimulationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NS_PER_S = 1_000_000_000


class Duration(Protocol):
    """A distribution of durations."""

    @property
    def mean_s(self) -> float:
        """The mean in seconds."""

    @property
    def squared_cv(self) -> float:
        """The variance over the squared mean."""

    def sample_ns(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Draw `count` independent durations in ns."""


@dataclass(frozen=True, slots=True)
class Exponential:
    """No memory: gaps between independent arrivals."""

    mean_s: float

    def __post_init__(self) -> None:
        _check_positive(self.mean_s, "mean_s")

    @property
    def squared_cv(self) -> float:
        """1, whatever the mean."""
        return 1.0

    def sample_ns(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Draw `count` independent durations in ns."""
        return _whole_ns(rng.exponential(self.mean_s, count))


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    mean_s: float

    def __post_init__(self) -> None:
        _check_positive(self.mean_s, "mean_s")

    @property
    def squared_cv(self) -> float:
        """0: there is no variance."""
        return 0.0

    def sample_ns(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:  # noqa: ARG002 - the protocol hands every duration a stream
        """Return `count` equal durations in ns; draws nothing."""
        return np.full(count, round(self.mean_s * _NS_PER_S), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A product of many causes: start-up times, job lengths."""

    mean_s: float
    squared_cv: float

    def __post_init__(self) -> None:
        _check_positive(self.mean_s, "mean_s")
        _check_positive(self.squared_cv, "squared_cv")

    def sample_ns(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Draw `count` independent durations in ns."""
        variance_of_log = log1p(self.squared_cv)
        mean_of_log = np.log(self.mean_s) - variance_of_log / 2
        return _whole_ns(rng.lognormal(mean_of_log, sqrt(variance_of_log), count))


@dataclass(frozen=True, slots=True)
class HyperExponential:
    """Mostly short, sometimes long: a mix of two exponentials with balanced means.

    Each kind brings half of the total work (p1 m1 = p2 m2),
    the usual way to fix the third parameter.
    """

    mean_s: float
    squared_cv: float

    def __post_init__(self) -> None:
        _check_positive(self.mean_s, "mean_s")
        if not (isfinite(self.squared_cv) and self.squared_cv > 1):
            raise SimulationError(
                f"squared_cv is {self.squared_cv}: a mix of exponentials has more than 1;"
                " use Exponential for 1"
            )

    def sample_ns(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Draw `count` independent durations in ns."""
        short_share = (1 + sqrt((self.squared_cv - 1) / (self.squared_cv + 1))) / 2
        # One row of two draws for each duration, so that cutting the stream into blocks of another
        # size does not change what is drawn.
        pick, scale = rng.random((count, 2)).T
        share = np.where(pick < short_share, short_share, 1 - short_share)
        mean_s = self.mean_s / (2 * share)
        return _whole_ns(-mean_s * np.log1p(-scale))


def _whole_ns(durations_s: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(durations_s * _NS_PER_S).astype(np.int64)


def _check_positive(value: float, name: str) -> None:
    if not (isfinite(value) and value > 0):
        raise SimulationError(f"{name} is {value}: it must be finite and above 0")
