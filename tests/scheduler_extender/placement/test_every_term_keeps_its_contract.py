"""What `ScoreTerm` promises, for every term of `least-loss` as it is wired there.

A term that is added to the policy is under contract at once. These tests must not know what any
term is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler_extender.placement.feasibility import fits
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.pod_mix import PodMix
from tests.scheduler_extender.placement.states import State, agents_at_work, states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scheduler_extender.placement.terms.term import ScoreTerm

EACH = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = [term.name for term in LeastLoss(PodMix()).terms]


def at_work(state: State, policy: LeastLoss) -> Iterator[tuple[ScoreTerm, int, NDArray[np.int64]]]:
    """Each term with each shape that it has something to say about, and the columns that fit."""
    for term in policy.terms:
        for shape_id in state.ids:
            columns = np.flatnonzero(fits(state.view, shape_id, state.columns))
            if term.applies(state.view, shape_id) and len(columns):
                yield term, shape_id, columns


def promises(state: State, policy: LeastLoss, picked: list[int]) -> set[str]:
    """Check all that can be checked on one state; which terms had something to say."""
    heard = set()
    for term, shape_id, columns in at_work(state, policy):
        changes = state.view.changes
        free = state.view.gpu_free_milli.copy()
        losses = term.losses(state.view, shape_id, columns)
        some = np.array(picked, np.int64) % len(columns)
        words = term.why(state.view, shape_id, int(columns[0]))

        assert losses.dtype == np.int64, term.name
        assert losses.shape == columns.shape, term.name
        assert losses.tolist() == term.losses(state.view, shape_id, columns).tolist(), term.name
        assert losses[some].tolist() == (
            term.losses(state.view, shape_id, columns[some]).tolist()
        ), term.name
        assert np.abs(losses).max() < 2**62, term.name
        assert words == words.strip() != "", term.name
        assert changes == state.view.changes, term.name
        assert free.tolist() == state.view.gpu_free_milli.tolist(), term.name

        heard.add(term.name)
    return heard


@EACH
@given(state=states(), picked=st.lists(st.integers(0, 99), max_size=8))
def test_losses_belong_to_a_column_and_a_shape_alone(state: State, picked: list[int]) -> None:
    """The same for any order or subset of columns, whole numbers, nothing changed by asking."""
    promises(state, LeastLoss(state.mix, kernels=False), picked)


def test_every_term_is_heard_where_agents_work() -> None:
    """In a fleet with agents, datasets and large pods each term has something to say."""
    state, policy = agents_at_work()

    assert set(NAMES) == promises(state, policy, [3, 1, 1, 2])


def test_terms_are_told_apart_by_name() -> None:
    """Explanations, JSON and reports call them by it."""
    assert len(set(NAMES)) == len(NAMES)
    assert all(name == name.strip() != "" for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_term_says_nothing_to_a_pod_that_asks_for_nothing(name: str) -> None:
    """A pod without GPU, data or agent waits for nothing and runs no slower anywhere."""
    state, policy = agents_at_work()
    term = next(term for term in policy.terms if term.name == name)
    quiet = state.ids[-1]

    assert term.applies(state.view, quiet) == (name in {"stranding", "reserve"})
