"""`least-loss` names one best node, however nodes are listed and whatever others are called.

A policy whose answer depends on the order of a list cannot be the same in a live service, fed by
watches, and in a simulation, fed from a file. These tests must not fix a seed: nothing is drawn.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.least_loss import LeastLoss
from simulations.placer import Placer
from tests.fleets import node, shape, view_of
from tests.scheduler_extender.placement.states import State, states

if TYPE_CHECKING:
    from gpu_fleet.pods import PodShape

EACH = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def shuffled(view: ClusterView, order: list[int]) -> ClusterView:
    """The same fleet, listed in another order."""
    saved = view.snapshot()
    return ClusterView.restore(replace(saved, nodes=tuple(saved.nodes[at] for at in order)))


def ranking(view: ClusterView, policy: LeastLoss, asked: PodShape) -> list[tuple[int, str]]:
    """Totals with names, the best first."""
    totals = policy.totals(view, view.intern(asked), np.arange(view.slots)).tolist()
    return sorted((total, view.node(slot).name) for slot, total in enumerate(totals))


@EACH
@given(state=states(), data=st.data())
def test_the_order_of_a_list_does_not_matter(state: State, data: st.DataObject) -> None:
    """Every node has the same total in every order, and the same devices are taken."""
    order = data.draw(st.permutations(range(state.view.slots)))
    other = shuffled(state.view, order)
    for asked in state.shapes:
        here = LeastLoss(state.mix, kernels=False)
        there = LeastLoss(state.mix, kernels=False)

        assert ranking(state.view, here, asked) == ranking(other, there, asked)

        for total, name in ranking(state.view, here, asked):
            if total != INFEASIBLE:
                assert here.devices(
                    state.view, state.view.intern(asked), state.view.slot(name), 0
                ) == there.devices(other, other.intern(asked), other.slot(name), 1)


@EACH
@given(state=states(), seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_no_seed_and_no_tie_break_moves_a_pod(state: State, seeds: tuple[int, int]) -> None:
    """The best node is unique, so that kube-scheduler's draw among equals decides nothing."""
    saved = state.view.snapshot()
    went = []
    for seed in seeds:
        for tie_break in TieBreak:
            view = ClusterView.restore(saved)
            ids = [view.intern(asked) for asked in state.shapes]
            placer = Placer(LeastLoss(state.mix, kernels=False), view, tie_break, seed)
            went.append([placer.place(f"p-{at}", each, at) for at, each in enumerate(ids * 2)])

    assert all(each == went[0] for each in went)


def test_two_equal_nodes_are_not_equal() -> None:
    """Nodes that differ in nothing but the name have different totals."""
    view = view_of([node(f"n-{at}", gpus=8) for at in range(100)], [shape(gpus=1)])
    totals = LeastLoss(State(view, (shape(gpus=1),)).mix, kernels=False).totals(
        view, 0, np.arange(100)
    )

    assert len(set(totals.tolist())) == 100


def test_renaming_others_does_not_move_a_pod() -> None:
    """The fill order is a hash of each node's own name."""
    asked = shape(gpus=1)
    first = view_of([node("best", gpus=1), node("x", gpus=8, cpus=64)], [asked])
    second = view_of([node("y", gpus=8, cpus=64), node("best", gpus=1)], [asked])
    policy = LeastLoss(State(first, (asked,)).mix, kernels=False)

    assert policy.totals(first, 0, np.array([first.slot("best")])).tolist() == (
        policy.totals(second, 0, np.array([second.slot("best")])).tolist()
    )


def test_nodes_that_share_a_place_in_the_order_are_told_apart_by_name() -> None:
    """The order has half a million places: node-590 and node-2953 share one and lose the same."""
    asked = shape(gpus=1)
    names = ["node-590", "node-2953"]
    won = set()
    for order in (names, names[::-1]):
        for seed in range(20):
            view = view_of([node(name, gpus=8) for name in order], [asked])
            policy = LeastLoss(State(view, (asked,)).mix, kernels=False)
            totals = policy.totals(view, 0, np.arange(2))
            decision = Placer(policy, view, TieBreak.RANDOM, seed).place("p", 0, 0)
            assert totals[0] == totals[1]
            assert decision is not None
            won.add(view.node(decision.slot).name)

    assert len(won) == 1
