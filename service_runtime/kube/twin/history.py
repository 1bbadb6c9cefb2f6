"""What happened to the objects of one kind, as far back as is remembered.

A watch reads it from a version on; a version that is forgotten is a 410, as with the real watch
cache. It must not know selections or streams: it keeps events in order and wakes who waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["History", "Past"]


@dataclass(frozen=True, slots=True)
class Past:
    """One change of one object: `before` is None when it came, `after` is None when it went."""

    version: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class History:
    """A bounded memory of changes; the oldest are forgotten first."""

    def __init__(self, limit: int, first: int) -> None:
        self._events: deque[Past] = deque()
        self._limit = limit
        self._known_from = first
        self.stirred = asyncio.Event()
        """Set whenever there is something new to look at; a reader waits on it and looks again."""

    def remember(self, past: Past) -> None:
        """Add the newest change."""
        self._events.append(past)
        while len(self._events) > self._limit:
            self._known_from = self._events.popleft().version
        self.stir()

    def forget(self, upto: int) -> None:
        """Forget everything up to a version: a watch from before it is refused."""
        while self._events and self._events[0].version <= upto:
            self._events.popleft()
        self._known_from = upto

    def knows(self, version: int) -> bool:
        """Whether every change after `version` is still remembered."""
        return version >= self._known_from

    def after(self, version: int) -> list[Past]:
        """The changes after a version that `knows` says is known."""
        newer = 0
        for past in reversed(self._events):
            if past.version <= version:
                break
            newer += 1
        return list(islice(self._events, len(self._events) - newer, None))

    def stir(self) -> None:
        """Wake every reader once."""
        stirred, self.stirred = self.stirred, asyncio.Event()
        stirred.set()
