"""What the parts of a service say together about whether it should be sent work.

The runner writes down which part starts, is ready or ends; the observation port asks. This module
must not wait for anything nor look into a part: what a part knows of its own (the age of a view)
is a check of its own.
"""

from __future__ import annotations

from service_runtime.serve.health import NotReady, Ready

__all__ = ["Readiness"]


class Readiness:
    """Ready while every part is, from the moment the last became so until the first is ended."""

    __slots__ = ("_ending", "_started", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[str, None] = {}
        self._started = False
        self._ending = False

    def expect(self, part: str) -> None:
        """This part is to be started; until it is ready, the service is not."""
        self._waiting[part] = None

    def ready(self, part: str) -> None:
        """This part has what others need of it."""
        self._waiting.pop(part, None)
        self._started = True

    def ending(self) -> None:
        """The service has begun to end, which cannot be taken back."""
        self._ending = True

    def check(self) -> Ready | NotReady:
        """The answer for the observation port."""
        if self._ending:
            return NotReady("the service is ending")
        if self._waiting:
            return NotReady(f"not ready yet: {', '.join(self._waiting)}")
        return Ready() if self._started else NotReady("nothing has been started yet")
