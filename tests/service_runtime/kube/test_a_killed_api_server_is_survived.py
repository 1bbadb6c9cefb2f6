"""The real thing in real time: an API server killed for a minute, and thousands of objects.

`make test` shows both on the twin, where a minute takes no time; these are for `make prove`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import KubeUnreachable
from service_runtime.kube.api import NAMESPACES
from tests.service_runtime.kube.gadgets import gadget
from tests.service_runtime.kube.seen import replayed, watching
from tests.service_runtime.kube.servers import real_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.control_plane import ControlPlane

OUTAGE_S = 60.0
MANY = 5_000


@pytest.fixture
def doomed() -> Iterator[ControlPlane]:
    """A control plane of this test alone: no other test may meet its absence."""
    from tests.cluster.control_plane import start_control_plane

    with start_control_plane() as plane:
        plane.wire.create(NAMESPACES, {"metadata": {"name": "survivor"}})
        yield plane


@pytest.mark.prove
async def test_an_api_server_killed_for_a_minute(doomed: ControlPlane) -> None:
    """The view ages and says so; when the server is back, it is current again by itself."""
    async with real_server(doomed, "survivor") as server:
        await server.put(gadget("a"))
        async with watching(server) as seen:
            await asyncio.to_thread(doomed.kill, "kube-apiserver")
            try:
                await server.pass_s(OUTAGE_S)
                problem, age_s = seen.watch.trouble, seen.watch.age_s()
            finally:
                await asyncio.to_thread(doomed.start, "kube-apiserver")
            await server.put(gadget("b"))
            await server.until(lambda: ("Added", "b") in seen.told())

            assert isinstance(problem, KubeUnreachable)
            assert age_s >= OUTAGE_S
            assert seen.told() == [("Added", "a"), ("Added", "b")]
            assert seen.watch.age_s() < age_s


@pytest.mark.prove
async def test_thousands_of_objects_on_a_real_server(
    control_plane: ControlPlane, namespace: str
) -> None:
    """5,000 objects come in ten pages, each object once."""
    async with real_server(control_plane, namespace) as server:
        await server.put_all(gadget(f"g-{n:05}", size=n) for n in range(MANY))
        async with watching(server, page_size=500) as seen:
            assert seen.watch.tally.pages == MANY // 500
            assert seen.sizes() == {f"g-{n:05}": n for n in range(MANY)}
            assert replayed(seen.changes) == dict(seen.watch.objects)
