"""Totals that were kept are the totals that a fresh scoring gives, after anything that can happen.

Hypothesis makes the history: pods come and go, nodes are added, changed and removed, rows fall out
of the cache, the mix is learned anew. These tests must not look inside the cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gpu_fleet import cluster_view
from gpu_fleet.cluster_view import ClusterView
from scheduler_extender.placement.best_fit import BestFit
from scheduler_extender.placement.feasibility import fits, open_list
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.pod_mix import PodMix
from scheduler_extender.placement.score_cache import ScoreCache
from tests.fleets import fleets, node, nodes, shape, shapes, view_of
from tests.scheduler_extender.placement.states import ALL_POLICIES, build

if TYPE_CHECKING:
    import pytest

    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import PodShape
    from gpu_fleet.protocols import PlacementPolicy

NAMES = tuple(f"node-{at}" for at in range(6))


class Cached(RuleBasedStateMachine):
    """One view, every policy with a cache of two rows, and fresh scorings to compare with."""

    @initialize(some=fleets(most=4), asked=st.lists(shapes(), min_size=3, max_size=4, unique=True))
    def begin(self, some: tuple[Node, ...], asked: list[PodShape]) -> None:
        """A view, and the shapes that will be asked for: more than there are rows."""
        self.view = ClusterView.of(some)
        self.ids = [self.view.intern(each) for each in asked]
        self.mix = PodMix.of(asked)
        self.policies: list[PlacementPolicy] = [build(name, self.mix) for name in ALL_POLICIES]
        self.caches = [ScoreCache(policy, self.view, max_shapes=2) for policy in self.policies]
        self.pods: list[str] = []
        self.came = 0

    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def add_or_update(self, data: st.DataObject, name: str) -> None:
        """A node comes or changes."""
        new = data.draw(nodes(name))
        (self.view.update_node if name in self.view else self.view.add_node)(new)

    @precondition(lambda self: len(self.view) > 0)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """A node goes with its pods."""
        name = data.draw(st.sampled_from([each.name for each in self.view.nodes()]))
        gone = self.view.remove_node(name)
        self.pods = [pod for pod in self.pods if pod not in gone]

    @rule(data=st.data())
    def place(self, data: st.DataObject) -> None:
        """A pod comes, to any node with room."""
        shape_id = data.draw(st.sampled_from(self.ids))
        room = np.flatnonzero(fits(self.view, shape_id, np.arange(self.view.slots)))
        if len(room) == 0:
            return
        slot = data.draw(st.sampled_from(room.tolist()))
        found = [device for _, device in open_list(self.view, shape_id, slot)]
        count = int(self.view.shapes.gpu_count[shape_id])
        self.view.place(f"pod-{self.came}", shape_id, slot, tuple(found[:count]))
        self.pods.append(f"pod-{self.came}")
        self.came += 1

    @precondition(lambda self: self.pods)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """A pod goes."""
        pod = data.draw(st.sampled_from(self.pods))
        self.view.release(pod)
        self.pods.remove(pod)

    @rule(asked=st.lists(shapes(), min_size=1, max_size=3))
    def learn(self, asked: list[PodShape]) -> None:
        """Policies that learn are told of another mix; their totals change though no column did."""
        for policy in self.policies:
            if isinstance(policy, LeastLoss):
                policy.learn(PodMix.of(asked))
        self.mix = PodMix.of(asked)

    @invariant()
    def cached_is_fresh(self) -> None:
        """Every row of every policy, asked in turn so that rows fall out and come back."""
        if not hasattr(self, "caches"):
            return
        columns = np.arange(self.view.slots)
        for policy, cache in zip(self.policies, self.caches, strict=True):
            for shape_id in self.ids:
                fresh = policy.totals(self.view, shape_id, columns).tolist()

                assert fresh == cache.totals(shape_id).tolist(), policy.name


TestCached = Cached.TestCase
TestCached.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)


def test_a_reader_that_fell_behind_the_feed_starts_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """More changes than the feed remembers: nothing is missed."""
    monkeypatch.setattr(cluster_view, "_FEED", 8)
    view = view_of([node("a", gpus=4), node("b", gpus=4)])
    one = view.intern(shape(gpus=1))
    cache = ScoreCache(BestFit(), view)
    cache.totals(one)
    for at in range(4):
        view.place(f"a-{at}", one, 0, (at,))
        view.place(f"b-{at}", one, 1, (at,))
    view.release("b-3")

    assert cache.totals(one).tolist() == BestFit().totals(view, one, np.arange(2)).tolist()


def test_only_changed_columns_are_scored_again() -> None:
    """After one placement a known shape costs one column; an unknown one costs them all."""
    scored: list[int] = []

    class Counting(BestFit):
        def totals(self, view, shape_id, columns):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
            scored.append(len(columns))
            return super().totals(view, shape_id, columns)

    view = view_of([node(f"n-{at}") for at in range(10)])
    one, other = view.intern(shape(gpus=1)), view.intern(shape(cpus=2))
    cache = ScoreCache(Counting(), view)
    cache.totals(one)
    cache.totals(one)
    view.place("p", one, 3, (0,))
    cache.totals(one)
    cache.totals(other)

    assert scored == [10, 1, 10]


def test_rows_of_shapes_not_asked_for_lately_are_dropped() -> None:
    """The shape that waited longest goes first, and costs a whole scan when it comes back."""
    scored: list[int] = []

    class Counting(BestFit):
        def totals(self, view, shape_id, columns):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
            scored.append(shape_id)
            return super().totals(view, shape_id, columns)

    view = view_of([node("a")])
    first, second, third = (view.intern(shape(cpus=each)) for each in (1, 2, 3))
    cache = ScoreCache(Counting(), view, max_shapes=2)
    for shape_id in (first, second, first, third, first, second):
        cache.totals(shape_id)

    assert scored == [first, second, third, second]
