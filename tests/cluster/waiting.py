"""Waiting for real processes: look again until it is so, and say what was seen when it is not.

Tests against real processes poll with a deadline, for there is no clock to turn. Nothing here may
wait without a limit or end without saying what it waited for.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from gpu_fleet.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NotInTime", "wait_until"]

SEEN_CHARACTERS = 2_000

T = TypeVar("T")


class NotInTime(ServiceError):
    """What was waited for did not come; the text says what was last seen instead."""


def wait_until(
    what: str,
    look: Callable[[], T],
    met: Callable[[T], object] = bool,
    *,
    limit_s: float = 30.0,
    every_s: float = 0.1,
) -> T:
    """What `look` sees once `met` says yes; `NotInTime` after `limit_s`.

    A look that fails with a `ServiceError` or `OSError` (a server that is away) counts as seen:
    not yet. From a coroutine, call it through `asyncio.to_thread`.
    """
    deadline_s = time.monotonic() + limit_s
    while True:
        try:
            seen = look()
        except (ServiceError, OSError) as problem:
            last = f"{type(problem).__name__}: {problem}"
        else:
            if met(seen):
                return seen
            last = repr(seen)
        if time.monotonic() >= deadline_s:
            raise NotInTime(f"no {what} within {limit_s:g} s; last seen: {last[:SEEN_CHARACTERS]}")
        time.sleep(every_s)
