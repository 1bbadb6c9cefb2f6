"""What a cluster keeps between decisions equals what a fresh count would say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_fleet.errors import DuplicateName, UnknownName
from gpu_fleet.nodes import Taint
from simulations.kube.cluster import KubeCluster
from simulations.kube.objects import (
    HOSTNAME,
    ZONE,
    KubeNode,
    KubePod,
    NodeImage,
    SpreadConstraint,
    WeightedPodTerm,
)
from simulations.kube.scheduler import Cycle, schedule
from tests.simulations.kube.small import app, cluster_of, node, pod, pods_called

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = tuple("abcdef")


def pods() -> st.SearchStrategy[KubePod]:
    """Pods that look at other pods in every way that the model knows."""
    soft = SpreadConstraint(ZONE, 1, hard=False, selector=app("x"))
    hard = SpreadConstraint(HOSTNAME, 3, hard=True, selector=app("y"))
    return st.builds(
        pod,
        st.just("p"),
        cpu=st.sampled_from((100, 900)),
        labels=st.sampled_from(({"app": "x"}, {"app": "y"}, {})),
        spread=st.sampled_from(((), (soft,), (hard, soft))),
        away_from_pods=st.sampled_from(((), (pods_called("y", HOSTNAME),))),
        preferred_pods=st.sampled_from(
            ((), (WeightedPodTerm(4, pods_called("x", ZONE)),),
             (WeightedPodTerm(-9, pods_called("y", HOSTNAME)),))
        ),
    )  # fmt: skip


def fleet() -> list[KubeNode]:
    """Six nodes in two zones and none."""
    return [
        node(name, zone=(None, "1", "2")[number % 3], images=(NodeImage((f"i{number % 2}",), 1),))
        for number, name in enumerate(NAMES)
    ]


def told(cycle: Cycle) -> tuple[object, ...]:
    """What two equal decisions share."""
    return cycle.node, cycle.candidates, cycle.totals.tolist(), cycle.next_start


@settings(deadline=None)
@given(st.lists(st.tuples(pods(), st.sampled_from(NAMES), st.booleans()), max_size=25), pods())
def test_a_cluster_with_a_past_decides_like_a_fresh_one(
    steps: Sequence[tuple[KubePod, str, bool]], asked: KubePod
) -> None:
    """Pods come and go and are asked about; then a cluster made afresh says the same."""
    lived = KubeCluster()
    for each in fleet():
        lived.add_node(each)
    left: dict[str, tuple[KubePod, str]] = {}
    for number, (wanted, where, leaves) in enumerate(steps):
        schedule(lived, wanted)
        named = replace(wanted, name=f"p{number}")
        lived.place(named, where)
        left[named.full_name] = (named, where)
        if leaves:
            gone = min(left)
            lived.release(gone)
            del left[gone]
    fresh = KubeCluster()
    for each in fleet():
        fresh.add_node(each)
    for named, where in left.values():
        fresh.place(named, where)

    assert told(schedule(fresh, asked)) == told(schedule(lived, asked))


def test_a_node_that_changes_is_seen_anew() -> None:
    """A taint, a label and an image that change are what the next decision knows."""
    cluster = cluster_of(node("a"), node("b"))
    assert set(schedule(cluster, pod("p")).candidates) == {"a", "b"}

    cluster.update_node(node("a", taints=(Taint("x", "", "NoSchedule"),)))

    assert set(schedule(cluster, pod("p")).candidates) == {"b"}


def test_a_node_leaves_with_its_pods() -> None:
    """What ran there is told, and counts no more; an image that it alone had is forgotten."""
    cluster = cluster_of(node("a", images=(NodeImage(("i",), 5),)), node("b"))
    cluster.place(pod("q"), "a")

    gone = cluster.remove_node("a")

    assert [each.name for each in gone] == ["q"]
    assert "default/q" not in cluster
    assert cluster.images == {}
    assert schedule(cluster, pod("p")).node == "b"


def test_a_hundred_nodes_outgrow_the_first_columns() -> None:
    """Counts and terms survive the growth of the columns."""
    cluster = cluster_of(*(node(f"n{number}") for number in range(64)))
    shy = pod("shy", labels={"app": "x"}, away_from_pods=(pods_called("x", HOSTNAME),))
    cluster.place(shy, "n0")
    schedule(cluster, shy)
    for number in range(64, 100):
        cluster.add_node(node(f"n{number}"))

    candidates = schedule(cluster, pod("p", labels={"app": "x"})).candidates

    assert len(candidates) == 99
    assert "n0" not in candidates


def test_names_are_known_once() -> None:
    """A node or pod twice, or one that is not there, is an error that says so."""
    cluster = cluster_of(node("a"))
    cluster.place(pod("q"), "a")

    with pytest.raises(DuplicateName):
        cluster.add_node(node("a"))
    with pytest.raises(DuplicateName):
        cluster.place(pod("q"), "a")
    with pytest.raises(UnknownName):
        cluster.place(pod("r"), "z")
    with pytest.raises(UnknownName):
        cluster.release("default/r")
