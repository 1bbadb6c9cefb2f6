"""What time it is, as something that is passed in.

Decisions and simulations take a `Clock` or plain `int` nanoseconds; only a service's shell owns a
clock that moves by itself. Times are whole nanoseconds, so that adding them never depends on order.
This module must not read the machine's clock.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["DAY_S", "NS_PER_S", "Clock", "SteppedClock", "seconds_to_ns"]

NS_PER_S = 1_000_000_000
DAY_S = 86_400


class Clock(Protocol):
    """Anything that knows the present."""

    def now_ns(self) -> int:
        """Nanoseconds since this clock's own zero; never goes back."""
        ...


class SteppedClock:
    """A clock that stands still until it is told to go on: for tests and simulations."""

    __slots__ = ("_now_ns",)

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """The time it was last stepped to."""
        return self._now_ns

    def step(self, by_ns: int) -> None:
        """Go forward by `by_ns`, which may be zero but not negative."""
        if by_ns < 0:
            raise ValueError(f"a clock cannot go back: {by_ns} ns")
        self._now_ns += by_ns


def seconds_to_ns(seconds: float) -> int:
    """Whole nanoseconds, rounded to nearest: the one place where wire seconds become time."""
    return round(seconds * NS_PER_S)
