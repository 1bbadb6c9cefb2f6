"""What a service is made of: parts, each a name and one coroutine.

A part owns every task it starts and has joined them when `run` returns, so that whoever ends the
part has ended all of it. This module must not run anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Part"]


class Part(Protocol):
    """Something that a service does for as long as it lives."""

    @property
    def name(self) -> str:
        """How events, errors and readiness call it."""
        ...

    async def run(self, ready: Callable[[], None]) -> None:
        """Call `ready` once what others need of it is there, then serve until cancelled.

        Cancellation is the order to end: finish what was begun within limits of one's own, close
        everything, and let the `CancelledError` out. Returning or raising anything else by itself
        ends the whole service, with this part's name as the reason.
        """
        ...
