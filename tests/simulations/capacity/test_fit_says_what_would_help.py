"""Where one thing alone is in the way, more of it would let a pod in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.refusals import Refusal
from simulations.capacity.fit import Fitting, fit
from simulations.capacity.rows import fit_verdict
from tests.fleets import inventory, node, shape

if TYPE_CHECKING:
    from gpu_fleet.nodes import Node

POD = shape(cpus=4, memory_gib=16, gpus=1)


@pytest.mark.parametrize(
    ("machine", "alone"),
    [
        pytest.param(node(cpus=3), Refusal.CPU, id="CPU"),
        pytest.param(node(memory_gib=15), Refusal.MEMORY, id="memory"),
        pytest.param(node(gpus=0), Refusal.GPU_COUNT, id="no GPU"),
        pytest.param(node(cordoned=True), Refusal.CORDONED, id="cordoned"),
        pytest.param(node(cpus=3, memory_gib=15), None, id="CPU and memory"),
        pytest.param(node(cpus=3, cordoned=True), None, id="CPU, and cordoned"),
        pytest.param(node(cpus=16, gpus=2), Refusal.GPU_FREE, id="GPUs that the pods took"),
    ],
)
def test_one_node(machine: Node, alone: Refusal | None) -> None:
    """The only thing is named, and none is where there are two."""
    found = fit(Fitting(inventory(machine), POD))

    assert [thing.refusal for thing in found.only_things] == ([] if alone is None else [alone])


def test_what_is_used_up_comes_before_what_was_never_there() -> None:
    """Three nodes without GPUs say less than one that lacks CPU beside two free GPUs."""
    never = [node(f"cpu-{at}", gpus=0) for at in range(3)]
    found = fit(Fitting(inventory(*never, node("short", cpus=3, gpus=2)), POD))

    assert [thing.refusal for thing in found.only_things] == [Refusal.CPU, Refusal.GPU_COUNT]
    assert fit_verdict(POD, found) == (
        "No pod of this shape (1 x 1 GPU, 4 CPU, 16 GiB) fits. "
        "The only obstacle on 1 node is 'not enough free CPU', and 2 GPUs are free there."
    )
