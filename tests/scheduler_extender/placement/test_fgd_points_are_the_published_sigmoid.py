"""The threshold table of `fgd` is int(100 * sigmoid(x)) for every whole thousandth that can occur.

The study computes floats; ours compares whole numbers. These tests must not use the table's own
logarithms: the sigmoid is written down a second time.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from scheduler_extender.placement.fgd import Fgd, _thresholds
from scheduler_extender.placement.pod_mix import PodMix
from tests.fleets import node, shape, view_of


def published(decrease_gpus: float) -> int:
    """The study's score for a decrease of fragmentation in GPUs."""
    return int(100 / (1 + math.exp(-decrease_gpus)))


@pytest.mark.parametrize("pods", [1, 7, 100, 8_152])
def test_whole_numbers_step_where_the_sigmoid_steps(pods: int) -> None:
    """For any weight of the mix, over -8 to 8 GPUs; where a float is on the edge, either side."""
    one_gpu = pods * 1_000
    steps = _thresholds(one_gpu)
    decreases = np.linspace(-8 * one_gpu, 8 * one_gpu, 40_001).astype(np.int64)
    ours = np.searchsorted(steps, decreases, side="right").tolist()
    for decrease, points in zip(decreases.tolist(), ours, strict=True):
        theirs = published(decrease / one_gpu)
        edge = 100 / (1 + math.exp(-decrease / one_gpu))

        assert points == theirs or abs(edge - round(edge)) < 1e-9, decrease


def test_nothing_lost_and_nothing_won_is_fifty_points() -> None:
    """sigmoid(0) = 1/2 exactly."""
    assert np.searchsorted(_thresholds(1_000), 0, side="right") == 50


def test_points_of_a_worked_example() -> None:
    """A mix of halves only: breaking a whole GPU costs nothing, leaving 0.3 of it does.

    Before, 2 GPUs free and all of it useful to halves: F = 0. After 0.7 is taken from one, its 0.3
    is of no use: F = 0.3, int(100 * sigmoid(-0.3)) = 42.
    """
    half, most = shape(gpus=1, milli=500), shape(gpus=1, milli=700)
    view = view_of([node("n", gpus=2)], [half, most])
    policy = Fgd(PodMix.of([half]), kernels=False)

    assert policy.totals(view, 0, np.array([0])).tolist() == [-50]
    assert policy.totals(view, 1, np.array([0])).tolist() == [-published(-0.3)] == [-42]


def test_a_class_that_cannot_run_counts_all_that_is_free() -> None:
    """Too little CPU for the mix: all free GPU is a fragment, so a pod that takes some helps."""
    thirsty, modest = shape(cpus=10, gpus=1), shape(cpus=1, gpus=1, milli=250)
    view = view_of([node("n", cpus=4, gpus=1)], [thirsty, modest])
    policy = Fgd(PodMix.of([thirsty]), kernels=False)

    assert policy.totals(view, 1, np.array([0])).tolist() == [-published(0.25)]
    assert Fraction(1, 4) == Fraction(view.shapes[1].total_gpu_milli, 1_000)
