"""A placement that does not fit changes nothing at all, and says what was missing where.

These tests must not place through a policy, which would never ask for such things.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import DuplicateName, FleetError, Oversubscribed
from tests.fleets import node, shape, view_of

if TYPE_CHECKING:
    from gpu_fleet.pods import PodShape

CASES: dict[str, tuple[PodShape, tuple[int, ...], str]] = {
    "too much CPU": (shape(cpus=9), (), "pod p: not enough CPU on a"),
    "too much memory": (shape(memory_gib=33), (), "pod p: not enough memory on a"),
    "the second device is taken": (
        shape(gpus=2),
        (0, 1),
        "pod p: device 1 of a has not enough free",
    ),
    "a device that is not there": (shape(gpus=1), (2,), "device 2 of a has not enough free"),
    "too few devices": (shape(gpus=2), (0,), r"pod p: devices \(0,\) for 2 GPUs"),
    "one device twice": (shape(gpus=2), (0, 0), r"pod p: devices \(0, 0\) for 2 GPUs"),
    "devices for a pod without GPUs": (shape(), (0,), r"pod p: devices \(0,\) for 0 GPUs"),
    "too little device memory": (
        shape(gpus=1, gpu_memory_mib=20_000),
        (0,),
        "device 0 of a has too little memory",
    ),
    "a pod that is placed already": (shape(), (), "pod p is placed already"),
}


@pytest.mark.parametrize("story", CASES)
def test_nothing_is_taken_when_anything_is_missing(story: str) -> None:
    """The view is as it was before, to the last column."""
    asked, devices, message = CASES[story]
    view = view_of([node("a", cpus=8, memory_gib=32, gpus=2, gpu_gib=16)])
    view.place("other", view.intern(shape(gpus=1, milli=500)), 0, (1,))
    if story == "a pod that is placed already":
        view.place("p", view.intern(shape()), 0, ())
    shape_id = view.intern(asked)
    before, changes = view.snapshot(), view.changes
    free = view.gpu_free_milli.copy()

    with pytest.raises(FleetError, match=message) as caught:
        view.place("p", shape_id, 0, devices)

    assert isinstance(caught.value, DuplicateName if "already" in message else Oversubscribed)
    assert before == view.snapshot()
    assert changes == view.changes
    assert free.tolist() == view.gpu_free_milli.tolist()


def test_what_was_placed_is_given_back_exactly() -> None:
    """Placing and releasing leaves every amount as it was; tags count pods of a kind."""
    view = view_of([node("a", gpus=3, gpu_gib=16)])
    part = view.intern(shape(gpus=1, milli=300, gpu_memory_mib=4_000))
    pair = view.intern(shape(gpus=2))
    view.place("p", part, 0, (2,))
    view.place("q", pair, 0, (0, 1))

    assert view.tag_count[0, 1] == 1
    assert view.tag_count[0, 3] == 1
    assert view.gpu_free_milli[0].tolist()[:3] == [0, 0, 700]
    assert view.gpu_memory_free_mib[0].tolist()[:3] == [16_384, 16_384, 12_384]
    assert view.pods_on("a") == ["p", "q"]
    placed = view.placement("q")
    assert placed is not None
    assert placed.devices == (0, 1)
    assert list(view.placements()) == ["p", "q"]

    assert view.release("p").devices == (2,)
    view.release("q")

    assert view.tag_count.sum() == 0
    assert view.gpu_free_sum_milli[0] == 3_000
    assert view.gpu_memory_free_mib[0].tolist()[:3] == [16_384] * 3
    assert view.gpu_allocated_milli == 0
