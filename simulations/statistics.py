"""What a handful of replications allows one to say, and what it does not.

It exists so that every table of ours carries intervals made in one place and tested for coverage.
It must not draw random numbers, and it must never invent certainty:
one observation has a mean and no interval.

All intervals are two-sided; 95 % unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpu_fleet.errors import SimulationError

CONFIDENCE: Final = 0.95

Values: TypeAlias = Sequence[float] | Sequence[int] | NDArray[np.float64] | NDArray[np.int64]
_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and the interval it is known within, in the unit of the values."""

    mean: float
    sd: float | None
    """Standard deviation of the observations (n - 1); None when there is only one."""
    lo: float | None
    """Lower end of the interval; None when one observation gives none."""
    hi: float | None
    n: int
    """How many independent observations the interval rests on: replications, pairs or batches."""

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval, or None when there is none."""
        return None if self.lo is None or self.hi is None else (self.hi - self.lo) / 2

    def covers(self, truth: float) -> bool:
        """Whether the interval holds `truth`; without an interval it holds nothing."""
        return self.lo is not None and self.hi is not None and self.lo <= truth <= self.hi

    def __str__(self) -> str:
        if self.half_width is None:
            return f"{self.mean:.4g} (n={self.n}, no interval)"
        return f"{self.mean:.4g} +- {self.half_width:.2g} (n={self.n})"


@dataclass(frozen=True, slots=True)
class QuantileEstimate:
    """A quantile and its order-statistic interval, in the unit of the values."""

    value: float
    lo: float | None
    """An observed value; None when the sample is too small to bound the quantile from below."""
    hi: float | None
    """An observed value; None when the sample is too small to bound the quantile from above."""
    n: int

    def covers(self, truth: float) -> bool:
        """Whether a two-sided interval exists and holds `truth`."""
        return self.lo is not None and self.hi is not None and self.lo <= truth <= self.hi


def mean_interval(values: Values, confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean of independent observations with its t-interval.

    Raises SimulationError when there are no values, one is not finite,
    or `confidence` is not between 0 and 1.
    """
    observed = _checked(values, "values")
    _check_share(confidence, "confidence")
    n = observed.size
    mean = float(observed.mean())
    if n == 1:
        return Estimate(mean, sd=None, lo=None, hi=None, n=1)
    sd = float(observed.std(ddof=1))
    reach = _student_t(n - 1, confidence) * sd / sqrt(n)
    return Estimate(mean, sd, mean - reach, mean + reach, n)


