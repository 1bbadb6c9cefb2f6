"""Nodes are added, updated and removed by name; their pods survive what leaves the node standing.

These tests must not look at scores: the view only counts.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpu_fleet.admission import Admission
from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.errors import DuplicateName, UnknownName
from gpu_fleet.refusals import Refusal
from tests.fleets import node, shape, view_of


def test_an_added_node_is_free_as_a_whole() -> None:
    """All it has is free, and all of it is counted."""
    view = view_of([node("a", cpus=8, memory_gib=32, gpus=2)])
    slot = view.slot("a")

    assert 8_000 == view.cpu_free_milli[slot] == view.cpu_total_milli[slot]
    assert 32_768 == view.memory_free_mib[slot] == view.memory_total_mib[slot]
    assert view.gpu_free_milli[slot].tolist()[:3] == [1_000, 1_000, 0]
    assert view.gpu_free_sum_milli[slot] == 2_000
    assert view.gpu_capacity_milli == 2_000
    assert "a" in view
    assert len(view) == 1


def test_a_node_is_added_once() -> None:
    """A second one of the same name is refused, and the first stays."""
    view = view_of([node("a", cpus=8)])

    with pytest.raises(DuplicateName, match="node a is in the view already; update it instead"):
        view.add_node(node("a", cpus=4))

    assert view.cpu_free_milli[view.slot("a")] == 8_000


def test_unknown_names_are_told() -> None:
    """Asking for a node or a pod that is not there says so."""
    view = view_of([node("a")])

    with pytest.raises(UnknownName, match="node b is not in the view; add it first"):
        view.slot("b")
    with pytest.raises(UnknownName, match="node b is not in the view"):
        view.update_node(node("b"))
    with pytest.raises(UnknownName, match="node b is not in the view"):
        view.remove_node("b")
    with pytest.raises(UnknownName, match="pod p is not placed"):
        view.release("p")
    with pytest.raises(UnknownName, match="no node in slot 7"):
        view.node(7)


def test_an_update_keeps_the_pods() -> None:
    """A node that grew has more free, by exactly what it grew."""
    view = view_of([node("a", cpus=8, gpus=1)])
    one = view.intern(shape(cpus=2, gpus=1, milli=300))
    view.place("p", one, view.slot("a"), (0,))
    view.update_node(node("a", cpus=12, gpus=2))
    slot = view.slot("a")

    assert view.cpu_free_milli[slot] == 10_000
    assert view.gpu_free_milli[slot].tolist()[:2] == [700, 1_000]
    assert view.gpu_free_sum_milli[slot] == 1_700
    assert view.pods_on("a") == ["p"]

    view.release("p")

    assert view.cpu_free_milli[slot] == 12_000
    assert view.gpu_free_sum_milli[slot] == 2_000


def test_a_node_that_shrank_below_its_pods_takes_no_more() -> None:
    """What is free is below zero then, or nothing, and comes back when the pods are gone."""
    view = view_of([node("a", cpus=8, gpus=2)])
    both = view.intern(shape(cpus=6, gpus=2))
    view.place("p", both, view.slot("a"), (0, 1))
    view.update_node(node("a", cpus=4, gpus=1))
    slot = view.slot("a")

    assert view.cpu_free_milli[slot] == -2_000
    assert view.gpu_free_milli[slot].tolist()[:2] == [0, 0]

    view.release("p")

    assert view.cpu_free_milli[slot] == 4_000
    assert view.gpu_free_milli[slot].tolist()[:2] == [1_000, 0]


def test_a_removed_node_takes_its_pods_along() -> None:
    """Its pods are named, so that the host can place them again, and nothing of it is left."""
    view = view_of([node("a"), node("b")])
    one = view.intern(shape(gpus=1))
    view.place("p", one, view.slot("a"), (0,))
    view.place("q", one, view.slot("a"), (1,))
    slot = view.slot("a")

    assert view.remove_node("a") == ["p", "q"]
    assert "a" not in view
    assert view.placement("p") is None
    assert view.gpu_capacity_milli == 2_000
    assert view.gpu_allocated_milli == 0
    assert view.cpu_free_milli[slot] == 0
    assert view.refusals[0, slot] == Refusal.ABSENT
    assert view.live_slots().tolist() == [view.slot("b")]


def test_admission_is_matched_for_new_rules_and_for_changed_nodes() -> None:
    """A rule first seen later looks at all nodes; a node that changed is looked at again."""
    view = view_of([node("a", model="A"), node("b", model="B")])
    row = view.admission_row(Admission(gpu_models=("A",)))

    assert view.refusals[row, :2].tolist() == [Refusal.NONE, Refusal.GPU_MODEL]

    view.update_node(replace(node("b", model="A"), cordoned=False))
    view.update_node(replace(node("a", model="A"), cordoned=True))

    assert view.refusals[row, :2].tolist() == [Refusal.CORDONED, Refusal.NONE]


def test_more_admission_rules_than_rows_are_kept() -> None:
    """The table of rules grows, and old rows keep what they say."""
    view = view_of([node("a", model="A")])
    rules = [Admission(gpu_models=(name,)) for name in ("A", *"BCDEFGHI")]
    rows = [view.admission_row(rule) for rule in rules]

    expected = [Refusal.NONE, *[Refusal.GPU_MODEL] * 8]

    assert expected == [view.refusals[row, 0] for row in rows]
    assert rows == [view.admission_row(rule) for rule in rules]


def test_an_empty_view_answers() -> None:
    """No node is no error."""
    view = ClusterView()

    assert len(view) == 0
    assert view.live_slots().tolist() == []
    assert view.gpu_capacity_milli == 0
    assert view.nodes() == []
