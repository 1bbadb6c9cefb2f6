"""The simulator agrees with queueing theory, as often as its intervals say it does."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from math import sqrt
from multiprocessing import get_context

import pytest

from simulations.statistics import mean_interval
from tests.figures import record
from tests.simulations.engine.stations import CASES, FULL, QUICK, Case, Outcome, outcome

LITTLE_TOLERANCE = 1e-9


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_theory_lies_within_most_intervals_of_forty_seeds(case: Case) -> None:
    """The quick look: 34 of 40 or more, which an honest 95 % misses once in 300 times."""
    outcomes = [outcome(case, QUICK, seed) for seed in range(1, 41)]

    assert sum(one.covered for one in outcomes) >= 34
    assert all(one.littles_gap <= LITTLE_TOLERANCE for one in outcomes)


@pytest.mark.prove
def test_theory_lies_within_95_in_100_intervals_of_400_seeds() -> None:
    """The whole proof: between 92 and 98 % for each station, and Little's law on every run.

    The grand mean over all seeds is held against theory too, which is the sharper test for bias.
    """
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as workers:
        outcomes = {
            case.name: list(workers.map(partial(outcome, case, FULL), range(1, 401), chunksize=10))
            for case in CASES
        }
    figures = [summed_up(case, outcomes[case.name]) for case in CASES]
    record("queueing-theory", [asdict(figure) for figure in figures])

    for figure in figures:
        assert 92.0 <= figure.covered_percent <= 98.0, figure
        assert figure.littles_law_max_gap <= LITTLE_TOLERANCE, figure
        assert abs(figure.grand_mean_z) <= 3.5, figure


@dataclass(frozen=True, slots=True)
class Figure:
    """What the 400 seeds of one station say together."""

    station: str
    seeds: str
    warm_up_customers: int
    batches: int
    customers_per_batch: int
    theory_mean_wait_s: float
    grand_mean_wait_s: float
    grand_mean_z: float
    """How many standard errors the grand mean lies from theory."""
    covered_percent: float
    littles_law_max_gap: float


def summed_up(case: Case, outcomes: list[Outcome]) -> Figure:
    """Sum up all seeds of one station."""
    grand = mean_interval([one.mean_wait_s for one in outcomes])
    assert grand.sd is not None
    return Figure(
        station=case.name,
        seeds="1..400",
        warm_up_customers=FULL.warm_up,
        batches=FULL.batches,
        customers_per_batch=FULL.batch,
        theory_mean_wait_s=case.theory_s,
        grand_mean_wait_s=grand.mean,
        grand_mean_z=(grand.mean - case.theory_s) / (grand.sd / sqrt(grand.n)),
        covered_percent=100 * sum(one.covered for one in outcomes) / len(outcomes),
        littles_law_max_gap=max(one.littles_gap for one in outcomes),
    )