def paired_difference(ours: Values, baseline: Values, confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean of `ours - baseline`, pair by pair, with its t-interval.

    The i-th values must come from one seed, so that common chance cancels.
    Raises SimulationError when the lengths differ, besides what mean_interval() raises.
    """
    left, right = _checked(ours, "ours"), _checked(baseline, "baseline")
    if left.size != right.size:
        raise SimulationError(
            f"{left.size} values cannot be paired with {right.size}: give both sides the same seeds"
        )
    return mean_interval(left - right, confidence)


def batch_means(
    series: Values, *, warm_up: int, batches: int, confidence: float = CONFIDENCE
) -> Estimate:
    """Return the steady-state mean of one long, correlated series with its t-interval.

    The first `warm_up` values are dropped and the rest is cut into `batches` equal batches,
    whose means are taken as independent; what does not fill the last batch is dropped from the end.
    The interval is honest only when a batch is much longer than the series' memory.
    Raises SimulationError when fewer than one value is left for each of at least two batches.
    """
    observed = _checked(series, "series")
    if warm_up < 0:
        raise SimulationError(f"warm_up is {warm_up}: it is a number of values to drop, 0 or more")
    if batches < 2:  # noqa: PLR2004 - a spread needs two
        raise SimulationError(f"batches is {batches}: an interval needs at least two")
    length = (observed.size - warm_up) // batches
    if length < 1:
        raise SimulationError(
            f"{observed.size} values less a warm-up of {warm_up} do not fill {batches} batches:"
            " run longer"
        )
    kept = observed[warm_up : warm_up + length * batches]
    return mean_interval(kept.reshape(batches, length).mean(axis=1), confidence)


def quantile_interval(
    values: Values, share: float, confidence: float = CONFIDENCE
) -> QuantileEstimate:
    """Return the `share`-quantile of independent observations with its order-statistic interval.

    No distribution is assumed: the interval's ends are observed values,
    chosen by the binomial law of how many observations lie below the quantile,
    so it covers at least as often as it says.
    An end that the sample is too small for is None: 100 values bound no 99th percentile from above.
    The value itself is the smallest observation with at least `share` of all at or below it.
    Raises SimulationError when there are no values, one is not finite, or a share is not in (0, 1).
    """
    ordered = np.sort(_checked(values, "values"))
    _check_share(share, "share")
    _check_share(confidence, "confidence")
    n = ordered.size
    below, above = _quantile_ranks(n, share, (1 - confidence) / 2)
    value = ordered[min(n - 1, max(0, int(np.ceil(n * share - 1e-9)) - 1))]
    return QuantileEstimate(
        value=float(value),
        lo=float(ordered[below - 1]) if below >= 1 else None,
        hi=float(ordered[above - 1]) if above <= n else None,
        n=n,
    )


class TimeAverage:
    """The time average of a step function: pods in the queue, GPU-milli allocated.

    Levels and times are Python ints, so the integral is exact however long the run is,
    and the same whatever order equal instants are reported in.

    >>> queue = TimeAverage()
    >>> queue.set(10, 4)
    >>> queue.add(20, -2)
    >>> queue.integral(30), queue.average(30)
    (60, 2.0)
    """

    __slots__ = ("_area", "_changed_ns", "_level", "_start_ns")

    def __init__(self, start_ns: int = 0, level: int = 0) -> None:
        """Begin to integrate at `start_ns` with the function at `level`."""
        self._start_ns = start_ns
        self._changed_ns = start_ns
        self._level = level
        self._area = 0

    @property
    def level(self) -> int:
        """The current value of the step function."""
        return self._level

    def set(self, time_ns: int, level: int) -> None:
        """Let the function step to `level` at `time_ns`.

        Raises SimulationError when `time_ns` is earlier than the last change.
        """
        self._area = self.integral(time_ns)
        self._changed_ns = time_ns
        self._level = level

    def add(self, time_ns: int, change: int) -> None:
        """Let the function step by `change` at `time_ns`; raises as set() does."""
        self.set(time_ns, self._level + change)

    def restart(self, time_ns: int) -> None:
        """Forget everything before `time_ns`, keeping the level: the end of a warm-up."""
        self.set(time_ns, self._level)
        self._area = 0
        self._start_ns = time_ns

    def integral(self, until_ns: int) -> int:
        """Return the integral from the start to `until_ns`, in level x ns.

        Raises SimulationError when `until_ns` is earlier than the last change.
        """
        if until_ns < self._changed_ns:
            raise SimulationError(
                f"the level changed at {self._changed_ns} ns, so {until_ns} ns is settled already:"
                " report changes in order of time"
            )
        return self._area + self._level * (until_ns - self._changed_ns)

    def average(self, until_ns: int) -> float:
        """Return the average level from the start to `until_ns`.

        Raises SimulationError when no time has passed, or as integral() does.
        """
        area = self.integral(until_ns)
        if until_ns == self._start_ns:
            raise SimulationError(f"no time has passed since {until_ns} ns: no average yet")
        return area / (until_ns - self._start_ns)


@dataclass(frozen=True, slots=True)
class LittlesLaw:
    """L = lambda W, with each side from a counter of its own.

    It holds for every run that begins and ends empty, whatever the distributions or the discipline,
    so a gap means that the simulator lost, doubled or mistimed somebody.
    """

    mean_number: float
    """L: time average of the number in the system."""
    arrival_rate_per_s: float
    """lambda: arrivals counted, over the same time."""
    mean_sojourn_s: float
    """W: mean time from arrival to departure, over those who departed."""

    @property
    def relative_gap(self) -> float:
        """|L - lambda W| over the larger of the two; 0 for a system nobody entered."""
        expected = self.arrival_rate_per_s * self.mean_sojourn_s
        scale = max(abs(self.mean_number), abs(expected))
        return abs(self.mean_number - expected) / scale if scale else 0.0

    def holds(self, tolerance: float = 1e-9) -> bool:
        """Whether both sides agree to `tolerance`, which leaves room for rounding alone."""
        return self.relative_gap <= tolerance


def _checked(values: Values, name: str) -> _Floats:
    observed = np.asarray(values, dtype=np.float64)
    if observed.ndim != 1 or observed.size == 0:
        raise SimulationError(
            f"{name} has shape {observed.shape}: give a list of at least one number"
        )
    bad = np.flatnonzero(~np.isfinite(observed))
    if bad.size:
        raise SimulationError(f"{name}[{bad[0]}] is {observed[bad[0]]}: leave absent values out")
    return observed


def _check_share(share: float, name: str) -> None:
    if not 0 < share < 1:
        raise SimulationError(f"{name} is {share}: it must lie between 0 and 1, both excluded")


def _student_t(freedom: int, confidence: float) -> float:
    # Only when asked, since scipy.special takes as long to import as numpy, and not scipy.stats,
    # which takes several times that.
    from scipy.special import stdtrit  # noqa: PLC0415 - see above

    return float(stdtrit(freedom, (1 + confidence) / 2))


def _quantile_ranks(n: int, share: float, tail: float) -> tuple[int, int]:
    """Return ranks (from 1) whose order statistics bound the quantile, at risk `tail` on each end.

    0 and n + 1 stand for "no such rank".
    With X observations at or below the quantile, X ~ Binomial(n, share):
    the r-th smallest exceeds it when X < r, which bounds r from above for the lower end
    and from below for the upper end.
    """
    from scipy.special import bdtr  # noqa: PLC0415 - as in _student_t

    cdf = bdtr(np.arange(n, dtype=np.float64), n, share)  # P(X <= k) for k = 0..n-1
    below = int(np.searchsorted(cdf, tail, side="right"))
    above = int(np.searchsorted(cdf, 1 - tail, side="left")) + 1
    return below, above
