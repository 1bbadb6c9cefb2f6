"""Events happen in the order of (time, priority, sequence)."""

from __future__ import annotations

import pytest

from gpu_fleet.errors import SimulationError
from simulations.engine import FOREVER_NS, Engine

NOTE = 3


def journal(engine: Engine) -> list[tuple[int, int, int]]:
    """Register a handler that writes down each event, and return its pages."""
    seen: list[tuple[int, int, int]] = []

    def write(time_ns: int, a: int, b: int) -> None:
        seen.append((time_ns, a, b))

    engine.on(NOTE, write)
    return seen


def test_an_earlier_event_comes_first_whatever_was_scheduled_first() -> None:
    """Time rules over everything else."""
    engine = Engine()
    seen = journal(engine)
    for time_ns in (30, 10, 20):
        engine.schedule(time_ns, NOTE, a=time_ns, priority=-time_ns)

    handled = engine.run()

    assert [time_ns for time_ns, _, _ in seen] == [10, 20, 30]
    assert handled == 3


def test_within_an_instant_the_lower_priority_number_comes_first() -> None:
    """A departure (0) frees its GPU before an arrival (1) of the same instant looks for one."""
    engine = Engine()
    seen = journal(engine)
    engine.schedule(5, NOTE, a=1, priority=1)
    engine.schedule(5, NOTE, a=0, priority=0)
    engine.schedule(5, NOTE, a=-1, priority=-1)

    engine.run()

    assert [a for _, a, _ in seen] == [-1, 0, 1]


def test_equals_come_in_the_order_in_which_they_were_scheduled() -> None:
    """The payload never decides: a and b are not part of the order."""
    engine = Engine()
    seen = journal(engine)
    for a in (5, 1, 9, 1, 3):
        engine.schedule(7, NOTE, a=a, b=-a)

    engine.run()

    assert [a for _, a, _ in seen] == [5, 1, 9, 1, 3]


def test_an_event_scheduled_for_now_still_happens_now_after_its_equals() -> None:
    """A handler may add to the instant it is in; its event queues up behind what is there."""
    engine = Engine()
    seen = journal(engine)
    engine.on(4, lambda time_ns, _a, _b: engine.schedule(time_ns, NOTE, a=2))
    engine.schedule(5, 4)
    engine.schedule(5, NOTE, a=1)

    engine.run()

    assert seen == [(5, 1, 0), (5, 2, 0)]
    assert engine.now_ns == 5


def test_an_event_that_recurs_queues_behind_its_equals_and_keeps_kind_payload_and_priority() -> (
    None
):
    """Returning a time is the same as scheduling the event again, last of all."""
    engine = Engine()
    seen = journal(engine)
    times: list[tuple[int, int, int]] = []

    def tick(time_ns: int, a: int, b: int) -> int | None:
        times.append((time_ns, a, b))
        engine.schedule(time_ns + 10, NOTE, a=len(times), priority=2)
        return time_ns + 10 if time_ns < 30 else None

    engine.on(4, tick)
    engine.schedule(10, 4, a=8, b=9, priority=2)

    engine.run()

    assert times == [(10, 8, 9), (20, 8, 9), (30, 8, 9)]
    assert seen == [(20, 1, 0), (30, 2, 0), (40, 3, 0)]


def test_the_clock_stands_at_the_event_that_is_handled() -> None:
    """What a handler reads from the engine is the time it was called with."""
    engine = Engine(start_ns=3)
    clock: list[int] = []
    engine.on(1, lambda _time_ns, _a, _b: clock.append(engine.now_ns))
    engine.schedule(3, 1)
    engine.schedule(2**62, 1)

    engine.run()

    assert clock == [3, 2**62]


def test_a_kind_has_one_handler() -> None:
    """Two models that pick one number would silently steal each other's events."""
    engine = Engine()
    journal(engine)

    with pytest.raises(SimulationError, match="kind 3 already has a handler"):
        journal(engine)


def test_an_event_nobody_handles_is_refused_where_it_is_scheduled() -> None:
    """The traceback then points at the culprit and not into the loop."""
    with pytest.raises(SimulationError, match="kind 3 has no handler"):
        Engine().schedule(5, NOTE)


def test_an_event_after_the_end_of_the_int64_clock_never_happens() -> None:
    """An open-ended run ends with the last instant that an array of int64 can hold."""
    engine = Engine()
    seen = journal(engine)
    engine.schedule(FOREVER_NS, NOTE)
    engine.schedule(FOREVER_NS + 1, NOTE)

    handled = engine.run()

    assert handled == 1
    assert seen == [(FOREVER_NS, 0, 0)]
