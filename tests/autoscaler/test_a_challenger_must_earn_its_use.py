"""Who is believed: the best naive forecaster, unless another has been better on this series.

Losses are given, so that each rule can be seen alone.
"""

from __future__ import annotations

import numpy as np

from autoscaler.selection import Selection, SelectionSettings

NAIVE = np.array([True, True, False, False])
"""Two naive candidates and two challengers."""
UNKNOWN = np.inf


def chosen(*rounds: list[float], able: list[bool] | None = None) -> list[int]:
    """Whom one target at one level believes, after each round of losses."""
    selection = Selection(NAIVE, 1, 1, SelectionSettings(margin=0.02))
    flags = np.array(able or [True] * 4).reshape(4, 1, 1)
    return [int(selection.choose(np.array(one).reshape(4, 1, 1), flags)[0, 0]) for one in rounds]


def test_without_evidence_the_first_naive_one_is_believed() -> None:
    """Nobody has shown anything yet."""
    assert chosen([UNKNOWN] * 4) == [0]


def test_without_evidence_a_naive_one_that_can_answer_is_believed() -> None:
    """A week-old season cannot speak in the first week."""
    assert chosen([UNKNOWN] * 4, able=[False, True, True, True]) == [1]


def test_a_challenger_needs_more_than_the_margin() -> None:
    """One per cent better than the best naive one is not enough, three are."""
    assert chosen([10.0, 8.0, 7.92, 9.0]) == [1]
    assert chosen([10.0, 8.0, 7.76, 9.0]) == [2]


def test_a_challenger_that_stops_being_better_is_demoted_at_once() -> None:
    """As soon as the best naive one loses less."""
    assert chosen([10.0, 8.0, 5.0, 9.0], [10.0, 8.0, 8.1, 9.0]) == [2, 1]


def test_two_equals_do_not_take_turns() -> None:
    """A change of mind must promise more than the margin."""
    rounds = [[10.0, 9.0, 5.00, 6.0], [10.0, 9.0, 5.00, 4.95], [10.0, 9.0, 5.00, 4.80]]

    assert chosen(*rounds) == [2, 2, 3]


def test_between_naive_ones_the_same_calm_holds() -> None:
    """The margin counts there too."""
    rounds = [[8.0, 9.0, UNKNOWN, UNKNOWN], [8.0, 7.9, UNKNOWN, UNKNOWN], [8.0, 7.0, 9.0, 9.0]]

    assert chosen(*rounds) == [0, 0, 1]


def test_who_can_no_longer_answer_is_not_believed() -> None:
    """A challenger that turned mute is replaced by the best that speaks."""
    selection = Selection(NAIVE, 1, 1, SelectionSettings())
    losses = np.array([10.0, 8.0, 5.0, 6.0]).reshape(4, 1, 1)
    everyone = np.ones((4, 1, 1), dtype=np.bool_)
    without = everyone.copy()
    without[2] = False

    assert selection.choose(losses, everyone)[0, 0] == 2
    assert selection.choose(losses, without)[0, 0] == 3


def test_each_target_and_level_is_judged_for_itself() -> None:
    """What is best for the next step's bound need not be for tomorrow's median."""
    selection = Selection(NAIVE, 2, 2, SelectionSettings())
    losses = np.full((4, 2, 2), 10.0)
    losses[2, 0, 1] = 5.0
    losses[3, 1, 0] = 5.0

    found = selection.choose(losses, np.ones((4, 2, 2), dtype=np.bool_))

    assert found.tolist() == [[0, 2], [3, 0]]
