"""A run ends where it was told to, and can be taken up again."""

from __future__ import annotations

import pytest

from gpu_fleet.errors import SimulationError
from simulations.engine import Engine

TICK = 1


def ticking(every_ns: int = 10) -> tuple[Engine, list[int]]:
    """An engine with one event that recurs for ever, and the times it came."""
    engine = Engine()
    ticks: list[int] = []

    def tick(time_ns: int, _a: int, _b: int) -> int:
        ticks.append(time_ns)
        return time_ns + every_ns

    engine.on(TICK, tick)
    engine.schedule(every_ns, TICK)
    return engine, ticks


def test_a_run_until_a_time_includes_that_time_and_leaves_the_clock_there() -> None:
    """What is due at the end of the horizon happens within it."""
    engine, ticks = ticking()

    handled = engine.run(until_ns=30)

    assert ticks == [10, 20, 30]
    assert (handled, engine.now_ns, engine.next_ns) == (3, 30, 40)


def test_the_clock_reaches_the_horizon_even_when_nothing_happens_there() -> None:
    """A time average needs the whole span, not the span until the last event."""
    engine, _ = ticking()
    engine.run(until_ns=35)

    assert engine.now_ns == 35

    empty = Engine()
    empty.run(until_ns=7)

    assert empty.now_ns == 7


def test_running_in_pieces_is_the_same_as_running_at_once() -> None:
    """A progress bar may cut the run anywhere."""
    whole, at_once = ticking()
    whole.run(until_ns=100)
    pieces, one_by_one = ticking()
    handled = [pieces.run(until_ns=end) for end in (5, 10, 10, 44, 100)]

    assert one_by_one == at_once
    assert handled == [0, 1, 0, 3, 6]


def test_stop_ends_the_run_after_the_handler_at_work_and_keeps_the_rest() -> None:
    """What lies ahead is there for the next run, the recurring event included."""
    engine, ticks = ticking()
    engine.on(2, lambda _time_ns, _a, _b: engine.stop())
    engine.schedule(20, 2, priority=-1)

    engine.run(until_ns=100)

    assert ticks == [10]
    assert (engine.now_ns, engine.pending) == (20, 1)

    engine.run(until_ns=30)

    assert ticks == [10, 20, 30]


def test_a_handler_that_stops_the_run_may_recur() -> None:
    """Stopping says nothing about the event itself."""
    engine = Engine()

    def once(time_ns: int, _a: int, _b: int) -> int:
        engine.stop()
        return time_ns + 1

    engine.on(TICK, once)
    engine.schedule(0, TICK)

    assert [engine.run(), engine.run(), engine.run()] == [1, 1, 1]
    assert engine.next_ns == 3


def test_stop_outside_a_run_has_no_effect_on_the_next_one() -> None:
    """Only a run that is under way can be stopped."""
    engine, ticks = ticking()
    engine.stop()
    engine.run(until_ns=10)

    assert ticks == [10]


def test_an_error_in_a_handler_leaves_the_engine_usable() -> None:
    """The event that failed is spent, the others stay, and the clock says when it was."""
    engine, ticks = ticking()

    def fail(_time_ns: int, _a: int, _b: int) -> None:
        raise ZeroDivisionError

    engine.on(2, fail)
    engine.schedule(15, 2)

    with pytest.raises(ZeroDivisionError):
        engine.run(until_ns=40)

    assert (engine.now_ns, engine.pending) == (15, 1)

    engine.run(until_ns=40)

    assert ticks == [10, 20, 30, 40]


def test_a_handler_cannot_run_the_engine() -> None:
    """A run inside a run would handle the future before the present is over."""
    engine = Engine()

    def again(_time_ns: int, _a: int, _b: int) -> None:
        engine.run()

    engine.on(TICK, again)
    engine.schedule(0, TICK)

    with pytest.raises(SimulationError, match="called by a handler"):
        engine.run()
