"""Keeps a view of one selection current, by a list and a watch, for as long as it runs.

It goes on from the last version it heard of, whatever ended the stream; only a 410, or an answer
that cannot be read, costs a new list. What vanished meanwhile is noticed then, and what did not
change is not told again. Lists are paged and decoded page by page, so a body is never held twice;
the streaming list (`sendInitialEvents`) is not used, because paging already bounds our memory,
servers that matter serve pages from their watch cache, and one way in is easier to trust.

It must not decide what an object means, and must not catch what a consumer raises: a view whose
consumer failed is no longer the consumer's view.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from gpu_fleet.errors import KubeError, KubeExpired, KubeInvalid, KubeMalformed, KubeUnreachable
from service_runtime.kube.api import EVERYTHING
from service_runtime.kube.reading import Heartbeat, Reader, Unreadable
from service_runtime.kube.refusals import Asked, unreachable
from service_runtime.kube.retry import Backoff
from service_runtime.kube.view import View, key_of
from service_runtime.kube.wire import WithMetadata
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from service_runtime.kube.api import KubeApi, Resource, Selection
    from service_runtime.kube.reading import Happened, Page
    from service_runtime.kube.settings import KubeSettings
    from service_runtime.kube.view import Change, Key
    from service_runtime.telemetry.log import Log
    from service_runtime.timing import Timing

__all__ = ["Tally", "Watch"]

T = TypeVar("T", bound=WithMetadata)

_SHORT_S: Final = 1.0
"""A stream that ends sooner and brought nothing is no server timeout but a fault (client-go)."""
_REFUSALS: Final = 5
"""A version that was refused so often in a row is given up, whatever the refusals said: after a
restore from a backup it may lie in the server's future."""
_SOON_S: Final = 3
"""How long the first stream after trouble is asked for. The server vouches for a stream two seconds
before its end, and for its end: so a view that was cut off is known to be current soon again."""
_USELESS: Final = (KubeExpired, KubeInvalid, KubeMalformed)
"""What asking again from the same version cannot mend."""


@dataclass(slots=True)
class Tally:
    """What a watch has been through since it was made, to be exposed as metrics."""

    lists: int = 0
    pages: int = 0
    watches: int = 0
    events: int = 0
    bookmarks: int = 0
    expired: int = 0
    failures: int = 0
    unreadable: int = 0


