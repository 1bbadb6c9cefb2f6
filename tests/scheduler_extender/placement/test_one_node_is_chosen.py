"""From totals to one node: the rules for equals, and the numbers an extender may answer with.

These tests must not score: totals are given.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.placement.choice import MAX_EXTENDER_PRIORITY, choose, rank_encode

TOTALS = st.lists(
    st.one_of(st.integers(-5, 5), st.just(INFEASIBLE), st.integers(-(2**62), 2**62)), max_size=30
).map(lambda some: np.array(some, np.int64))


def test_the_lowest_total_wins() -> None:
    """Whatever the order and the seed."""
    totals = np.array([5, -3, INFEASIBLE, 7])

    assert choose(totals, None, seed=1, sequence=2) == 1
    assert choose(totals, np.array([0, 9, 1, 2]), seed=1, sequence=2) == 1


@pytest.mark.parametrize("totals", [[], [INFEASIBLE], [INFEASIBLE, INFEASIBLE]])
def test_nowhere_is_none(totals: list[int]) -> None:
    """No node, or none that fits."""
    assert choose(np.array(totals, np.int64), None, seed=1, sequence=0) is None
    assert choose(np.array(totals, np.int64), np.arange(len(totals)), 1, 0) is None


def test_a_fixed_order_decides_between_equals() -> None:
    """The lowest order among the lowest totals, not among all."""
    totals = np.array([1, 1, 1, 2])

    assert choose(totals, np.array([7, 3, 5, 0]), seed=1, sequence=0) == 1


def test_draws_among_equals_are_keyed_and_even() -> None:
    """The same for the same key, another for another, each equal as often as the others."""
    totals = np.array([4, 1, 1, 9, 1])
    drawn = [choose(totals, None, seed=3, sequence=at) for at in range(3_000)]

    assert drawn == [choose(totals, None, seed=3, sequence=at) for at in range(3_000)]

    counts = Counter(drawn)

    assert set(counts) == {1, 2, 4}
    assert all(900 < count < 1_100 for count in counts.values())


@given(totals=TOTALS)
def test_ranks_have_one_best_and_keep_the_order(totals: np.ndarray) -> None:
    """A single 10 for the winner, 9 to 1 for the next nine, 0 for all others."""
    order = np.arange(len(totals))[::-1].copy()
    scores = rank_encode(totals, order)
    can = totals != INFEASIBLE
    winner = choose(totals, order, 1, 1)

    assert scores[~can].tolist() == [0] * int((~can).sum())
    if winner is None:
        return
    assert scores[winner] == MAX_EXTENDER_PRIORITY
    ranked = [at for at in np.lexsort((order, totals)).tolist() if can[at]]
    assert scores[ranked].tolist() == [max(0, 10 - place) for place in range(len(ranked))]


def test_ten_nodes_get_ten_ranks() -> None:
    """As many nodes as numbers: none is lost."""
    scores = rank_encode(np.arange(10), np.arange(10))

    assert scores.tolist() == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_among_many_equals_the_order_decides() -> None:
    """A fleet of empty nodes: the ten first of the order are ranked, whatever comes before them."""
    scores = rank_encode(np.zeros(91, np.int64), np.arange(91)[::-1].copy())

    assert scores[-10:].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert scores[:-10].sum() == 0
