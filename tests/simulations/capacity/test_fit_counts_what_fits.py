"""How many more fit: as many as plain arithmetic says, whoever places them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_fleet.admission import refusal
from gpu_fleet.errors import InputError
from gpu_fleet.pods import PodShape
from gpu_fleet.readings import Missing
from gpu_fleet.refusals import Refusal
from scheduler_extender.placement.registry import POLICIES
from simulations.capacity.fit import Fitting, fit
from simulations.workload import BoundPod, Inventory
from tests.fleets import fleets, inventory, node, shape, shapes, workload

if TYPE_CHECKING:
    from gpu_fleet.nodes import Device, Node

_PLENTY = 1 << 40


def by_arithmetic(machine: Node, pod: PodShape) -> int:
    """Pods of one shape on one empty node; they are all alike, so the order does not matter."""
    if refusal(machine, pod.admission) is not Refusal.NONE:
        return 0
    cpu = machine.cpu_milli // pod.cpu_milli if pod.cpu_milli else _PLENTY
    memory = machine.memory_mib // pod.memory_mib if pod.memory_mib else _PLENTY
    return min(cpu, memory, _by_devices(machine, pod))


def _by_devices(machine: Node, pod: PodShape) -> int:
    if pod.gpu_count == 0:
        return _PLENTY
    each = [_on_device(device, pod) for device in machine.devices]
    # Several GPUs are whole ones, so a device takes part in one pod at most.
    return sum(each) if pod.gpu_count == 1 else sum(map(bool, each)) // pod.gpu_count


def _on_device(device: Device, pod: PodShape) -> int:
    if not device.healthy:
        return 0
    by_milli = device.gpu_milli // pod.gpu_milli
    if not pod.gpu_memory_mib:
        return by_milli
    known = 0 if isinstance(device.memory_mib, Missing) else device.memory_mib
    return min(by_milli, known // pod.gpu_memory_mib)


@settings(max_examples=60, deadline=None)
@given(
    machines=fleets(most=4),
    pod=shapes().filter(lambda s: s.cpu_milli > 500 and s.memory_mib > 500),
    policy=st.sampled_from(sorted(POLICIES)),
)
def test_any_fleet_shape_and_policy(machines: tuple[Node, ...], pod: PodShape, policy: str) -> None:
    """The count is the sum over nodes, and every node has one reason."""
    found = fit(Fitting(inventory(*machines), pod, policy, kernels=False))

    assert found.pods == sum(by_arithmetic(machine, pod) for machine in machines)
    assert sum(found.stops_by_reason.values()) == len(machines)
    assert Refusal.NONE.phrase not in found.stops_by_reason
    assert all(
        thing.nodes <= found.stops_by_reason[thing.refusal.phrase] for thing in found.only_things
    )


def test_bound_pods_keep_their_room() -> None:
    """A node with 2 GPUs, one of which is held: one more whole GPU fits."""
    held = workload(shape(gpus=1)).pods[0].pod
    fleet = Inventory("tests", (node(gpus=2),), (BoundPod(held, "node-0"),))

    assert fit(Fitting(fleet, shape(gpus=1))).pods == 1


def test_other_pods_may_come_first() -> None:
    """What is placed before takes its room; what finds none is counted and takes none."""
    also = workload(shape(gpus=1), shape(gpus=1), shape(cpus=99))
    found = fit(Fitting(inventory(node(gpus=4)), shape(gpus=1), also=also))

    assert (found.pods, found.also_placed, found.also_unplaced) == (2, 2, 1)


def test_the_next_pod_may_have_a_name_that_is_taken() -> None:
    """Pods of the other file keep their names, whatever they are."""
    also = workload(shape(gpus=1))
    fleet = Inventory("tests", (node(gpus=4),), (BoundPod(also.pods[0].pod, "node-0"),))

    assert fit(Fitting(fleet, shape(gpus=1), also=also)).pods == 2


def test_a_pod_that_asks_for_nothing_is_refused() -> None:
    """Any number of it fits, which is no answer."""
    with pytest.raises(InputError, match="asks for nothing"):
        fit(Fitting(inventory(node()), PodShape(0, 0)))


def test_the_log_tells_every_pod() -> None:
    """One line for each that was placed, and one for the one that was not."""
    found = fit(Fitting(inventory(node(gpus=2)), shape(gpus=1), keep_log=True))
    events = [line.split(",")[2] for line in found.log.splitlines()]

    assert events == ["place", "place", "reject"]
