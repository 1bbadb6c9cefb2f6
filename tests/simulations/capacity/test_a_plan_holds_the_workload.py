"""Whatever set is named, a plan comes with it that holds every pod; added up here by hand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from gpu_fleet.pods import PodShape
from scheduler_extender.placement.registry import POLICIES
from simulations.capacity.size import Sizing, size
from tests.simulations.capacity.purchases import (
    complaints,
    offering,
    offerings,
    pods_of,
    sized,
    small_workloads,
)

if TYPE_CHECKING:
    from gpu_fleet.pools import Offering
    from simulations.workload import Workload

MIXED = pods_of(
    *[PodShape(4_000, 8_192, gpu_count=1, gpu_milli=460)] * 11,
    *[PodShape(9_000, 16_384, gpu_count=1)] * 5,
    *[PodShape(24_000, 65_536, gpu_count=4)] * 2,
    *[PodShape(6_000, 4_096)] * 7,
)
KINDS = (
    offering("one", 1.1, cpus=8, gpus=1),
    offering("four", 4.0, cpus=32, memory_gib=128, gpus=4),
    offering("none", 0.9, cpus=16),
)


@settings(max_examples=25, deadline=None)
@given(kinds=offerings(), workload=small_workloads())
def test_any_small_workload(kinds: tuple[Offering, ...], workload: Workload) -> None:
    """All pods are there once, and no node or device holds more than it has."""
    found = sized(workload, *kinds)

    assert complaints(found.plan, workload) == []


@pytest.mark.parametrize("policy", POLICIES)
def test_any_policy(policy: str) -> None:
    """The costs are those of the nodes in the plan, whoever placed the pods."""
    found = sized(MIXED, *KINDS, policy=policy)
    prices = {kind.name: kind.cost_per_hour for kind in KINDS}

    assert complaints(found.plan, MIXED) == []
    assert found.counts == Counter(node.offering.name for node in found.plan)
    assert found.cost_per_hour == pytest.approx(
        sum(prices[name] * many for name, many in found.counts.items())
    )
    assert found.lower_bound_cost_per_hour <= found.cost_per_hour
    assert found.cost_per_hour <= found.policy_cost_per_hour
    assert found.policy_cost_per_hour == pytest.approx(
        sum(prices[name] * many for name, many in found.policy_counts.items())
    )


def test_a_search_without_time() -> None:
    """A budget of nothing gives the policy's own packing or better, and says that it was cut."""
    found = size(Sizing(MIXED, KINDS), lambda: False, lambda: None)

    assert complaints(found.plan, MIXED) == []
    assert not found.ended


def test_the_same_question_has_the_same_answer() -> None:
    """Nothing in a search that comes to its end depends on chance or time."""
    assert sized(MIXED, *KINDS) == sized(MIXED, *KINDS)
