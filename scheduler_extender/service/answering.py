"""The four paths that a scheduler calls, as handlers of the decision port.

A handler checks that this replica leads, tells the extender how old its view is, and hands bytes to
`Calls`; whatever is measured or told is done after the answer has gone. Calls are answered one
after the other, because each changes what the next may be promised.
This module must not wait for anything.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from scheduler_extender.answers import Entry
from service_runtime.serve import Reply, Request, Route
from service_runtime.serve.exchange import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler_extender.calls import Calls
    from scheduler_extender.calls import Reply as Answered
    from service_runtime.serve import Handler
    from service_runtime.timing import Timing

__all__ = ["AGE_HEADER", "STALE_HEADER", "Answering"]

AGE_HEADER: Final = "Synthscale-View-Age-Seconds"
"""How old the view was that answered; absent before the first whole view."""
STALE_HEADER: Final = "Synthscale-View-Stale"
_JSON: Final = "application/json"
_NS_PER_S: Final = 1_000_000_000
_NOT_LEADING: Final = told(
    503, "this replica does not lead; connect again to reach the one that does", Connection="close"
)


class Answering:
    """Answers filter and prioritize for both entries of a scheduler's configuration."""

    def __init__(
        self,
        calls: Calls,
        timing: Timing,
        *,
        leads: Callable[[], bool],
        vouch: Callable[[], None],
        after: Callable[[Entry, str, Answered | None, int], None],
    ) -> None:
        """`after` is told of each call, and how many nanoseconds it took, once it is answered."""
        self._calls = calls
        self._timing = timing
        self._leads = leads
        self._vouch = vouch
        self._after = after

    def routes(self) -> list[Route]:
        """`POST /guard/filter` and the three like it."""
        return [
            Route("POST", f"/{entry.value}/{verb}", self._handler(entry, verb))
            for entry in Entry
            for verb in ("filter", "prioritize")
        ]

    def _handler(self, entry: Entry, verb: str) -> Handler:
        answer = self._calls.filter if verb == "filter" else self._calls.prioritize
        after = self._after

        def handle(request: Request) -> Reply:
            begun_ns = self._timing.now_ns()
            if not self._leads():
                after(entry, verb, None, 0)
                return _NOT_LEADING
            self._vouch()
            answered = answer(entry, request.body, begun_ns)
            taken_ns = self._timing.now_ns() - begun_ns
            asyncio.get_running_loop().call_soon(after, entry, verb, answered, taken_ns)
            return _reply(verb, answered)

        return handle


def _reply(verb: str, answered: Answered) -> Reply:
    if answered.problem and verb == "prioritize":
        # kube-scheduler drops a list that makes no sense without a word; a status is counted.
        return told(400, answered.problem)
    headers = {}
    if answered.age_ns is not None:
        headers[AGE_HEADER] = f"{answered.age_ns / _NS_PER_S:.3f}"
    if answered.stale:
        headers[STALE_HEADER] = "true"
    return Reply(200, answered.body, _JSON, headers)
