"""List and watch together: whatever ends a stream, the view ends up equal, and tells it once."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import KubeUnreachable
from service_runtime.kube.api import Selection
from service_runtime.kube.watching import Watch
from service_runtime.telemetry.log import RecordedLog
from tests.service_runtime.kube.gadgets import GADGETS, Gadget, gadget
from tests.service_runtime.kube.seen import replayed, watching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service_runtime.kube.view import Change
    from tests.service_runtime.kube.servers import Server


async def test_a_view_begins_with_everything(server: Server) -> None:
    """Many objects come in pages and are told in one piece; the view is then synced."""
    await server.put_all(gadget(f"g-{n:05}", size=n) for n in range(server.many))
    async with watching(server, page_size=100) as seen:
        assert [server.many] == [len(batch) for batch in seen.batches]
        assert {f"g-{n:05}": n for n in range(server.many)} == seen.sizes()
        assert server.many // 100 == seen.watch.tally.pages


async def test_a_view_follows_what_happens(server: Server) -> None:
    """Arrivals, changes and deletions are told as they come, with what was there before."""
    await server.put(gadget("a", size=1))
    async with watching(server) as seen:
        await server.put(gadget("b", size=1))
        await server.put(gadget("a", size=2))
        await server.remove("b")
        await server.until(lambda: len(seen.changes) == 4)

        expected = [("Added", "a"), ("Added", "b"), ("Updated", "a"), ("Deleted", "b")]
        assert expected == seen.told()
        assert seen.sizes() == {"a": 2}
        assert replayed(seen.changes) == dict(seen.watch.objects)


async def test_a_view_holds_its_selection(server: Server) -> None:
    """A selected view knows no others, and lets go of an object whose label changes."""
    await server.put(gadget("a", labels={"tier": "gold"}))
    await server.put(gadget("b", labels={"tier": "tin"}))
    gold = Selection(server.namespace, label_selector="tier=gold")
    async with watching(server, selection=gold) as seen:
        await server.put(gadget("a", labels={"tier": "tin"}))
        await server.until(lambda: len(seen.changes) == 2)

        assert seen.told() == [("Added", "a"), ("Deleted", "a")]


async def test_a_servers_timeout_costs_no_list(server: Server) -> None:
    """Streams that the server ends are taken up again from the last version."""
    async with watching(server, watch_timeout_s=2) as seen:
        await server.until(lambda: seen.watch.tally.watches >= 3)
        await server.put(gadget("a"))
        await server.until(lambda: ("Added", "a") in seen.told())

        assert server.api.asked["list"] == 1
        assert seen.watch.tally.failures == 0
        assert seen.watch.trouble is None


async def test_a_cut_stream_costs_no_list(server: Server) -> None:
    """After a break the view goes on from its last version and tells what it missed, once."""
    await server.put(gadget("a", size=1))
    async with watching(server) as seen:
        await server.put(gadget("b"))
        await server.until(lambda: ("Added", "b") in seen.told())
        await server.cut()
        await server.put(gadget("a", size=2))
        await server.put(gadget("c"))
        await server.until(lambda: ("Added", "c") in seen.told())

        expected = [("Added", "a"), ("Added", "b"), ("Updated", "a"), ("Added", "c")]
        assert expected == seen.told()
        assert server.api.asked["list"] == 1
        assert seen.watch.tally.failures == 1


async def test_bookmarks_alone_keep_a_view_fresh(server: Server) -> None:
    """While nothing happens, bookmarks hold the age down and nothing is listed or told."""
    async with watching(server, watch_timeout_s=3) as seen:
        await server.until(lambda: seen.watch.tally.bookmarks >= 2)

        assert seen.watch.age_s() < 5.0
        assert server.api.asked["list"] == 1
        assert seen.changes == []


async def test_a_410_in_mid_watch_costs_one_list(server: Server) -> None:
    """A forgotten version is listed anew: the vanished are deleted, the others not told again."""
    await server.put_all(gadget(name) for name in ("a", "b", "c"))
    async with watching(server) as seen:
        await server.put(gadget("d"))
        await server.until(lambda: ("Added", "d") in seen.told())
        await server.stop()
        await server.remove("b")
        await server.put(gadget("c", size=2))
        await server.put(gadget("e"))
        await server.expire()
        await server.start()
        await server.until(lambda: ("Added", "e") in seen.told())

        assert seen.told_since(4) == [("Deleted", "b"), ("Updated", "c"), ("Added", "e")]
        assert server.api.asked["list"] == 2
        assert seen.watch.tally.expired == 1
        assert replayed(seen.changes) == dict(seen.watch.objects)


async def test_a_410_between_pages_begins_the_list_again(server: Server) -> None:
    """A list whose pages expire is begun again, and nothing is told twice."""
    await server.put_all(gadget(f"g-{n}") for n in range(6))
    await server.expire_pages()
    async with watching(server, page_size=2) as seen:
        assert server.api.asked["list"] == 2
        assert sorted(("Added", f"g-{n}") for n in range(6)) == sorted(seen.told())


async def test_another_object_of_the_same_name_is_another(server: Server) -> None:
    """Deleted and made again while nobody looked: told as a deletion and an addition."""
    await server.put(gadget("a", size=1))
    async with watching(server) as seen:
        uid = seen.changes[0].object.metadata.uid
        await server.stop()
        await server.remove("a")
        await server.put(gadget("a", size=1))
        await server.expire()
        await server.start()
        await server.until(lambda: len(seen.changes) == 3)

        assert seen.told_since(1) == [("Deleted", "a"), ("Added", "a")]
        assert uid == seen.changes[1].object.metadata.uid
        assert uid != seen.changes[2].object.metadata.uid


async def test_one_bad_object_costs_only_itself(server: Server) -> None:
    """An object that cannot be decoded is skipped, counted and named; the others are kept."""
    await server.put_all(gadget(f"g-{n:02}") for n in range(30))
    await server.put(gadget("g-13", size="large"))
    async with watching(server) as seen:
        warned = seen.log.named("kube_object_unreadable")

        assert len(seen.watch.objects) == 29
        assert seen.watch.tally.unreadable == 1
        assert [event.fields["name"] for event in warned] == ["g-13"]
        assert [(server.namespace, "g-13")] == list(seen.watch.unreadable)


async def test_a_good_copy_outlives_a_bad_one(server: Server) -> None:
    """An object that turns unreadable keeps its last good copy, marked, until it heals or goes."""
    await server.put(gadget("a", size=1))
    async with watching(server) as seen:
        await server.put(gadget("a", size="large"))
        await server.until(lambda: bool(seen.watch.unreadable))

        assert seen.sizes() == {"a": 1}

        await server.put(gadget("a", size=3))
        await server.until(lambda: seen.sizes() == {"a": 3})

        assert seen.watch.unreadable == {}
        assert seen.told() == [("Added", "a"), ("Updated", "a")]


async def test_a_bad_object_can_go(server: Server) -> None:
    """The deletion of an object that cannot be decoded removes its last good copy."""
    await server.put(gadget("a", size=1))
    async with watching(server) as seen:
        await server.put(gadget("a", size="large"))
        await server.until(lambda: bool(seen.watch.unreadable))
        await server.remove("a")
        await server.until(lambda: not seen.watch.unreadable)

        assert seen.sizes() == {}
        assert seen.told() == [("Added", "a"), ("Deleted", "a")]


async def test_a_view_knows_that_it_ages(server: Server) -> None:
    """A server that is away makes the view older and says why; on return nothing is lost."""
    await server.put(gadget("a"))
    async with watching(server) as seen:
        await server.stop()
        await server.put(gadget("b"))
        await server.remove("a")
        await server.pass_s(server.outage_s)
        await server.until(lambda: seen.watch.trouble is not None)
        problem, age_s = seen.watch.trouble, seen.watch.age_s()

        assert age_s >= server.outage_s
        assert isinstance(problem, KubeUnreachable)
        assert seen.sizes() == {"a": 1}

        await server.start()
        await server.until(lambda: len(seen.changes) == 3)

        assert seen.told() == [("Added", "a"), ("Added", "b"), ("Deleted", "a")]
        assert seen.watch.trouble is None
        assert seen.watch.age_s() < age_s
        assert server.api.asked["list"] == 1


async def test_a_view_of_nothing_yet_is_infinitely_old(server: Server) -> None:
    """Before the first list there is no age to speak of, and the view is not synced."""
    await server.stop()
    async with watching(server, synced=False) as seen:
        await server.until(lambda: seen.watch.trouble is not None)

        assert math.inf == seen.watch.age_s()
        assert not seen.watch.synced.is_set()

        await server.start()
        await server.until(seen.watch.synced.is_set)


async def test_a_consumers_error_is_not_swallowed(server: Server) -> None:
    """What a consumer raises ends the watch, whatever kind of error it is."""

    def fail(_: Sequence[Change[Gadget]]) -> None:
        raise OSError("the consumer's own")

    await server.put(gadget("a"))
    watch = Watch(
        server.api,
        GADGETS,
        Gadget,
        settings=server.settings,
        timing=server.timing,
        draw=lambda: 0.5,
        log=RecordedLog(),
        on_changes=fail,
        selection=server.here,
    )
    running = asyncio.ensure_future(watch.run())
    await server.until(running.done)

    with pytest.raises(OSError, match="the consumer's own"):
        await running


async def test_a_consumers_error_over_an_event_is_not_swallowed(server: Server) -> None:
    """Also one raised in the middle of a stream, where errors of the network look alike."""
    told: list[int] = []

    def fail(changes: Sequence[Change[Gadget]]) -> None:
        told.append(len(changes))
        raise TimeoutError("the consumer's own")

    watch = Watch(
        server.api,
        GADGETS,
        Gadget,
        settings=server.settings,
        timing=server.timing,
        draw=lambda: 0.5,
        log=RecordedLog(),
        on_changes=fail,
        selection=server.here,
    )
    running = asyncio.ensure_future(watch.run())
    await server.until(watch.synced.is_set)
    await server.put(gadget("a"))
    await server.until(running.done)

    with pytest.raises(TimeoutError, match="the consumer's own"):
        await running
    assert told == [1]
