"""An unhealthy device offers nothing, whoever is on it; what it had comes back when it heals.

These tests must not treat a sick device as a missing one: its index stays its own.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpu_fleet.cluster_view import UNKNOWN_MIB
from gpu_fleet.errors import Oversubscribed
from gpu_fleet.nodes import Device
from gpu_fleet.readings import Missing
from tests.fleets import node, shape, view_of


def test_a_device_that_falls_sick_is_no_longer_free() -> None:
    """Its column is 0, the others keep their index, and capacity counts only the healthy."""
    healthy = node("a", gpus=2)
    view = view_of([healthy])
    view.update_node(replace(healthy, devices=(Device(healthy=False), Device())))
    slot = view.slot("a")

    assert view.gpu_free_milli[slot].tolist()[:2] == [0, 1_000]
    assert view.gpu_capacity_milli == 1_000
    assert view.device_count[slot] == 1
    with pytest.raises(Oversubscribed, match="device 0 of a has not enough free"):
        view.place("p", view.intern(shape(gpus=1)), slot, (0,))


def test_a_pod_on_a_device_that_falls_sick_is_still_counted() -> None:
    """It keeps what it has; when the device heals, only the rest is free."""
    healthy = node("a", gpus=1)
    view = view_of([healthy])
    slot = view.slot("a")
    view.place("p", view.intern(shape(gpus=1, milli=300)), slot, (0,))
    view.update_node(replace(healthy, devices=(Device(healthy=False),)))

    assert view.gpu_free_milli[slot, 0] == 0
    assert view.gpu_allocated_milli == 300

    view.update_node(healthy)

    assert view.gpu_free_milli[slot, 0] == 700


def test_a_pod_that_leaves_a_sick_device_frees_nothing_yet() -> None:
    """The device stays empty-handed until it is healthy again."""
    healthy = node("a", gpus=1)
    view = view_of([healthy])
    slot = view.slot("a")
    view.place("p", view.intern(shape(gpus=1)), slot, (0,))
    view.update_node(replace(healthy, devices=(Device(healthy=False),)))
    view.release("p")

    assert view.gpu_free_milli[slot, 0] == 0

    view.update_node(healthy)

    assert view.gpu_free_milli[slot, 0] == 1_000


def test_memory_that_nobody_knows_is_never_enough() -> None:
    """Unknown is not zero and not plenty: a pod that asks for device memory is refused."""
    view = view_of([node("a", gpus=1, gpu_gib=None)])
    slot = view.slot("a")

    assert view.gpu_memory_free_mib[slot, 0] == UNKNOWN_MIB
    with pytest.raises(Oversubscribed, match="too little memory"):
        view.place("p", view.intern(shape(gpus=1, gpu_memory_mib=1)), slot, (0,))
    view.place("q", view.intern(shape(gpus=1)), slot, (0,))


def test_memory_that_is_unknown_for_a_while_is_not_given_twice() -> None:
    """A probe that goes silent and comes back does not free what a pod holds."""
    known = node("a", gpus=1, gpu_gib=16)
    view = view_of([known])
    slot = view.slot("a")
    view.place("p", view.intern(shape(gpus=1, milli=300, gpu_memory_mib=10_000)), slot, (0,))
    view.update_node(replace(known, devices=(Device(memory_mib=Missing("probe silent")),)))
    view.update_node(known)

    assert view.gpu_memory_free_mib[slot, 0] == 6_384

    view.release("p")

    assert view.gpu_memory_free_mib[slot, 0] == 16_384
