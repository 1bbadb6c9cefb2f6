"""What `PlacementPolicy` promises, for every policy of the registry and the baseline in tests.

A new policy is under contract as soon as it is registered. To draw a state costs more than to score
it, so one state serves all policies; the policy is named where an assertion fails. These tests must
not know what any policy prefers.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_fleet import compiled
from gpu_fleet.refusals import Refusal
from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.feasibility import fits, open_list, reasons, shapes_that_fit
from scheduler_extender.placement.pod_mix import PodMix
from simulations.placer import Placer
from tests.scheduler_extender.placement.states import (
    ALL_POLICIES,
    WITH_KERNELS,
    State,
    build,
    states,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpu_fleet.protocols import PlacementPolicy

EACH = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def asked(state: State) -> Iterator[tuple[PlacementPolicy, int]]:
    """Every policy, those with a kernel both ways, with every shape."""
    policies = [build(name, state.mix) for name in ALL_POLICIES]
    if compiled.is_available():
        policies += [build(name, state.mix, kernels=True) for name in WITH_KERNELS]
    return product(policies, state.ids)


@EACH
@given(state=states())
def test_totals_are_what_evaluate_says(state: State) -> None:
    """The hot path and the explaining path agree to the last unit, and terms add up."""
    for policy, shape_id in asked(state):
        scores = policy.evaluate(state.view, shape_id, state.columns)
        total = policy.totals(state.view, shape_id, state.columns)
        can = scores.feasible

        assert total.dtype == np.int64, policy.name
        assert total.tolist() == scores.total.tolist(), policy.name
        assert state.columns.tolist() == scores.columns.tolist(), policy.name
        assert scores.terms.shape == (len(scores.names), len(state.columns)), policy.name
        assert total[can].tolist() == scores.terms.sum(axis=0)[can].tolist(), policy.name


@EACH
@given(state=states())
def test_a_policy_refuses_exactly_what_does_not_fit(state: State) -> None:
    """`INFEASIBLE` where feasibility gives a reason and nowhere else: no win by refusing."""
    for policy, shape_id in asked(state):
        why = reasons(state.view, shape_id, state.columns)
        total = policy.totals(state.view, shape_id, state.columns)
        told = policy.evaluate(state.view, shape_id, state.columns).reasons

        assert (why == Refusal.NONE).tolist() == (total != INFEASIBLE).tolist(), policy.name
        assert why.tolist() == told.tolist(), policy.name


@EACH
@given(state=states(), picked=st.lists(st.integers(0, 99), max_size=12))
def test_a_column_has_one_total_whoever_it_is_asked_with(state: State, picked: list[int]) -> None:
    """Any subset, in any order, some columns twice: caches ask so."""
    columns = np.array(picked, np.int64) % state.view.slots
    for policy, shape_id in asked(state):
        whole = policy.totals(state.view, shape_id, state.columns)
        some = policy.totals(state.view, shape_id, columns)

        assert whole[columns].tolist() == some.tolist(), policy.name


@EACH
@given(state=states())
def test_an_explanation_is_the_total_taken_apart(state: State) -> None:
    """The value that is printed has the total that decided, or what stood in the way."""
    for policy, shape_id in asked(state):
        total = policy.totals(state.view, shape_id, state.columns)
        why = reasons(state.view, shape_id, state.columns)
        told = policy.explain(state.view, shape_id, state.columns)
        for slot, score in zip(state.columns.tolist(), told, strict=True):
            assert score.node == state.view.node(slot).name, policy.name
            assert score.total == total[slot], policy.name
            assert score.refusal == why[slot], policy.name
            assert score.node in str(score), policy.name
            if score.refusal is Refusal.NONE:
                assert score.total == sum(term.loss for term in score.terms), policy.name


@EACH
@given(state=states(), draw=st.integers(0, 2**64 - 1))
def test_devices_are_free_and_as_many_as_asked(state: State, draw: int) -> None:
    """On every node that fits, the policy names devices that the view accepts, without effects."""
    view = state.view
    for policy, shape_id in asked(state):
        count = view.shapes[shape_id].gpu_count
        for slot in np.flatnonzero(fits(view, shape_id, state.columns)).tolist():
            devices = policy.devices(view, shape_id, slot, draw)
            room = {at for _, at in open_list(view, shape_id, slot)}

            assert len(devices) == len(set(devices)) == count, policy.name
            assert set(devices) <= room, policy.name
            assert devices == policy.devices(view, shape_id, slot, draw), policy.name

            view.place("new", shape_id, slot, devices)
            view.release("new")


@EACH
@given(state=states(), tie_break=st.sampled_from(TieBreak), seed=st.integers(0, 99))
def test_every_pod_that_fits_somewhere_is_placed(
    state: State, tie_break: TieBreak, seed: int
) -> None:
    """The Placer says None only when no node has room, and never raises."""
    for name in ALL_POLICIES:
        placer = Placer(build(name, state.mix), state.view, tie_break, seed)
        placed = []
        for sequence, shape_id in enumerate(state.ids * 3):
            room = bool(fits(state.view, shape_id, state.columns).any())
            pod = f"{name}-{sequence}"

            assert room == placer.fits(shape_id), name
            assert room == (placer.place(pod, shape_id, sequence) is not None), name

            placed += [pod] if room else []
        for pod in placed:
            state.view.release(pod)


@pytest.mark.parametrize("name", ALL_POLICIES)
def test_a_policy_knows_its_name(name: str) -> None:
    """What reports call it is what the registry calls it."""
    assert name == build(name, PodMix()).name


@EACH
@given(state=states())
def test_feasibility_is_one_rule_in_three_forms(state: State) -> None:
    """By column with reasons, by column without, and by shape for one node."""
    shape_ids = np.array(state.ids)
    by_column = np.array([fits(state.view, each, state.columns) for each in state.ids])
    why = np.array([reasons(state.view, each, state.columns) for each in state.ids])
    by_node = np.array([shapes_that_fit(state.view, slot, shape_ids) for slot in state.columns]).T

    assert ((why == Refusal.NONE) == by_column).all()
    assert (by_column == by_node).all()