class Watch(Generic[T]):
    """The objects of a selection, decoded as `kind`, told to `on_changes` in order.

    `run` is started and ended by the caller. `on_changes` gets what one list or one event
    changed, after `objects` shows it. `draw` is uniform in [0, 1) and spreads waits and timeouts.
    """

    def __init__(
        self,
        api: KubeApi,
        resource: Resource,
        kind: type[T],
        *,
        settings: KubeSettings,
        timing: Timing,
        draw: Callable[[], float],
        log: Log,
        on_changes: Callable[[Sequence[Change[T]]], None] = lambda _: None,
        selection: Selection = EVERYTHING,
    ) -> None:
        self.name = f"watch-{resource.plural}"
        self.tally = Tally()
        self.synced = asyncio.Event()
        """Set once the first list is complete; never unset, see `age_s` for how old it is."""
        self.trouble: KubeError | None = None
        """Why the view is not being kept current now; None while it is."""
        self._api = api
        self._resource = resource
        self._selection = selection
        self._settings = settings
        self._timing = timing
        self._draw = draw
        self._log = log
        self._on_changes = on_changes
        self._asked = Asked("watch", resource, namespace=selection.namespace)
        self._reader = Reader(kind, self._asked)
        self._view: View[T] = View()
        self._backoff = Backoff(settings.backoff_base_s, settings.backoff_cap_s)
        self._version: str | None = None
        self._failures = 0
        self._refusals = 0
        self._current_ns: int | None = None

    @property
    def objects(self) -> Mapping[Key, T]:
        """What is known, by (namespace, name); a live view."""
        return self._view.objects

    @property
    def unreadable(self) -> Mapping[Key, Unreadable]:
        """The objects whose newest state cannot be decoded, and why."""
        return self._view.unreadable

    def age_s(self) -> float:
        """Seconds since the view was last known to be current; infinite before the first list.

        It stays below the server's bookmark interval while all is well.
        """
        if self._current_ns is None:
            return math.inf
        return elapsed_s(self._current_ns, self._timing.now_ns())

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """List, watch, and go on until cancelled; calls `ready` once, after the first list."""
        while True:
            try:
                if self._version is None:
                    await self._list()
                if not self.synced.is_set():
                    self.synced.set()
                    ready()
                await self._follow()
            except KubeError as error:
                await self._recover(error)

    async def _list(self) -> None:
        """Learn the whole state, page by page, then tell the difference in one piece."""
        asked_ns = self._timing.now_ns()
        listed: dict[Key, T] = {}
        unreadable: list[Unreadable] = []
        token, pages = "", 0
        while True:
            page = await self._page(token)
            pages += 1
            for one in page.objects:
                listed[key_of(one.metadata)] = self._view.kept(one)
            unreadable += page.unreadable
            token = page.continue_token
            if not token:
                break
        self._tell_unreadable(unreadable)
        changes = self._view.replace(listed, unreadable)
        self._version = page.version
        self._current_ns = asked_ns
        self._log.event(
            "kube_listed",
            resource=self._resource.plural,
            objects=len(listed),
            pages=pages,
            changes=len(changes),
            unreadable=len(unreadable),
            seconds=round(elapsed_s(asked_ns, self._timing.now_ns()), 3),
        )
        self.tally.lists += 1
        if changes:
            self._on_changes(changes)

    async def _page(self, token: str) -> Page[T]:
        body = await self._api.list_page(
            self._resource,
            self._selection,
            limit=self._settings.page_size,
            continue_token=token,
        )
        self.tally.pages += 1
        return self._reader.page(body)

    async def _follow(self) -> None:
        """Take the events of one stream until the server ends it."""
        began_ns = self._timing.now_ns()
        heard = self.tally.events + self.tally.bookmarks
        self.tally.watches += 1
        async with self._api.watch(
            self._resource,
            self._selection,
            resource_version=self._version or "",
            timeout_s=self._stream_s(),
        ) as lines:
            async for line in lines:
                self._take(line)
        lasted_s = elapsed_s(began_ns, self._timing.now_ns())
        if heard == self.tally.events + self.tally.bookmarks and lasted_s < _SHORT_S:
            raise unreachable(self._asked, "the stream ended at once and brought nothing")
        self._well()
        # A stream that the server ends brought all that happened until then.
        self._current_ns = self._timing.now_ns()

    def _stream_s(self) -> int:
        whole_s = round(self._settings.watch_timeout_s * (1.0 + self._draw()))
        return whole_s if self.trouble is None else min(whole_s, _SOON_S)

    def _take(self, line: bytes) -> None:
        event = self._reader.event(line)
        self._well()
        self._current_ns = self._timing.now_ns()
        changes: Sequence[Change[T]] = ()
        if isinstance(event, Heartbeat):
            self.tally.bookmarks += 1
        else:
            self.tally.events += 1
            changes = self._learn(event)
        self._version = event.version or self._version
        if changes:
            self._on_changes(changes)

    def _learn(self, event: Happened[T]) -> Sequence[Change[T]]:
        seen = event.object
        if isinstance(seen, Unreadable):
            if event.type == "DELETED":
                return self._view.remove((seen.namespace, seen.name), seen.uid)
            self._tell_unreadable((seen,))
            return self._view.mark(seen)
        if event.type == "DELETED":
            return self._view.remove(key_of(seen.metadata), seen.metadata.uid)
        return self._view.put(seen)

    def _tell_unreadable(self, seen: Sequence[Unreadable]) -> None:
        """Count and log what cannot be decoded, each version once."""
        for bad in seen:
            if self._view.unreadable.get((bad.namespace, bad.name)) == bad:
                continue
            self.tally.unreadable += 1
            self._log.warn(
                "kube_object_unreadable",
                resource=self._resource.plural,
                namespace=bad.namespace,
                name=bad.name,
                version=bad.version,
                problem=bad.problem,
            )

    def _well(self) -> None:
        self._failures = 0
        self._refusals = 0
        if self.trouble is None:
            return
        self.trouble = None
        self._log.event("kube_watch_recovered", resource=self._resource.plural)

    async def _recover(self, error: KubeError) -> None:
        """Decide whether a list is needed, then wait; the first 410 is no reason to wait."""
        self._failures += 1
        self._refusals += not isinstance(error, KubeUnreachable)
        lists_anew = isinstance(error, _USELESS) or self._refusals >= _REFUSALS
        if lists_anew:
            self._version = None
            self._refusals = 0
        first_expiry = isinstance(error, KubeExpired) and self._failures == 1
        self.tally.expired += isinstance(error, KubeExpired)
        self.tally.failures += not isinstance(error, KubeExpired)
        self.trouble = None if first_expiry else error
        wait_s = 0.0 if first_expiry else self._wait_s(error)
        self._log.warn(
            "kube_watch_interrupted",
            resource=self._resource.plural,
            problem=str(error),
            lists_anew=self._version is None,
            wait_s=round(wait_s, 3),
            age_s=round(self.age_s(), 3),
        )
        if not first_expiry:
            await self._timing.sleep(wait_s)

    def _wait_s(self, error: KubeError) -> float:
        retry = self._backoff.after(self._failures, self._draw, error.retry_after_s)
        return retry.wait_s or 0.0
