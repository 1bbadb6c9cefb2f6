"""A timer can be called off or moved, and what was called off never happens."""

from __future__ import annotations

import pytest

from gpu_fleet.errors import SimulationError
from simulations.engine import Engine, Timers

EXPIRE = 1
NODE, OTHER = 7, 8


def bench() -> tuple[Engine, Timers, list[tuple[int, int]]]:
    """An engine, its timers and the (time, entity) of each expiry."""
    engine = Engine()
    expired: list[tuple[int, int]] = []
    timers = Timers(engine, EXPIRE, lambda time_ns, entity: expired.append((time_ns, entity)))
    return engine, timers, expired


def test_an_armed_timer_expires_once() -> None:
    """And is then no longer armed."""
    engine, timers, expired = bench()
    timers.arm(NODE, 10)

    assert (NODE in timers, timers.expires_ns(NODE), len(timers)) == (True, 10, 1)

    engine.run()

    assert expired == [(10, NODE)]
    assert (NODE in timers, timers.expires_ns(NODE), len(timers)) == (False, None, 0)


def test_a_cancelled_timer_never_expires_and_others_do() -> None:
    """Cancelling says whether there was anything to cancel."""
    engine, timers, expired = bench()
    timers.arm(NODE, 10)
    timers.arm(OTHER, 10)

    assert (timers.cancel(NODE), timers.cancel(NODE)) == (True, False)

    engine.run()

    assert expired == [(10, OTHER)]


@pytest.mark.parametrize("moved_to_ns", [5, 10, 20])
def test_a_timer_that_is_armed_again_expires_at_the_new_time_only(moved_to_ns: int) -> None:
    """Earlier, later, or at the very same instant: a heartbeat moves its node's deadline."""
    engine, timers, expired = bench()
    timers.arm(NODE, 10)
    timers.arm(NODE, moved_to_ns)

    engine.run()

    assert expired == [(moved_to_ns, NODE)]


def test_a_timer_armed_after_a_cancel_is_a_new_one() -> None:
    """The stale event of the first arming is not taken for the second."""
    engine, timers, expired = bench()
    timers.arm(NODE, 10)
    timers.cancel(NODE)
    timers.arm(NODE, 12)

    engine.run()

    assert expired == [(12, NODE)]


def test_a_handler_may_arm_its_own_entity_again() -> None:
    """The timer is off before its handler is called."""
    engine = Engine()
    expired: list[int] = []

    def expire(time_ns: int, entity: int) -> None:
        expired.append(time_ns)
        if time_ns < 30:
            timers.arm(entity, time_ns + 10)

    timers = Timers(engine, EXPIRE, expire)
    timers.arm(NODE, 10)

    engine.run()

    assert expired == [10, 20, 30]


def test_an_event_of_the_same_instant_can_still_call_a_timer_off() -> None:
    """Who comes first in the instant decides, and priority says who that is."""
    engine, timers, expired = bench()

    def call_off(_time_ns: int, entity: int, _b: int) -> None:
        timers.cancel(entity)

    engine.on(2, call_off)
    timers.arm(NODE, 10, priority=1)
    engine.schedule(10, 2, a=NODE, priority=0)

    engine.run()

    assert expired == []


def test_two_sets_of_timers_do_not_know_each_other() -> None:
    """Boot timers and health timers of one node live side by side, each with its kind."""
    engine, timers, expired = bench()
    others: list[tuple[int, int]] = []
    boots = Timers(engine, 2, lambda time_ns, entity: others.append((time_ns, entity)))
    timers.arm(NODE, 10)
    boots.arm(NODE, 11)
    timers.cancel(NODE)

    engine.run()

    assert (expired, others) == ([], [(11, NODE)])

    with pytest.raises(SimulationError, match="kind 2 already has a handler"):
        Timers(engine, 2, lambda _time_ns, _entity: None)
