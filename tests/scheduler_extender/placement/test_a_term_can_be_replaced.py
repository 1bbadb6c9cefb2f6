"""One term of `least-loss` in the place of another: the totals change by it, and by nothing else.

What a user's own term changes in a simulation it changes in the live answer, because both ask the
same object. These tests must not rely on what the replaced term said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.score_cache import ScoreCache
from simulations.placer import Placer
from tests.scheduler_extender.placement.states import agents_at_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

NAMES = [term.name for term in agents_at_work()[1].terms]


class Constant:
    """A term that charges the same everywhere, or more for each slot."""

    def __init__(self, name: str, loss: int, by_slot: int = 0) -> None:
        self.name = name
        self.loss, self.by_slot = loss, by_slot

    def applies(self, view: ClusterView, shape_id: int) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def losses(
        self,
        view: ClusterView,  # noqa: ARG002
        shape_id: int,  # noqa: ARG002
        columns: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """The constant."""
        return np.asarray(self.loss + self.by_slot * columns)

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:  # noqa: ARG002
        """For people."""
        return "for a test"


@pytest.mark.parametrize("name", NAMES)
def test_totals_change_by_the_term_and_nothing_else(name: str) -> None:
    """Old total, less what the old term said, plus the constant; refusals stay."""
    state, policy = agents_at_work()
    columns = state.columns
    before = {each: policy.evaluate(state.view, each, columns) for each in state.ids}
    policy.replace_term(Constant(name, 1_234_567))
    for shape_id, old in before.items():
        row = old.names.index(name)
        expected = np.where(
            old.feasible, old.total - old.terms[row] + 1_234_567, INFEASIBLE
        ).tolist()

        assert expected == policy.totals(state.view, shape_id, columns).tolist()
        assert expected == policy.evaluate(state.view, shape_id, columns).total.tolist()
        if old.feasible[0]:
            (told,) = policy.explain(state.view, shape_id, columns[:1])

            assert {term.name: term.loss for term in told.terms}[name] == 1_234_567
            assert "1 for a test" in str(told)


def test_a_cache_notices_that_a_term_was_replaced() -> None:
    """No column moved, yet every total is another: the policy's version says so."""
    state, policy = agents_at_work()
    cache = ScoreCache(policy, state.view)
    shape_id = state.ids[-1]
    before = cache.totals(shape_id).tolist()
    version = policy.version(state.view)
    policy.replace_term(Constant("reserve", 5))

    assert policy.version(state.view) != version
    assert before != cache.totals(shape_id).tolist()
    assert policy.totals(state.view, shape_id, state.columns).tolist() == (
        cache.totals(shape_id).tolist()
    )


def test_a_replaced_term_moves_pods() -> None:
    """A term that loathes all slots but the last sends every pod there while it fits."""
    state, policy = agents_at_work()
    policy.replace_term(Constant("reserve", 10**15, by_slot=-(10**14)))
    placer = Placer(policy, state.view, TieBreak.RANDOM, seed=1)
    decision = placer.place("p", state.ids[-1], 0)

    assert decision is not None
    assert decision.slot == len(state.view) - 1


def test_a_term_of_another_name_replaces_nothing() -> None:
    """Terms are told apart by name, and a stranger is not added."""
    state, policy = agents_at_work()
    before = policy.totals(state.view, state.ids[0], state.columns).tolist()
    policy.replace_term(Constant("stranger", 99))

    assert before == policy.totals(state.view, state.ids[0], state.columns).tolist()
    assert [term.name for term in policy.terms] == NAMES
