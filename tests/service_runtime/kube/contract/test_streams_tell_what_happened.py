"""The watch as the server gives it: events in order, bookmarks, ends and breaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import KubeExpired, KubeUnreachable
from service_runtime.kube.api import Selection
from service_runtime.kube.reading import Happened, Heartbeat, Reader, Unreadable
from service_runtime.kube.refusals import Asked
from tests.service_runtime.kube.gadgets import GADGETS, Gadget, gadget

if TYPE_CHECKING:
    from tests.service_runtime.kube.servers import Server

READER = Reader(Gadget, Asked("watch", GADGETS))


async def version_now(server: Server) -> str:
    """The version a list has now."""
    return READER.page(await server.api.list_page(GADGETS, server.here, limit=1)).version


async def take(
    server: Server,
    version: str,
    into: list[Happened[Gadget] | Heartbeat],
    *,
    timeout_s: int = 30,
    selection: Selection | None = None,
) -> None:
    """Read a stream to its end."""
    async with server.api.watch(
        GADGETS, selection or server.here, resource_version=version, timeout_s=timeout_s
    ) as lines:
        async for line in lines:
            into.append(READER.event(line))  # noqa: PERF401 - others look on meanwhile


def told(events: list[Happened[Gadget] | Heartbeat]) -> list[tuple[str, str]]:
    """What happened to whom."""
    return [
        (event.type, event.object.metadata.name)
        for event in events
        if isinstance(event, Happened) and not isinstance(event.object, Unreadable)
    ]


async def test_events_come_in_order(server: Server) -> None:
    """A stream tells everything after its version: an arrival, a change, a deletion."""
    await server.put(gadget("old"))
    version = await version_now(server)
    await server.put(gadget("a", size=1))
    await server.put(gadget("a", size=2))
    await server.remove("a")
    events: list[Happened[Gadget] | Heartbeat] = []
    reading = asyncio.ensure_future(take(server, version, events))
    await server.until(lambda: len(told(events)) == 3)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert told(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_leaving_a_selection_is_a_deletion(server: Server) -> None:
    """An object whose labels change comes into and goes out of a selection."""
    await server.put(gadget("a", labels={"tier": "tin"}))
    version = await version_now(server)
    await server.put(gadget("a", labels={"tier": "gold"}))
    await server.put(gadget("a", labels={"tier": "gold"}, size=2))
    await server.put(gadget("a", labels={"tier": "tin"}))
    events: list[Happened[Gadget] | Heartbeat] = []
    gold = Selection(server.namespace, label_selector="tier=gold")
    reading = asyncio.ensure_future(take(server, version, events, selection=gold))
    await server.until(lambda: len(told(events)) == 3)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert told(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_a_stream_ends_with_its_timeout_after_a_bookmark(server: Server) -> None:
    """A quiet stream brings bookmarks until the server ends it, and its end is no error."""
    version = await version_now(server)
    events: list[Happened[Gadget] | Heartbeat] = []
    reading = asyncio.ensure_future(take(server, version, events, timeout_s=4))
    await server.until(reading.done)
    await reading

    assert {Heartbeat} == {type(event) for event in events}


async def test_a_bookmark_is_a_version_to_go_on_from(server: Server) -> None:
    """From a bookmark on, nothing is told twice and nothing is lost."""
    version = await version_now(server)
    await server.put(gadget("before"))
    events: list[Happened[Gadget] | Heartbeat] = []
    reading = asyncio.ensure_future(take(server, version, events, timeout_s=4))
    await server.until(reading.done)
    await reading
    bookmark = events[-1]
    await server.put(gadget("after"))
    later: list[Happened[Gadget] | Heartbeat] = []
    reading = asyncio.ensure_future(take(server, bookmark.version, later))
    await server.until(lambda: bool(told(later)))
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert isinstance(bookmark, Heartbeat)
    assert told(later) == [("ADDED", "after")]


async def test_a_forgotten_version_is_a_410(server: Server) -> None:
    """A stream from a version that is forgotten says so, by its status or by an ERROR event."""
    await server.put(gadget("a"))
    version = await version_now(server)
    await server.expire()

    with pytest.raises(KubeExpired):
        await take(server, version, [])


async def test_a_cut_stream_is_an_error(server: Server) -> None:
    """A connection that breaks is told from a stream that ends."""
    version = await version_now(server)
    events: list[Happened[Gadget] | Heartbeat] = []
    reading = asyncio.ensure_future(take(server, version, events))
    await server.put(gadget("a"))
    await server.until(lambda: bool(told(events)))
    await server.cut()
    await server.until(reading.done)

    with pytest.raises(KubeUnreachable, match="watch gadgets"):
        await reading
