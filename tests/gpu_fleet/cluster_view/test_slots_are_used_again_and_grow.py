"""Columns are reused after a node left, and grow in number without forgetting anything.

These tests must not assume how many columns there are at first.
"""

from __future__ import annotations

from gpu_fleet.admission import ANYWHERE
from gpu_fleet.refusals import Refusal
from tests.fleets import node, shape, view_of


def test_a_freed_slot_is_used_again() -> None:
    """A new node takes the place of the old one and inherits nothing from it."""
    view = view_of([node("a", gpus=4, gpu_gib=16), node("b")])
    one = view.intern(shape(gpus=1, gpu_memory_mib=1_000))
    data = view.define_dataset("weights", 10)
    view.place("p", one, view.slot("a"), (0,))
    view.hold(view.slot("a"), data)
    freed = view.slot("a")
    view.remove_node("a")
    view.add_node(node("c", cpus=4, gpus=1, model="C"))

    assert freed == view.slot("c")
    assert view.slots == 2
    assert view.cpu_free_milli[freed] == 4_000
    assert view.gpu_free_milli[freed].tolist()[:4] == [1_000, 0, 0, 0]
    assert view.tag_count[freed].sum() == 0
    assert not view.held[freed].any()
    assert view.pods_on("c") == []
    assert view.node(freed).name == "c"
    assert view.models[view.model_id[freed]] == "C"


def test_a_view_grows_and_keeps_what_it_knew() -> None:
    """Beyond its first capacity nothing is lost: amounts, pods, rules, datasets, versions."""
    view = view_of([node("first", cpus=3, gpus=2)])
    slot, first_capacity = view.slot("first"), view.capacity
    one = view.intern(shape(cpus=1, gpus=1))
    view.place("p", one, slot, (1,))
    data = view.define_dataset("weights", 10)
    view.hold(slot, data)
    version = int(view.version[slot])
    for at in range(first_capacity + 1):
        view.add_node(node(f"more-{at}"))

    row = view.admission_row(ANYWHERE)

    assert view.capacity > first_capacity
    assert view.cpu_free_milli[slot] == 2_000
    assert view.gpu_free_milli[slot].tolist()[:2] == [1_000, 0]
    assert view.held[slot, data]
    assert version == view.version[slot]
    assert view.pods_on("first") == ["p"]
    assert (view.refusals[row, : view.slots] == Refusal.NONE).all()
    assert (view.refusals[row, view.slots :] == Refusal.ABSENT).all()


def test_order_keys_belong_to_names() -> None:
    """A node has the same key whatever else is in the view and whichever slot it got."""
    alone = view_of([node("x")])
    among = view_of([node("a"), node("b"), node("x")])

    assert alone.order_key[alone.slot("x")] == among.order_key[among.slot("x")]
