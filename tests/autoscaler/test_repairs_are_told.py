"""What was repaired in a series, in a line for each kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoscaler.repairs import repairs
from gpu_fleet.series import Mark, MarkKind
from tests.autoscaler.contract.demand import demand


def test_each_kind_is_counted_with_its_steps() -> None:
    """Two gaps are one line."""
    marks = (
        Mark(MarkKind.STEP, 0, 0, "steps of 600 s: the median"),
        Mark(MarkKind.GAP, 3, 5),
        Mark(MarkKind.OUTAGE, 7, 7),
        Mark(MarkKind.GAP, 9, 9),
        Mark(MarkKind.LEVEL_SHIFT, 20, 20, "up: about 9, 4 a day before"),
    )

    assert repairs(replace(demand(5), marks=marks)) == (
        "2 gaps filled from the past (4 steps)",
        "1 outage filled from the past (1 step)",
        "steps of 600 s: the median",
        "1 level shift, kept; the last one up: about 9, 4 a day before",
    )


def test_nothing_repaired_is_no_line() -> None:
    """A series without a mark needs no words."""
    assert repairs(demand(5)) == ()


@pytest.mark.parametrize("kind", MarkKind)
def test_every_kind_has_words(kind: MarkKind) -> None:
    """One or many of it."""
    marks = tuple(Mark(kind, step, step, "why") for step in range(2))

    assert all(repairs(replace(demand(5), marks=marks[:count])) for count in (1, 2))
