"""A score is printed as one line that an operator can act on: node, seconds lost, and for what.

Logs, reports and `/explain` print the same object, so the words are fixed here.
"""

from __future__ import annotations

import numpy as np

from gpu_fleet.refusals import Refusal
from gpu_fleet.scores import INFEASIBLE, MICRO, Score, Scores, TermLoss


def score(*terms: TermLoss) -> Score:
    """A score of node-7 with these terms."""
    return Score("node-7", Refusal.NONE, sum(term.loss for term in terms), terms)


def test_the_houses_example() -> None:
    """41 GPU-seconds: 30 for fetching 12 GB, 11 stranded."""
    told = score(
        TermLoss("locality", 30 * MICRO, "for fetching 12 GB"),
        TermLoss("stranding", 11 * MICRO, "stranded"),
    )

    assert str(told) == "node-7: 41 GPU-s: 30 for fetching 12 GB, 11 stranded"


def test_terms_that_lose_nothing_are_left_out() -> None:
    """A line names what matters."""
    told = score(
        TermLoss("locality", 0, "for fetching 0.0 GB"), TermLoss("stranding", 2 * MICRO, "stranded")
    )

    assert str(told) == "node-7: 2 GPU-s: 2 stranded"


def test_nothing_lost_is_said() -> None:
    """An empty sum is good news, not an empty line."""
    assert str(score(TermLoss("stranding", 0, "stranded"))) == "node-7: 0 GPU-s: nothing lost"


def test_a_gain_is_a_negative_loss() -> None:
    """A pod that fits a hole exactly gives back what its neighbour stranded."""
    assert str(score(TermLoss("stranding", -3 * MICRO, "stranded"))) == (
        "node-7: -3 GPU-s: -3 stranded"
    )


def test_a_refusal_says_why_and_shows_no_numbers() -> None:
    """The total of a node that cannot take the pod means nothing to a person."""
    told = Score("node-7", Refusal.GPU_MODEL, INFEASIBLE, ())

    assert str(told) == "node-7: refused, no GPU of an allowed model"


def test_feasible_is_where_nothing_refuses() -> None:
    """Arrays and the value agree on what a refusal is."""
    scores = Scores(
        columns=np.array([3, 5]),
        reasons=np.array([Refusal.NONE, Refusal.CPU], np.uint8),
        names=("stranding",),
        terms=np.zeros((1, 2), np.int64),
        total=np.array([0, INFEASIBLE]),
    )

    assert scores.feasible.tolist() == [True, False]
