"""The figure that says whether an order meant anything: how unlike the compared nodes were."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.service.metrics import entropy_bits


@pytest.mark.parametrize(
    ("totals", "bits"),
    [
        pytest.param([], 0.0, id="no node"),
        pytest.param([INFEASIBLE] * 3, 0.0, id="no node that can take it"),
        pytest.param([5] * 1_000, 0.0, id="all alike"),
        pytest.param([0, 10**15, INFEASIBLE], 1.0, id="two kinds"),
        pytest.param(range(1_000), math.log2(10), id="evenly spread"),
    ],
)
def test_entropy_grows_with_how_evenly_nodes_are_spread(totals: list[int], bits: float) -> None:
    """Over ten equal steps, whatever the size of the fleet, nodes that cannot take it left out."""
    assert entropy_bits(np.array(totals, np.int64)) == pytest.approx(bits)
