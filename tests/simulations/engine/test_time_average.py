"""A time average weighs each level by how long it lasted, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.errors import SimulationError
from simulations.statistics import TimeAverage


def test_levels_weigh_by_how_long_they_last() -> None:
    """0 for 10 ns, 4 for 10 ns, 2 for 20 ns."""
    queue = TimeAverage()
    queue.set(10, 4)
    queue.add(20, -2)

    assert queue.integral(40) == 80
    assert queue.average(40) == 2.0
    assert queue.level == 2


def test_a_restart_forgets_the_warm_up_and_keeps_the_level() -> None:
    """The queue is as long as it is; only its history goes."""
    queue = TimeAverage(start_ns=5, level=1)
    queue.set(10, 100)
    queue.restart(20)
    queue.set(30, 0)

    assert queue.average(40) == 50.0


@given(st.lists(st.tuples(st.integers(1, 2**50), st.integers(0, 2**40)), min_size=1, max_size=30))
def test_the_integral_is_exact_however_long_and_large(steps: list[tuple[int, int]]) -> None:
    """A year of GPU-milli overflows 64 bits; floats would lose the last digits."""
    area = TimeAverage()
    now_ns = expected = level = 0
    for lasted_ns, next_level in steps:
        now_ns += lasted_ns
        expected += level * lasted_ns
        level = next_level
        area.set(now_ns, level)

    assert area.integral(now_ns) == expected


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=20))
def test_changes_of_one_instant_may_come_in_any_order(changes: list[int]) -> None:
    """Only the sum of an instant's changes leaves a trace."""
    forward, backward = TimeAverage(), TimeAverage()
    for change in changes:
        forward.add(10, change)
    for change in reversed(changes):
        backward.add(10, change)

    assert forward.integral(30) == backward.integral(30) == 20 * sum(changes)


def test_changes_out_of_order_are_refused() -> None:
    """They would count a stretch of time twice, once negatively."""
    queue = TimeAverage()
    queue.set(10, 1)

    with pytest.raises(SimulationError, match="report changes in order of time"):
        queue.set(9, 2)
    with pytest.raises(SimulationError, match="report changes in order of time"):
        queue.average(9)


def test_no_time_has_no_average() -> None:
    """Zero would stand for unknown."""
    with pytest.raises(SimulationError, match="no time has passed"):
        TimeAverage(start_ns=3, level=7).average(3)
