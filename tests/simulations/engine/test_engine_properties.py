"""Whatever is scheduled, the engine does what a sorted list would do."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from simulations.engine import Engine, Timers

KIND, OPERATE = 1, 2

# Few distinct values, so that ties are common.
times = st.integers(0, 12)
priorities = st.integers(-2, 2)

Seen: TypeAlias = list[tuple[int, int]]
Script: TypeAlias = list[tuple[list[tuple[int, int]], int | None]]


@given(st.lists(st.tuples(times, priorities), max_size=60))
def test_any_schedule_pops_in_order_of_time_priority_and_sequence(
    schedule: list[tuple[int, int]],
) -> None:
    """Python's sort is stable, so sorting by (time, priority) is the whole specification."""
    engine = Engine()
    seen: list[int] = []
    engine.on(KIND, lambda _time_ns, index, _b: seen.append(index))
    for index, (time_ns, priority) in enumerate(schedule):
        engine.schedule(time_ns, KIND, a=index, priority=priority)

    engine.run()

    assert seen == sorted(range(len(schedule)), key=lambda index: schedule[index])


# What the i-th handled event does: (delay, priority) of each child, and perhaps a recurrence.
scripts = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 4), priorities), max_size=3),
        st.none() | st.integers(0, 4),
    ),
    max_size=40,
)


def by_engine(script: Script, cuts: list[int]) -> Seen:
    """Play a script on the engine, stopping at each cut; returns (time, name) of each event."""
    engine = Engine()
    seen: Seen = []
    names = iter(range(1, 10_000))

    def play(time_ns: int, name: int, _b: int) -> int | None:
        seen.append((time_ns, name))
        if len(seen) > len(script):
            return None
        children, recurs_after = script[len(seen) - 1]
        for delay, priority in children:
            engine.schedule(time_ns + delay, KIND, a=next(names), priority=priority)
        return None if recurs_after is None else time_ns + recurs_after

    engine.on(KIND, play)
    engine.schedule(0, KIND)
    handled = sum(engine.run(until_ns=cut) for cut in sorted(cuts))
    assert all(time_ns <= engine.now_ns for time_ns, _ in seen)

    handled += engine.run()

    assert handled == len(seen)
    assert engine.pending == 0
    return seen


def by_sorted_list(script: Script) -> Seen:
    """Play the same script on the slowest engine that could be right."""
    ahead = [(0, 0, 0, 0)]
    seen: Seen = []
    sequence = name_of_last = 0
    while ahead:
        ahead.sort()
        time_ns, priority, _, name = ahead.pop(0)
        seen.append((time_ns, name))
        if len(seen) > len(script):
            continue
        children, recurs_after = script[len(seen) - 1]
        for delay, child_priority in children:
            sequence += 1
            name_of_last += 1
            ahead.append((time_ns + delay, child_priority, sequence, name_of_last))
        if recurs_after is not None:
            sequence += 1
            ahead.append((time_ns + recurs_after, priority, sequence, name))
    return seen


@given(scripts, st.lists(times, max_size=5))
def test_events_that_beget_events_come_as_from_a_sorted_list(
    script: Script, cuts: list[int]
) -> None:
    """Children, recurrences and pauses included; every event is handled once and none is lost."""
    assert by_engine(script, cuts) == by_sorted_list(script)


# At each instant, in order: (entity, the delay to arm it with or None to cancel it).
operations = st.lists(
    st.tuples(times, st.integers(0, 3), st.none() | st.integers(0, 6)), max_size=60
)


@given(operations)
def test_a_timer_expires_exactly_when_it_is_neither_moved_nor_cancelled_before(
    schedule: list[tuple[int, int, int | None]],
) -> None:
    """Against a dictionary of deadlines: armed = expired + cancelled + replaced, and no ghost."""
    schedule = sorted(schedule, key=lambda operation: operation[0])
    engine = Engine()
    expired: Seen = []
    timers = Timers(engine, KIND, lambda time_ns, entity: expired.append((time_ns, entity)))

    def operate(time_ns: int, index: int, _b: int) -> None:
        _, entity, delay = schedule[index]
        if delay is None:
            timers.cancel(entity)
        else:
            timers.arm(entity, time_ns + delay, priority=1)

    engine.on(OPERATE, operate)
    for index, (time_ns, _, _) in enumerate(schedule):
        engine.schedule(time_ns, OPERATE, a=index)

    engine.run()

    deadlines: dict[int, int] = {}
    expected: Seen = []
    for time_ns in range(30):
        # Operations come first in an instant (priority 0), expiries after them (priority 1).
        for _, entity, delay in (entry for entry in schedule if entry[0] == time_ns):
            deadlines.pop(entity, None)
            if delay is not None:
                deadlines[entity] = time_ns + delay
        due = [entity for entity, deadline in deadlines.items() if deadline == time_ns]
        expected += [(time_ns, entity) for entity in due]
        for entity in due:
            del deadlines[entity]

    assert sorted(expired) == sorted(expected)
    assert len(timers) == 0
