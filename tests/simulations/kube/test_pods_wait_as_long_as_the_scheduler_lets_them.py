"""The scheduling queue is timed to the second: ten scripts read off the source of 1.37.2.

Times are seconds of a clock that shows what the script says; no test waits.
"""

from __future__ import annotations

from math import sqrt

import pytest

from gpu_fleet.clock import NS_PER_S
from simulations.kube.backoff import backoff_ns
from simulations.kube.queues import Place, SchedulingQueue, helps_everyone

FIT = "NodeResourcesFit"
EXTENDER = "Extender"


def ns(seconds: float) -> int:
    """Seconds with two decimals, exactly."""
    return round(seconds * 100) * (NS_PER_S // 100)


def tried(queue: SchedulingQueue, name: str, *failures: float, refused_by: str = FIT) -> None:
    """The pod is popped and fails at each of these times, with an event before each new try."""
    for number, at in enumerate(failures):
        if number:
            queue.event("something changed", ns(at))
        assert queue.pop(ns(at)) == name
        queue.fail(name, ns(at), refused_by=(refused_by,))


def ready_at(queue: SchedulingQueue, name: str, around: float) -> float:
    """The first hundredth of a second near `around` at which the pod is ready for a busy queue."""
    for step in range(-300, 301):
        queue.advance(ns(around + step / 100))
        if queue.place(name) is Place.ACTIVE:
            return round(around + step / 100, 2)
    raise AssertionError(f"{name} was not ready near {around}")


def test_a_busy_queue_keeps_a_pod_until_the_second_after_its_expiry() -> None:
    """Q1: a first failure at 100.30 and a node at 100.40 make the pod ready at 102.00."""
    queue = SchedulingQueue()
    queue.add("p", ns(100.30))
    tried(queue, "p", 100.30)

    queue.event("node added", ns(100.40))

    assert queue.place("p") is Place.BACKOFF
    assert ns(101) == queue.expiry_ns("p")
    assert ready_at(queue, "p", 102) == 102.00


def test_an_idle_queue_ignores_back_off() -> None:
    """Q2: with nothing else to do the same pod is tried at 100.40."""
    queue = SchedulingQueue()
    queue.add("p", ns(100.30))
    tried(queue, "p", 100.30)

    queue.event("node added", ns(100.40))

    assert queue.pop(ns(100.40)) == "p"


@pytest.mark.parametrize(
    ("failures", "ready"),
    [(3, (300.25, 305.0)), (4, (400.50, 409.0)), (5, (500.90, 511.0))],
    ids=["third", "fourth", "fifth"],
)
def test_waits_double_up_to_ten_seconds(failures: int, ready: tuple[float, float]) -> None:
    """Q3: the third, fourth and fifth failure wait 4, 8 and 10 s, cut to the second, and one."""
    failed_at, expected = ready
    earlier = [failed_at - 50 * back for back in range(failures - 1, 0, -1)]
    queue = SchedulingQueue()
    queue.add("p", ns(earlier[0]))
    tried(queue, "p", *earlier, failed_at)

    queue.event("node added", ns(failed_at))

    assert ready_at(queue, "p", expected) == expected


@pytest.mark.parametrize(
    ("event_at", "place"),
    [(101.99, Place.BACKOFF), (102.50, Place.ACTIVE)],
    ids=["still backing off", "over"],
)
def test_an_event_finds_the_back_off_over_or_not(event_at: float, place: Place) -> None:
    """Q4: an event at 101.99 still has to wait until 102.00, one at 102.50 makes ready at once."""
    queue = SchedulingQueue()
    queue.add("p", ns(100.30))
    tried(queue, "p", 100.30)

    queue.event("node added", ns(event_at))

    assert queue.place("p") is place


def test_an_error_waits_even_where_nothing_else_is_to_do() -> None:
    """Q5: an extender that times out at 105.0 puts the pod off until 107.0, idle or not."""
    queue = SchedulingQueue()
    queue.add("p", ns(100))
    assert queue.pop(ns(100)) == "p"
    queue.fail("p", ns(105))

    queue.event("node added", ns(105.5))

    assert queue.place("p") is Place.ERROR_BACKOFF
    assert queue.pop(ns(106.99)) is None
    assert queue.pop(ns(107)) == "p"


@pytest.mark.parametrize(("failed_at", "flushed_at"), [(10.0, 330.0), (30.0, 360.0)])
def test_what_nothing_wakes_is_flushed_after_more_than_five_minutes(
    failed_at: float, flushed_at: float
) -> None:
    """Q6: looks come every 30 s from the start, and only find what is over five minutes old."""
    queue = SchedulingQueue(started_ns=0)
    queue.add("p", ns(failed_at))
    tried(queue, "p", failed_at)

    assert ns(flushed_at) == queue.next_flush_ns()
    assert ready_at(queue, "p", flushed_at) == flushed_at


def test_within_a_second_of_expiry_priority_decides() -> None:
    """Q7: A and C expire in the second 101, B in 102: the idle queue takes C, A, B."""
    queue = SchedulingQueue()
    queue.add("B", ns(90), priority=9)
    tried(queue, "B", 90, 100.0)
    for name, priority in (("A", 0), ("C", 5)):
        queue.add(name, ns(100.1), priority)
        assert queue.pop(ns(100.1)) == name
        queue.fail(name, ns(100.2), refused_by=(FIT,))
    queue.event("node added", ns(100.8))

    expiries = [queue.expiry_ns(name) for name in "ABC"]
    order = [queue.pop(ns(100.9)) for _ in range(3)]

    assert [ns(101), ns(102), ns(101)] == expiries
    assert order == ["C", "A", "B"]


def test_a_constant_text_costs_one_extra_attempt() -> None:
    """Q8: the first refusal patches the condition, which wakes the pod; the same text does not."""
    queue = SchedulingQueue()
    queue.add("p", ns(100))
    attempts = 0
    while queue.pop(ns(100 + attempts / 100)) is not None:
        attempts += 1
        at = ns(100 + attempts / 100)
        if queue.fail("p", at, refused_by=(EXTENDER,), message="no node can hold it"):
            queue.event("own condition patched", at, only="p")

    assert attempts == 2
    assert queue.place("p") is Place.UNSCHEDULABLE


def test_a_text_that_varies_never_stops() -> None:
    """A refusal that tells the free GiB makes the scheduler retry for as long as it does."""
    queue = SchedulingQueue()
    queue.add("p", ns(100))
    for attempt in range(50):
        at = ns(100 + attempt / 100)
        assert queue.pop(at) == "p"
        assert queue.fail("p", at, refused_by=(EXTENDER,), message=f"{attempt} GiB are free")
        queue.event("own condition patched", at, only="p")

    assert queue.place("p") is Place.BACKOFF


def test_an_event_during_its_own_cycle_is_not_lost() -> None:
    """Q9: a node added between pop and failure sends the pod to back-off, not to the waiting."""
    queue = SchedulingQueue()
    queue.add("p", ns(50))
    assert queue.pop(ns(50)) == "p"
    queue.event("node added", ns(50.1))

    queue.fail("p", ns(50.2), refused_by=(FIT,))

    assert queue.place("p") is Place.BACKOFF


def test_a_preemptor_is_woken_by_the_end_of_its_victim() -> None:
    """Q10: a victim told at 10.0 to go is gone at 40.0, and only that makes the pod ready."""
    queue = SchedulingQueue(lambda _pod, _plugin, event: event == "pod deleted")
    queue.add("p", ns(10))
    tried(queue, "p", 10)

    queue.event("pod is terminating", ns(10.1))
    before = queue.pop(ns(39.99))
    queue.event("pod deleted", ns(40))

    assert before is None
    assert queue.pop(ns(40)) == "p"


def test_a_pending_plugin_skips_the_back_off() -> None:
    """Good news for a plugin that said Pending makes a pod ready although it backs off."""
    queue = SchedulingQueue()
    queue.add("p", ns(100))
    assert queue.pop(ns(100)) == "p"
    queue.fail("p", ns(100), pending=("DynamicResources",))

    queue.event("claim allocated", ns(100.1))

    assert queue.place("p") is Place.ACTIVE


def test_a_pod_that_left_is_not_handed_out() -> None:
    """A deleted pod is not popped, wherever it waited."""
    queue = SchedulingQueue(helps_everyone)
    for name in ("ready", "backing off"):
        queue.add(name, ns(1))
    assert queue.pop(ns(1)) == "ready"
    queue.fail("ready", ns(1), refused_by=(FIT,))
    queue.event("node added", ns(1.1))

    queue.done("ready")
    queue.done("backing off")

    assert queue.pop(ns(5)) is None
    assert len(queue) == 0


def test_urgent_pods_come_first_then_old_ones() -> None:
    """Ready pods are ordered by priority, then by when they came."""
    queue = SchedulingQueue()
    for name, at, priority in (("late", 3, 0), ("early", 1, 0), ("urgent", 2, 7)):
        queue.add(name, ns(at), priority)

    assert [queue.pop(ns(4)) for _ in range(3)] == ["urgent", "early", "late"]


@pytest.mark.parametrize(
    ("failures", "pods", "seconds"),
    [(0, 1, 0.0), (1, 1, 1.0), (4, 1, 8.0), (5, 1, 10.0), (60, 1, 10.0), (9, 4, 10 * sqrt(4))],
)
def test_back_off_doubles_and_is_capped(failures: int, pods: int, seconds: float) -> None:
    """One second doubles to ten; a group of four pods may wait twice as long."""
    assert round(seconds * NS_PER_S) == backoff_ns(failures, pods)
