"""What can be had only so many times is bought no more often."""

from __future__ import annotations

import pytest

from gpu_fleet.errors import InputError
from gpu_fleet.pods import PodShape
from tests.simulations.capacity.purchases import complaints, offering, pods_of, sized

POD = PodShape(10_000, 1_024)


def test_the_dear_one_takes_the_rest() -> None:
    """Two cheap nodes, and for the other three pods the dear kind."""
    found = sized(pods_of(*[POD] * 5), offering("cheap", 1, limit=2), offering("dear", 3))

    assert found.counts == {"cheap": 2, "dear": 3}
    assert found.lower_bound_cost_per_hour == pytest.approx(11)


def test_a_limit_of_nothing_is_no_offering() -> None:
    """0 means that it cannot be had."""
    found = sized(pods_of(POD), offering("cheap", 1, limit=0), offering("dear", 3))

    assert found.counts == {"dear": 1}


def test_what_does_not_fit_within_the_limits_is_told() -> None:
    """Provably too little."""
    with pytest.raises(InputError, match=r"limit: .* does not fit .*; raise a limit"):
        sized(pods_of(*[POD] * 3), offering("only", 1, limit=2))


def test_limits_that_leave_no_room_to_spare() -> None:
    """Every node that there is must be filled well: 9 + 7 and 8 + 8 CPU on two nodes of 16."""
    workload = pods_of(*[PodShape(cpus * 1_000, 1_024) for cpus in (9, 8, 8, 7)])
    found = sized(workload, offering("only", 1, limit=2))

    assert complaints(found.plan, workload) == []
    assert found.counts == {"only": 2}
