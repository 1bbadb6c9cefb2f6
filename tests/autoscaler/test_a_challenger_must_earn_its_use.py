"""Who is believed: the best naive forecaster, unless others have been better on this series.

Losses are given, so that each rule can be seen alone.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.selection import SelectionSettings, parts

NAIVE = np.array([True, True, False, False])
"""Two naive candidates and two challengers."""
UNKNOWN = np.inf
PROVEN = 100.0


def shared(
    losses: list[float], able: list[bool] | None = None, independent: float = PROVEN
) -> list[float]:
    """Each candidate's part in one target at one level."""
    flags = np.array(able or [True] * 4).reshape(4, 1, 1)
    known = np.array([independent])
    lost = np.array(losses).reshape(4, 1, 1)
    told: list[float] = (
        parts(lost, flags, NAIVE, known, known, SelectionSettings()).ravel().tolist()
    )
    return told


def test_without_evidence_the_first_naive_one_is_believed() -> None:
    """Nobody has shown anything yet."""
    assert shared([UNKNOWN] * 4) == [1, 0, 0, 0]


def test_without_evidence_a_naive_one_that_can_answer_is_believed() -> None:
    """A week-old season cannot speak in the first week."""
    assert shared([UNKNOWN] * 4, able=[False, True, True, True]) == [0, 1, 0, 0]


def test_a_challenger_alone_is_not_believed_while_no_naive_one_is_judged() -> None:
    """There is nothing that it could have beaten."""
    assert shared([UNKNOWN, UNKNOWN, 1.0, UNKNOWN]) == [1, 0, 0, 0]


def test_without_a_better_challenger_the_best_naive_one_is_believed() -> None:
    """As good as it is not enough."""
    assert shared([10.0, 8.0, 8.0, 9.0]) == [0, 1, 0, 0]


def test_a_challenger_that_lost_less_takes_over() -> None:
    """Naive ones have no part then."""
    assert shared([10.0, 8.0, 7.9, 9.0]) == [0, 0, 1, 0]


def test_two_that_are_equally_good_share_the_answer() -> None:
    """Nothing speaks for one of them."""
    assert shared([10.0, 8.0, 5.0, 5.0]) == [0, 0, 0.5, 0.5]


def test_who_lost_more_has_less_of_it() -> None:
    """5 % more over 100 outcomes: exp(-10 x 0.05) to 1."""
    assert shared([10.0, 8.0, 5.0, 5.25]) == pytest.approx([0, 0, 0.6225, 0.3775], abs=1e-4)


def test_the_same_difference_says_less_after_fewer_outcomes() -> None:
    """16 outcomes instead of 100: exp(-4 x 0.05) to 1."""
    told = shared([10.0, 8.0, 5.0, 5.25], independent=16.0)

    assert told == pytest.approx([0, 0, 0.5498, 0.4502], abs=1e-4)


def test_until_it_is_proven_a_challenger_has_to_be_better_by_a_fifth() -> None:
    """A day ahead, in the first two weeks."""
    assert shared([10.0, 8.0, 7.0, 9.0], independent=14.9) == [0, 1, 0, 0]
    assert shared([10.0, 8.0, 6.3, 9.0], independent=14.9) == [0, 0, 1, 0]


def test_who_can_no_longer_answer_has_no_part() -> None:
    """A challenger that turned mute leaves all to the other."""
    assert shared([10.0, 8.0, 5.0, 6.0], able=[True, True, False, True]) == [0, 0, 0, 1]


def test_who_never_loses_anything_leaves_nothing_to_who_does() -> None:
    """Demand that stands still, where one forecaster still has a width."""
    assert shared([2.0, 1.0, 0.0, 0.5]) == [0, 0, 1, 0]
    assert shared([0.0, 1.0, 0.0, 0.5]) == [1, 0, 0, 0]


def test_each_target_and_level_is_judged_for_itself() -> None:
    """What is best for the next step's bound need not be for tomorrow's median."""
    losses = np.full((4, 2, 2), 10.0)
    losses[2, 0, 1] = 5.0
    losses[3, 1, 0] = 5.0
    known = np.array([PROVEN, PROVEN])

    found = parts(losses, np.ones(losses.shape, np.bool_), NAIVE, known, known, SelectionSettings())

    assert found.argmax(axis=0).tolist() == [[0, 2], [3, 0]]


@given(
    losses=st.lists(
        st.one_of(st.just(UNKNOWN), st.floats(0, 1e300), st.just(0.0)), min_size=4, max_size=4
    ),
    able=st.lists(st.booleans(), min_size=4, max_size=4),
    independent=st.floats(0, 1e6),
)
def test_parts_are_shares_and_nobody_mute_or_worse_has_one(
    losses: list[float], able: list[bool], independent: float
) -> None:
    """They add to 1; a challenger with a part can answer and lost less than every naive one."""
    told = shared(losses, able, independent)

    assert sum(told) == pytest.approx(1.0)
    assert min(told) >= 0.0
    naive = [
        lost for lost, can, is_naive in zip(losses, able, NAIVE, strict=True) if can and is_naive
    ]
    for at in (2, 3):
        if told[at] > 0:
            assert able[at]
            assert losses[at] < min(naive)
