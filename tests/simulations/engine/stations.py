"""The stations that are held against theory, and what one seed of each shows.

It exists apart from its test so that a worker process imports no test framework.

How long to run was settled before any of the seeds was looked at, by theory alone:
the memory of an M/M/1 line at load 0.6, as the integrated autocorrelation of its waits, is
about 17 customers (asymptotic variance of the mean wait 88.5 s2 over a variance of 5.25 s2).
A batch of 3,000 is then some 170 memories long, so batch means are as good as independent,
and nearly normal; a warm-up of 2,000 customers leaves no trace of the empty start.
The more variable services run at load 0.5, where the same holds for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulations.durations import Exponential, Fixed, HyperExponential, LogNormal
from simulations.queueing_theory import mg1_mean_wait_s, mm1_mean_wait_s, mmc_mean_wait_s
from simulations.queues import Station, visit


@dataclass(frozen=True, slots=True)
class Case:
    """A station and the mean wait that theory gives it."""

    name: str
    station: Station
    theory_s: float


@dataclass(frozen=True, slots=True)
class RunLength:
    """How long each seed runs, in customers."""

    warm_up: int
    batches: int
    batch: int

    @property
    def customers(self) -> int:
        """Customers of one run."""
        return self.warm_up + self.batches * self.batch


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one seed of one station showed."""

    mean_wait_s: float
    covered: bool
    littles_gap: float


FULL: Final = RunLength(warm_up=2000, batches=16, batch=3000)
QUICK: Final = RunLength(warm_up=500, batches=10, batch=500)

CASES: Final = (
    Case("M/M/1, load 0.6", Station(1, 0.6, Exponential(1.0)), mm1_mean_wait_s(0.6, 1.0)),
    Case("M/M/4, load 0.7", Station(4, 2.8, Exponential(1.0)), mmc_mean_wait_s(4, 2.8, 1.0)),
    Case("M/D/1, load 0.6", Station(1, 0.6, Fixed(1.0)), mg1_mean_wait_s(0.6, 1.0, 0.0)),
    Case(
        "M/G/1 lognormal (squared cv 2), load 0.5",
        Station(1, 0.5, LogNormal(1.0, 2.0)),
        mg1_mean_wait_s(0.5, 1.0, 2.0),
    ),
    Case(
        "M/G/1 hyperexponential (squared cv 4), load 0.5",
        Station(1, 0.5, HyperExponential(1.0, 4.0)),
        mg1_mean_wait_s(0.5, 1.0, 4.0),
    ),
)


def outcome(case: Case, length: RunLength, seed: int) -> Outcome:
    """Run one seed of one station and hold it against theory."""
    seen = visit(case.station, customers=length.customers, seed=seed)
    estimate = seen.mean_wait_s(warm_up=length.warm_up, batches=length.batches)
    return Outcome(estimate.mean, estimate.covers(case.theory_s), seen.littles_law.relative_gap)
