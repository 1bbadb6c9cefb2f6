"""A restored view says the same about every node as the one its snapshot was taken of.

Slots may differ, names do not. These tests must not compare arrays by slot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.nodes import Device
from scheduler_extender.placement.feasibility import reasons
from tests.fleets import fleets, node, shape, shapes, view_of

if TYPE_CHECKING:
    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import PodShape

COLUMNS = (
    "cpu_free_milli",
    "cpu_total_milli",
    "memory_free_mib",
    "gpu_free_milli",
    "gpu_total_milli",
    "gpu_used_milli",
    "gpu_free_sum_milli",
    "gpu_memory_free_mib",
    "gpu_memory_total_mib",
    "device_kind",
    "device_count",
    "order_key",
    "tag_count",
)


def answers(view: ClusterView, asked: list[PodShape]) -> dict[str, object]:
    """Everything that can be asked about each node, by name."""
    told: dict[str, object] = {}
    for each in view.nodes():
        slot = view.slot(each.name)
        columns = {name: getattr(view, name)[slot].tolist() for name in COLUMNS}
        why = [int(reasons(view, view.intern(s), np.array([slot]))[0]) for s in asked]
        held = {name for at, name in enumerate(view.dataset_names) if view.held[slot, at]}
        told[each.name] = (columns, why, held, view.pods_on(each.name))
    return told


def test_holes_between_slots_are_not_restored() -> None:
    """A node that left leaves no trace."""
    view = view_of([node("a"), node("b"), node("c")])
    one = view.intern(shape(gpus=1, milli=300))
    view.place("p", one, view.slot("c"), (1,))
    view.define_dataset("weights", 7)
    view.hold(view.slot("c"), 0)
    view.remove_node("a")
    restored = ClusterView.restore(view.snapshot())

    assert answers(view, [shape(gpus=2)]) == answers(restored, [shape(gpus=2)])
    assert view.snapshot() == restored.snapshot()
    assert restored.slots == 2


def test_a_pod_on_a_sick_device_is_restored() -> None:
    """What runs, runs: a snapshot is not refused because the node could not take the pod today."""
    healthy = node("a", cpus=8, gpus=2)
    view = view_of([healthy])
    view.place("p", view.intern(shape(cpus=6, gpus=2)), 0, (0, 1))
    view.update_node(
        replace(node("a", cpus=4), devices=(Device(healthy=False), Device(healthy=True)))
    )
    restored = ClusterView.restore(view.snapshot())

    assert answers(view, []) == answers(restored, [])


@settings(max_examples=40, deadline=None)
@given(data=st.data(), nodes=fleets(), asked=st.lists(shapes(), min_size=1, max_size=4))
def test_any_view_is_restored(
    data: st.DataObject, nodes: tuple[Node, ...], asked: list[PodShape]
) -> None:
    """Whatever was placed, held and removed."""
    view = view_of(nodes, asked)
    view.define_dataset("weights", 5)
    for at in range(12):
        each = data.draw(st.sampled_from(asked))
        slot = data.draw(st.sampled_from(view.live_slots().tolist()))
        room = [d for d, free in enumerate(view.gpu_free_milli[slot]) if free >= each.gpu_milli]
        if reasons(view, view.intern(each), np.array([slot]))[0] or each.gpu_memory_mib:
            continue
        view.place(f"pod-{at}", view.intern(each), slot, tuple(room[: each.gpu_count]))
        view.hold(slot, 0)
    if len(nodes) > 1:
        view.remove_node(nodes[0].name)
    restored = ClusterView.restore(view.snapshot())

    assert answers(view, asked) == answers(restored, asked)
