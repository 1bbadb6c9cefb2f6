"""No set of nodes that holds a workload costs less than the bound says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from gpu_fleet.pods import PodShape
from simulations.capacity.bound import BoundSettings, lower_bound
from simulations.capacity.market import Market
from tests.simulations.capacity.purchases import (
    cheapest,
    offering,
    offerings,
    pods_of,
    sized,
    small_workloads,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gpu_fleet.pools import Offering
    from simulations.workload import Workload

PART = PodShape(1_000, 1_024, gpu_count=1, gpu_milli=600)
THREE = PodShape(1_000, 1_024, gpu_count=3)
NOTHING = PodShape(0, 0)


@settings(max_examples=40, deadline=None)
@given(kinds=offerings(), workload=small_workloads())
def test_all_sets_are_tried(kinds: tuple[Offering, ...], workload: Workload) -> None:
    """Where the cheapest set is known, the bound is not above it and the answer not below."""
    found = sized(workload, *kinds)
    least = cheapest(kinds, workload)
    market = Market.of(kinds, [traced.pod.shape for traced in workload.pods])

    assert lower_bound(market).cost_per_hour <= least + 1e-5
    assert found.cost_per_hour >= least - 1e-9


@pytest.mark.parametrize(
    ("shapes", "kind", "nodes"),
    [
        pytest.param([PART] * 10, offering("one", 1, gpus=1), 10, id="0.6 GPU fills a GPU"),
        pytest.param([THREE] * 5, offering("eight", 1, gpus=8), 3, id="two threes in eight"),
        pytest.param([NOTHING] * 3, offering("any", 1), 1, id="even nothing needs a node"),
        pytest.param(
            [PodShape(7_000, 0)] * 5, offering("sixteen", 1, cpus=16), 3, id="two sevens in sixteen"
        ),
    ],
)
def test_it_sees_more_than_sums(shapes: list[PodShape], kind: Offering, nodes: int) -> None:
    """The worked examples of docs/explanation/capacity-size.md, and two more."""
    assert lower_bound(Market.of((kind,), shapes)).cost_per_hour == pytest.approx(nodes)


def test_it_is_true_however_early_it_stops() -> None:
    """A solver without time gives a lower bound, never a higher one."""
    workload = pods_of(*[PodShape(cpus * 1_000, 1_024) for cpus in (3, 3, 5, 5, 7, 9)] * 6)
    kinds = (offering("small", 3, cpus=8), offering("large", 5, cpus=16))
    market = Market.of(kinds, [traced.pod.shape for traced in workload.pods])
    hurried = lower_bound(market, BoundSettings(rounds=1, seconds=0.0))
    patient = lower_bound(market)

    assert hurried.cost_per_hour <= patient.cost_per_hour + 1e-6
