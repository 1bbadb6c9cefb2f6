"""Where the cheapest set can be seen with the naked eye, it is the one that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.pods import PodShape
from tests.simulations.capacity.purchases import offering, pods_of, sized

if TYPE_CHECKING:
    from gpu_fleet.pools import Offering

SMALL = PodShape(2_000, 4_096)
PART = PodShape(1_000, 1_024, gpu_count=1, gpu_milli=500)
WHOLE = PodShape(1_000, 1_024, gpu_count=1)


@pytest.mark.parametrize(
    ("shapes", "kinds", "expected"),
    [
        pytest.param([SMALL], (offering("a", 2), offering("b", 1)), {"b": 1}, id="the cheaper one"),
        pytest.param(
            [SMALL] * 8,
            (offering("small", 1, cpus=4), offering("large", 3, cpus=16)),
            {"large": 1},
            id="one large instead of four small",
        ),
        pytest.param(
            [SMALL] * 9,
            (offering("small", 1, cpus=4), offering("large", 3, cpus=16)),
            {"large": 1, "small": 1},
            id="one of each for the ninth",
        ),
        pytest.param(
            [PART] * 4,
            (offering("one", 5, gpus=1), offering("two", 11, gpus=2)),
            {"one": 2},
            id="halves share a GPU",
        ),
        pytest.param(
            [WHOLE, SMALL, SMALL],
            (offering("gpu", 9, cpus=5, gpus=1), offering("cpu", 1, cpus=2)),
            {"gpu": 1},
            id="CPU beside a GPU that is paid for",
        ),
        pytest.param(
            [PodShape(1_000, 1_024, gpu_count=2)] * 3,
            (offering("one", 1, gpus=1), offering("two", 3, gpus=2)),
            {"two": 3},
            id="two GPUs of one pod are on one node",
        ),
        pytest.param([SMALL], (offering("free", 0), offering("b", 1)), {"free": 1}, id="for free"),
    ],
)
def test_worked_examples(
    shapes: list[PodShape], kinds: tuple[Offering, ...], expected: dict[str, int]
) -> None:
    """And the bound says that there is none cheaper."""
    found = sized(pods_of(*shapes), *kinds)

    assert expected == found.counts
    assert found.lower_bound_cost_per_hour == pytest.approx(found.cost_per_hour)


def test_an_offering_that_is_beaten_at_everything_is_not_looked_at() -> None:
    """The better one must be had without limit, for it takes the other's place node by node."""
    good, bad = offering("good", 1, cpus=16), offering("bad", 2, cpus=8)
    few = offering("few", 1, cpus=16, limit=1)

    assert sized(pods_of(SMALL), good, bad).looked_at == 1
    assert sized(pods_of(SMALL), few, bad).looked_at == 2
