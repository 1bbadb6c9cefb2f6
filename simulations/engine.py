"""The kernel: it keeps simulated time and calls handlers in one defined order.

It exists so that every experiment shares one notion of *when*, small enough to read in a sitting.
It must not know what is simulated, draw a random number, or read a clock, a file or a socket.

An event is a tuple of six integers, `(time_ns, priority, sequence, kind, a, b)`, in one heap.
The order of handling is the order of those tuples: earlier first, then lower priority number,
then first scheduled first.
The sequence is unique, so the order never depends on hashing, memory or the platform:
a run is deterministic by construction.
There are no closures in the heap; `kind` picks a registered handler and `a`, `b` are its payload,
which keeps an event cheap, comparable and printable.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush, heappushpop
from typing import Final, NoReturn, TypeAlias

from gpu_fleet.errors import SimulationError

Event: TypeAlias = tuple[int, int, int, int, int, int]
"""`(time_ns, priority, sequence, kind, a, b)`."""

Handler: TypeAlias = Callable[[int, int, int], int | None]
"""`handler(time_ns, a, b)`: returns None, or the time in ns at which the same event recurs."""

TimerHandler: TypeAlias = Callable[[int, int], None]
"""`handler(time_ns, entity)`: called when the timer of that entity expires."""

FOREVER_NS: Final = 2**63 - 1
"""The last instant of an int64 clock, 292 years in; an event later than this never happens."""

# Below every legal time, so that one comparison in the loop answers both "past the limit?"
# and "asked to stop?".
_STOPPED: Final = -1


class Engine:
    """A discrete-event engine: schedule events, register handlers, run.

    Times are whole nanoseconds of simulated time, as Python ints.

    >>> engine = Engine()
    >>> engine.on(7, lambda time_ns, a, b: print(time_ns, a, b))
    >>> engine.schedule(20, 7, a=2)
    >>> engine.schedule(10, 7, a=1, b=5)
    >>> engine.run()
    10 1 5
    20 2 0
    2
    """

    __slots__ = ("_handlers", "_heap", "_limit_ns", "_running", "_sequence", "now_ns")

    now_ns: int
    """The simulated time in ns. To be read only: the engine alone moves it, and never backwards."""

    def __init__(self, start_ns: int = 0) -> None:
        """Start the clock at `start_ns` with no events and no handlers.

        Raises SimulationError when `start_ns` is negative.
        """
        if start_ns < 0:
            raise SimulationError(f"start_ns is {start_ns}: simulated time starts at 0 or later")
        self.now_ns = start_ns
        self._handlers: dict[int, Handler] = {}
        self._heap: list[Event] = []
        self._limit_ns = _STOPPED
        self._running = False
        self._sequence = 0

    @property
    def pending(self) -> int:
        """How many events still lie ahead, stale timers included."""
        return len(self._heap)

    @property
    def next_ns(self) -> int | None:
        """The time in ns of the next event, or None when there is none."""
        return self._heap[0][0] if self._heap else None

    def on(self, kind: int, handler: Handler) -> None:
        """Register the handler of a kind of event.

        A handler that returns a time has its event recur then, with the same kind, `a`, `b` and
        priority: so go ticks, arrivals and busy servers on, at half the price of scheduling.
        Raises SimulationError when the kind already has a handler.
        """
        if kind in self._handlers:
            raise SimulationError(
                f"event kind {kind} already has a handler: give each kind its own number"
            )
        self._handlers[kind] = handler

    def schedule(self, time_ns: int, kind: int, a: int = 0, b: int = 0, priority: int = 0) -> None:
        """Put an event at `time_ns`, which may be now but not earlier.

        Among events of one instant, lower `priority` comes first, then the one scheduled first.
        Raises SimulationError when `time_ns` lies in the past or `kind` has no handler.
        """
        if time_ns < self.now_ns or kind not in self._handlers:
            self._refuse(time_ns, kind)
        self._sequence = sequence = self._sequence + 1
        heappush(self._heap, (time_ns, priority, sequence, kind, a, b))

    def stop(self) -> None:
        """End the run after the handler that is at work; what lies ahead stays, for a later run."""
        self._limit_ns = _STOPPED

    def run(self, until_ns: int | None = None) -> int:
        """Handle events in order and return how many were handled.

        With `until_ns`, everything up to and including that time happens,
        and the clock then stands there even if the last event was earlier;
        so running to 5 and then to 10 is the same as running to 10.
        Without it the run ends when nothing lies ahead.
        An error in a handler ends the run with the clock at that event, which is spent.
        Raises SimulationError when called from a handler or with a time in the past.
        """
        if self._running:
            raise SimulationError("run() was called by a handler: schedule an event instead")
        if until_ns is not None and until_ns < self.now_ns:
            raise SimulationError(
                f"cannot run until {until_ns} ns: the clock already stands at {self.now_ns} ns"
            )
        self._limit_ns = FOREVER_NS if until_ns is None else until_ns
        self._running = True
        try:
            handled = self._loop()
        finally:
            self._running = False
        if until_ns is not None and self._limit_ns != _STOPPED:
            self.now_ns = until_ns
        return handled

    def _loop(self) -> int:
        """Pop and handle until the heap is empty or the limit is reached.

        It is written for speed: local names, and one heappushpop where an event recurs.
        `_limit_ns` is read anew for each event, because stop() lowers it.
        """
        heap, handlers = self._heap, self._handlers
        pop, push_pop = heappop, heappushpop
        handled = 0
        if not heap:
            return handled
        event = pop(heap)
        while True:
            time_ns, priority, _, kind, a, b = event
            if time_ns > self._limit_ns:
                heappush(heap, event)
                return handled
            self.now_ns = time_ns
            handled += 1
            again_ns = handlers[kind](time_ns, a, b)
            if again_ns is not None:
                if again_ns < time_ns:
                    self._refuse(again_ns, kind)
                self._sequence = sequence = self._sequence + 1
                event = push_pop(heap, (again_ns, priority, sequence, kind, a, b))
            elif heap:
                event = pop(heap)
            else:
                return handled

    def _refuse(self, time_ns: int, kind: int) -> NoReturn:
        if kind not in self._handlers:
            raise SimulationError(f"event kind {kind} has no handler: register one with on() first")
        raise SimulationError(
            f"an event of kind {kind} was scheduled at {time_ns} ns,"
            f" but it is {self.now_ns} ns already: nothing can happen in the past"
        )


class Timers:
    """Events that can be called off: one timer per entity, of one kind.

    Nothing is ever searched for in the heap.
    Each arming gets a generation of its own, which travels in the event;
    an event whose generation is no longer the armed one is stale, and dropped when its time comes.
    Events that are never cancelled do not go through here and pay nothing for it.
    A stale event stays in the heap until its time,
    so re-arming far-off timers at a high rate costs memory.
    """

    __slots__ = ("_armed", "_engine", "_generation", "_handler", "_kind")

    def __init__(self, engine: Engine, kind: int, handler: TimerHandler) -> None:
        """Own events of `kind` on this engine; `handler(time_ns, entity)` is called on expiry.

        Raises SimulationError when the kind already has a handler.
        """
        self._engine = engine
        self._kind = kind
        self._handler = handler
        self._generation = 0
        self._armed: dict[int, tuple[int, int]] = {}
        engine.on(kind, self._expire)

    def __len__(self) -> int:
        """How many entities have an armed timer."""
        return len(self._armed)

    def __contains__(self, entity: int) -> bool:
        """Whether this entity has an armed timer."""
        return entity in self._armed

    def arm(self, entity: int, time_ns: int, priority: int = 0) -> None:
        """Let the timer of `entity` expire at `time_ns`; a timer armed before is called off.

        Raises SimulationError when `time_ns` lies in the past; an earlier timer then stands.
        """
        generation = self._generation + 1
        self._engine.schedule(time_ns, self._kind, entity, generation, priority)
        self._generation = generation
        self._armed[entity] = (generation, time_ns)

    def cancel(self, entity: int) -> bool:
        """Call the timer of `entity` off; returns whether there was one."""
        return self._armed.pop(entity, None) is not None

    def expires_ns(self, entity: int) -> int | None:
        """The time in ns at which the timer of `entity` expires, or None when it is not armed."""
        armed = self._armed.get(entity)
        return None if armed is None else armed[1]

    def _expire(self, time_ns: int, entity: int, generation: int) -> None:
        armed = self._armed.get(entity)
        if armed is None or armed[0] != generation:
            return
        # Disarmed before the call, so that the handler may arm the same entity again.
        del self._armed[entity]
        self._handler(time_ns, entity)
