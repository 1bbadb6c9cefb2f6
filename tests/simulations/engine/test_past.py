"""Nothing happens in the past."""

from __future__ import annotations

import pytest

from gpu_fleet.errors import SimulationError
from simulations.engine import Engine, Timers

KIND = 1


def at_ten() -> Engine:
    """An engine whose clock stands at 10 ns."""
    engine = Engine(start_ns=10)
    engine.on(KIND, lambda _time_ns, _a, _b: None)
    return engine


def test_scheduling_into_the_past_is_refused_and_says_both_times() -> None:
    """A silent correction to now would hide the fault that computed the time."""
    engine = at_ten()

    with pytest.raises(SimulationError, match="kind 1 was scheduled at 9 ns, but it is 10 ns"):
        engine.schedule(9, KIND)

    assert engine.pending == 0


def test_the_present_is_not_the_past() -> None:
    """An event for now is legal."""
    engine = at_ten()
    engine.schedule(10, KIND)

    assert engine.run() == 1


def test_an_event_cannot_recur_in_the_past() -> None:
    """The short way to schedule has the same law as the long one."""
    engine = at_ten()
    engine.on(2, lambda time_ns, _a, _b: time_ns - 1)
    engine.schedule(20, 2)

    with pytest.raises(SimulationError, match="kind 2 was scheduled at 19 ns, but it is 20 ns"):
        engine.run()


def test_a_timer_cannot_be_armed_in_the_past_and_the_earlier_one_stands() -> None:
    """A refused call changes nothing."""
    engine = at_ten()
    timers = Timers(engine, 2, lambda _time_ns, _entity: None)
    timers.arm(7, 15)

    with pytest.raises(SimulationError, match="nothing can happen in the past"):
        timers.arm(7, 9)

    assert timers.expires_ns(7) == 15


def test_a_run_cannot_end_before_now() -> None:
    """The clock never goes back."""
    with pytest.raises(SimulationError, match="cannot run until 9 ns"):
        at_ten().run(until_ns=9)


def test_time_does_not_begin_below_zero() -> None:
    """The engine keeps negative times for itself."""
    with pytest.raises(SimulationError, match="start_ns is -1"):
        Engine(start_ns=-1)
