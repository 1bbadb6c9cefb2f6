"""The node list, the sampling, the place where a search goes on, and who wins a tie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.kube.extender_entry import contribution
from simulations.kube.node_list import NodeList
from simulations.kube.profile import Profile
from simulations.kube.sampling import chunk_size, enough_nodes, scan
from simulations.kube.scheduler import schedule
from simulations.kube.selection import best, heap_root
from tests.simulations.kube.small import cluster_of, node, pod

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.kube.objects import KubePod

ONE_WORKER = Profile(parallelism=1)


def test_zones_take_turns() -> None:
    """One node of each zone in turn, zones as they were first seen; an empty zone comes back last.

    Zone x has a, b and d, zone y has c.
    """
    nodes = NodeList()
    for name, zone in (("a", "x"), ("b", "x"), ("c", "y"), ("d", "x")):
        nodes.add(name, ("", zone))
    before = nodes.names()
    nodes.remove("c", ("", "y"))
    nodes.add("e", ("", "z"))
    nodes.add("c", ("", "y"))

    assert before == ["a", "c", "b", "d"]
    assert nodes.names() == ["a", "e", "c", "b", "d"]


@pytest.mark.parametrize(
    ("nodes", "percentage", "enough"),
    [
        (99, 0, 99),
        (100, 0, 100),
        (300, 0, 144),
        (1_000, 0, 420),
        (5_000, 0, 500),
        (10_000, 0, 500),
        (5_000, 100, 5_000),
        (5_000, 1, 100),
    ],
)
def test_a_share_of_the_cluster_is_enough(nodes: int, percentage: int, enough: int) -> None:
    """50 - nodes / 125 percent, at least 5, at least a hundred nodes."""
    assert enough == enough_nodes(nodes, percentage)


@pytest.mark.parametrize(
    ("nodes", "parallelism", "chunk"), [(300, 1, 17), (300, 16, 17), (100, 16, 7), (5, 16, 1)]
)
def test_workers_take_chunks(nodes: int, parallelism: int, chunk: int) -> None:
    """The square root of the cluster, or a worker's share and one, whatever is less."""
    assert chunk == chunk_size(nodes, parallelism)


def test_the_next_search_starts_at_the_node_that_showed_there_were_enough() -> None:
    """Of six, places 1, 3, 4 and 5 are feasible; two are enough: 3 shows it and is not counted."""
    feasible = np.array([False, True, False, True, True, True])

    found = scan(feasible, 5, 2)

    assert found.found.tolist() == [5, 1]
    assert (5 + found.processed) % 6 == 3


@settings(deadline=None)
@given(
    st.lists(st.booleans(), min_size=1, max_size=200),
    st.integers(0, 300),
    st.integers(1, 100),
    st.integers(1, 16),
)
def test_every_order_of_workers_finds_feasible_nodes(
    feasible: list[bool], start: int, enough: int, parallelism: int
) -> None:
    """However many workers: as many as are enough or there are, each once, none infeasible."""
    wanted = min(enough, len(feasible))

    found = scan(np.array(feasible), start, wanted, parallelism)

    assert len(found.found) == len(set(found.found.tolist())) == min(wanted, sum(feasible))
    assert all(feasible[place] for place in found.found.tolist())
    assert len(found.found) <= found.processed <= len(feasible)


def go_heap_root(totals: list[int]) -> int:
    """The root after container/heap's Init, which is where the winner comes from."""
    heap = list(enumerate(totals))
    for parent in range(len(heap) // 2 - 1, -1, -1):
        at = parent
        while (child := 2 * at + 1) < len(heap):
            if child + 1 < len(heap) and heap[child + 1][1] > heap[child][1]:
                child += 1
            if heap[child][1] <= heap[at][1]:
                break
            heap[at], heap[child] = heap[child], heap[at]
            at = child
    return heap[0][0]


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=120))
def test_the_first_in_pre_order_wins_a_tie(totals: list[int]) -> None:
    """The rule by which the model picks agrees with the heap itself."""
    scores = np.array(totals)

    assert go_heap_root(totals) == heap_root(best(scores), len(totals))


class Naming:
    """An extender that names some nodes and refuses others."""

    weight = 1

    def __init__(
        self, scores: Mapping[str, int] | None, refused: frozenset[str] = frozenset()
    ) -> None:
        self._scores = scores
        self._refused = refused

    def is_interested(self, _pod: KubePod) -> bool:
        """In everything."""
        return True

    def keep(self, _pod: KubePod, names: Sequence[str]) -> Sequence[str]:
        """All but those refused."""
        return [name for name in names if name not in self._refused]

    def prioritize(self, _pod: KubePod, _names: Sequence[str]) -> Mapping[str, int] | None:
        """The same for every pod."""
        return self._scores


def test_a_tie_among_named_nodes_is_a_draw() -> None:
    """Named nodes carry a random number: over many draws each wins, and no unnamed one does."""
    cluster = cluster_of(*(node(name) for name in "abcd"))
    extender = Naming({"b": 0, "d": 0})

    winners = {
        schedule(cluster, pod("p"), extenders=[extender], key=(1, draw)).node for draw in range(40)
    }

    assert winners == {"b", "d"}
    assert schedule(cluster, pod("p"), extenders=[extender]).is_drawn


def test_an_extender_that_fails_to_score_changes_nothing() -> None:
    """Without its scores the heap decides, as it does without an extender."""
    cluster = cluster_of(*(node(name) for name in "abcd"))

    alone = schedule(cluster, pod("p"))
    failed = schedule(cluster, pod("p"), extenders=[Naming(None)])

    assert alone.node == failed.node
    assert not failed.is_drawn


def test_extenders_shrink_the_candidates_in_turn() -> None:
    """What the first refuses the second never sees; refused nodes do not move the next search."""
    cluster = cluster_of(*(node(name) for name in "abcd"))
    extenders = [Naming({}, frozenset("ab")), Naming({"d": 3})]

    cycle = schedule(cluster, pod("p"), ONE_WORKER, extenders=extenders)

    assert cycle.candidates == ("c", "d")
    assert cycle.node == "d"
    assert cycle.scores["extenders"].tolist() == [0, 30]
    assert cycle.next_start == 0


def test_several_replies_add_up() -> None:
    """Score x weight x 10; who is not named gets nothing."""
    added, named = contribution([(2, {"a": 3, "b": 0}), (1, {"a": 1, "x": 9})], ["a", "b", "c"])

    assert added.tolist() == [70, 0, 0]
    assert named.tolist() == [True, True, False]


def test_one_candidate_is_not_scored() -> None:
    """Where one node is left it is taken as it is."""
    cluster = cluster_of(node("a"), node("b", 100))

    cycle = schedule(cluster, pod("p"))

    assert cycle.node == "a"
    assert cycle.scores == {}


def test_nothing_comes_of_an_empty_cluster() -> None:
    """Without nodes there is no node, and no error."""
    assert schedule(cluster_of(), pod("p")).node is None


def test_a_table_of_scores_is_readable() -> None:
    """The best first, one column for each plugin."""
    cluster = cluster_of(node("a"), node("b", 20_000, 20))

    lines = schedule(cluster, pod("p")).table().splitlines()

    assert lines[0].split()[0] == "node"
    assert lines[1].startswith("b")
    assert len(lines) == 3
