"""The worked examples of docs/design/002-least-loss.md, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.nodes import Device, Node
from gpu_fleet.pods import PodShape
from gpu_fleet.scores import MICRO
from scheduler_extender.placement.hole_value import effective_sizes
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.pod_mix import MixClass, PodMix

GIB = 1_024
WHOLE = PodShape(12_000, 48 * GIB, 1)
HALF = PodShape(6_000, 24 * GIB, 1, 470)
MOST = PodShape(10_000, 40 * GIB, 1, 810)
GANG = PodShape(96_000, 384 * GIB, 8)
CPU_ONLY = PodShape(16_000, 32 * GIB)
MUCH_CPU = PodShape(24_000, 48 * GIB, 1)
HOUR_S = 3_600
MIX = PodMix(
    tuple(
        MixClass(shape, count, HOUR_S)
        for shape, count in ((WHOLE, 40), (HALF, 30), (MOST, 20), (GANG, 1))
    )
)


def node(view: ClusterView, name: str, cpu: int, free_milli: list[int]) -> int:
    """A node with these parts of its GPUs free, the rest taken by pods without CPU."""
    slot = view.add_node(Node(name, cpu * 1_000, 512 * GIB, tuple(Device() for _ in free_milli)))
    for device, free in enumerate(free_milli):
        if free < 1_000:
            filler = view.intern(PodShape(0, 0, 1, 1_000 - free))
            view.place(f"{name}-{device}", filler, slot, (device,))
    return slot


def lost_gpu_s(view: ClusterView, shape: PodShape, slot: int, term: str) -> int:
    """Whole GPU-seconds that one term charges."""
    (score,) = LeastLoss(MIX).explain(view, view.intern(shape), np.array([slot]))
    return round(next(t.loss for t in score.terms if t.name == term) / MICRO)


def test_a_half_costs_a_half_and_081_costs_a_whole_gpu() -> None:
    """Effective sizes are the duals of cutting GPUs into what the mix asks for."""
    assert effective_sizes(MIX.share_sizes()) == {470: MICRO // 2, 810: MICRO}


@pytest.mark.parametrize(
    ("free_milli", "stranded_gpu_s"),
    [
        pytest.param(530, 0, id="a half into a hole that holds one half"),
        pytest.param(1_000, 0, id="a half onto a whole GPU"),
        pytest.param(810, 1_800, id="a half into a hole that would hold a 0.81"),
    ],
)
def test_a_hole_is_worth_what_the_mix_can_cut_from_it(free_milli: int, stranded_gpu_s: int) -> None:
    """A pod strands the worth it destroys beyond its own."""
    view = ClusterView()
    slot = node(view, "n", 64, [free_milli])

    assert lost_gpu_s(view, HALF, slot, "stranding") == stranded_gpu_s


@pytest.mark.parametrize(
    ("shape", "gpus", "cpu", "stranded_gpu_s"),
    [
        pytest.param(WHOLE, 4, 24, 3_600, id="a GPU where CPU is scarce"),
        pytest.param(WHOLE, 4, 96, 0, id="a GPU where CPU abounds"),
        pytest.param(CPU_ONLY, 4, 24, 9_600, id="a CPU-only pod where CPU is scarce"),
        pytest.param(MUCH_CPU, 8, 80, 3_172, id="a pod for much CPU where there is just enough"),
        pytest.param(MUCH_CPU, 2, 104, 0, id="a pod for much CPU where CPU abounds"),
    ],
)
def test_gpus_without_cpu_beside_them_are_stranded(
    shape: PodShape, gpus: int, cpu: int, stranded_gpu_s: int
) -> None:
    """CPU that a pod takes away from free GPUs is counted as the GPUs it kept useful."""
    view = ClusterView()
    slot = node(view, "n", cpu, [1_000] * gpus)

    assert lost_gpu_s(view, shape, slot, "stranding") == stranded_gpu_s


@pytest.mark.parametrize(
    ("whole", "begun", "on", "room_gpu_s"),
    [
        pytest.param(20, 0, "whole-0", 0, id="a GPU of a whole node when hosts abound"),
        pytest.param(4, 16, "whole-0", 13_500, id="a GPU of a whole node when hosts are short"),
        pytest.param(4, 16, "begun-0", 4_500, id="a GPU of a begun node when hosts are short"),
    ],
)
def test_room_for_gangs_is_dear_when_hosts_run_short(
    whole: int, begun: int, on: str, room_gpu_s: int
) -> None:
    """The price follows how many hosts are missing, and falls with what is whole on the node."""
    view = ClusterView()
    for index in range(whole):
        node(view, f"whole-{index}", 96, [1_000] * 8)
    for index in range(begun):
        node(view, f"begun-{index}", 96, [0] * 5 + [1_000] * 3)

    assert lost_gpu_s(view, WHOLE, view.slot(on), "gang-room") == room_gpu_s
