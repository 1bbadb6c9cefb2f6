"""Whatever is written, cut, forgotten or down, in any order: the view ends equal to the server.

The changes that were told, replayed from nothing, must lead to the same state; a consumer that
keeps its own books by them then never drifts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service_runtime.kube.view import key_of
from tests.service_runtime.kube.gadgets import GADGETS, Gadget, gadget
from tests.service_runtime.kube.seen import replayed, watching
from tests.service_runtime.kube.servers import twin_server

if TYPE_CHECKING:
    from tests.service_runtime.kube.seen import Seen
    from tests.service_runtime.kube.servers import TwinServer

NAMES = ["a", "b", "c", "d"]
SIZES = st.one_of(st.integers(0, 3), st.just("large"))
STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(NAMES), SIZES),
    st.tuples(st.just("remove"), st.sampled_from(NAMES)),
    st.tuples(st.just("remake"), st.sampled_from(NAMES), SIZES),
    st.tuples(st.sampled_from(["cut", "expire", "stop", "start", "expire_pages", "throttle"])),
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.1, 1.0, 70.0, 700.0])),
)
HISTORIES = st.lists(STEPS, max_size=40)


async def do(server: TwinServer, step: tuple[Any, ...]) -> None:
    """One step of a history; deleting what is not there is no step."""
    what, *about = step
    known = (server.namespace, about[0]) in server.twin.objects(GADGETS) if about else False
    match what:
        case "put":
            await server.put(gadget(about[0], size=about[1]))
        case "remove" if known:
            await server.remove(about[0])
        case "remake":
            if known:
                await server.remove(about[0])
            await server.put(gadget(about[0], size=about[1]))
        case "pass":
            await server.pass_s(about[0])
        case "throttle":
            server.twin.faults.refuse(429, "watch", times=2, retry_after_s=1.0)
        case "cut" | "expire" | "stop" | "start" | "expire_pages":
            await getattr(server, what)()


async def live(history: list[tuple[Any, ...]]) -> None:
    """Watch through a whole history, then compare."""
    async with twin_server() as server, watching(server, synced=False, page_size=2) as seen:
        for step in history:
            await do(server, step)
        await server.start()
        await server.put(gadget("last"))
        await server.until(lambda: ("Added", "last") in seen.told())
        await server.pass_s(700.0)
        check(server, seen)


def check(server: TwinServer, seen: Seen) -> None:
    """The view against what the server holds, and the changes against the view."""
    stored = server.twin.objects(GADGETS)
    bad = {key for key, one in stored.items() if one["spec"]["size"] == "large"}
    good = {
        key: msgspec.convert(content, Gadget) for key, content in stored.items() if key not in bad
    }
    kept = {key: one for key, one in seen.watch.objects.items() if key in bad}

    assert good == {key: one for key, one in seen.watch.objects.items() if key not in bad}
    assert bad == set(seen.watch.unreadable)
    assert all(stored[key]["metadata"]["uid"] == one.metadata.uid for key, one in kept.items())
    assert replayed(seen.changes) == dict(seen.watch.objects)
    assert all(key == key_of(one.metadata) for key, one in seen.watch.objects.items())


@given(HISTORIES)
@settings(max_examples=40, deadline=None)
def test_any_history_ends_in_the_same_state(history: list[tuple[Any, ...]]) -> None:
    """Random histories of writes and faults end with the view equal to the server."""
    asyncio.run(live(history))


@pytest.mark.prove
@given(HISTORIES)
@settings(max_examples=3_000, deadline=None)
def test_a_great_many_histories_end_in_the_same_state(history: list[tuple[Any, ...]]) -> None:
    """The same, thirty times as often."""
    asyncio.run(live(history))
