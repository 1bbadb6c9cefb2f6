"""A watch that runs beside a test, and all that it told.

The test ends it, and what went wrong in it is the test's own failure.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from service_runtime.kube.view import Added, Deleted, Updated, key_of
from service_runtime.kube.watching import Watch
from service_runtime.telemetry.log import RecordedLog
from tests.service_runtime.kube.gadgets import GADGETS, Gadget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from service_runtime.kube.api import KubeApi, Selection
    from service_runtime.kube.settings import KubeSettings
    from service_runtime.kube.view import Change, Key
    from tests.service_runtime.kube.servers import Server

__all__ = ["Seen", "replayed", "watching"]


@dataclass(slots=True)
class Seen:
    """What a watch told, in order."""

    watch: Watch[Gadget]
    log: RecordedLog
    batches: list[tuple[Change[Gadget], ...]] = field(default_factory=list)

    @property
    def changes(self) -> list[Change[Gadget]]:
        """Every change, in order."""
        return [change for batch in self.batches for change in batch]

    def told(self) -> list[tuple[str, str]]:
        """Every change as kind and name."""
        return [(type(change).__name__, change.object.metadata.name) for change in self.changes]

    def told_since(self, mark: int) -> list[tuple[str, str]]:
        """The changes after the first `mark`."""
        return self.told()[mark:]

    def sizes(self) -> dict[str, int]:
        """What is known now: each gadget's size."""
        return {name: one.spec.size for (_, name), one in self.watch.objects.items()}


def replayed(changes: Sequence[Change[Gadget]]) -> dict[Key, Gadget]:
    """The state that the changes lead to; a change that contradicts it is an error."""
    state: dict[Key, Gadget] = {}
    for change in changes:
        key = key_of(change.object.metadata)
        if isinstance(change, Added):
            assert key not in state
            state[key] = change.object
        elif isinstance(change, Updated):
            assert state[key] is change.before
            state[key] = change.object
        elif isinstance(change, Deleted):
            assert state.pop(key) is change.object
    return state


@asynccontextmanager
async def watching(
    server: Server,
    *,
    selection: Selection | None = None,
    api: KubeApi | None = None,
    synced: bool = True,
    **settings: Any,  # noqa: ANN401 - any of KubeSettings' fields
) -> AsyncIterator[Seen]:
    """A running watch of gadgets, once it is synced; it is ended with the context."""
    log = RecordedLog()
    batches: list[tuple[Change[Gadget], ...]] = []
    chosen: KubeSettings = msgspec.structs.replace(server.settings, **settings)
    watch = Watch(
        api or server.api,
        GADGETS,
        Gadget,
        settings=chosen,
        timing=server.timing,
        draw=lambda: 0.5,
        log=log,
        on_changes=lambda changes: batches.append(tuple(changes)),
        selection=selection or server.here,
    )
    task = asyncio.ensure_future(watch.run())
    try:
        if synced:
            await server.until(watch.synced.is_set)
        yield Seen(watch, log, batches)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    if not task.cancelled():
        task.result()
