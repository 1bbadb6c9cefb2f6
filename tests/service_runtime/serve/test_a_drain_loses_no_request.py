"""How serving ends: not ready, then closed, then empty; what does not end is cut and counted.

The order is what matters: while a cluster still sends, everything is still answered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from service_runtime.serve import DrainSettings, LimitSettings, Reply, Request, Route
from service_runtime.timing import SystemTiming
from tests.service_runtime.serve.chassis import Chassis, Gone, SteppedToday, echo, eventually

if TYPE_CHECKING:
    from pathlib import Path


class Work:
    """A handler that goes on until it is told to end."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = False

    async def answer(self, _: Request) -> Reply:
        """Wait, then answer."""
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return Reply(200, b"done")


@pytest.fixture
def work() -> Work:
    """One request's work."""
    return Work()


@pytest.fixture
def chassis(tmp_path: Path, work: Work) -> Chassis:
    """On stepped time: 5 s of notice, 15 s to finish, and requests that may take longer."""
    routes = [Route("POST", "/echo", echo), Route("POST", "/toil", work.answer)]
    limits = LimitSettings(request_timeout_s=60)
    return Chassis(
        tmp_path, routes=routes, limits=limits, drain=DrainSettings(), timing=SteppedToday()
    )


async def test_notice_is_given_before_anything_is_refused(chassis: Chassis) -> None:
    """Not ready at once; old and new connections are answered and asked to go elsewhere."""
    async with chassis.running(), chassis.client() as kept:
        before = await kept.ask("POST", "/echo", b"x")
        chassis.task.cancel()
        await eventually(lambda: chassis.health.draining)
        ready = await chassis.ask("observation", "GET", "/readyz")
        alive = await chassis.ask("observation", "GET", "/livez")
        old = await kept.ask("POST", "/echo", b"x")
        new = await chassis.ask("decision", "POST", "/echo")

    assert (ready.status, alive.status) == (503, 200)
    assert "connection" not in before.headers
    assert [(one.status, one.headers["connection"]) for one in (old, new)] == [(200, "close")] * 2


async def test_a_request_in_flight_is_answered_after_the_port_has_closed(
    chassis: Chassis, work: Work
) -> None:
    """The decision port takes no more, the observation port still tells, the answer arrives."""
    async with chassis.running(), chassis.client() as kept:
        number = chassis.port()
        asking = asyncio.create_task(kept.ask("POST", "/toil", b"x"))
        await work.begun.wait()
        chassis.task.cancel()
        await chassis.timing.pass_s(6)  # type: ignore[attr-defined] # stepped, see above
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", number)
        ready = await chassis.ask("observation", "GET", "/readyz")
        work.go_on.set()
        reply = await asking
        await eventually(chassis.task.done, chassis.timing)

    assert ready.status == 503
    assert (reply.status, reply.text, reply.headers["connection"]) == (200, "done", "close")
    assert chassis.log.named("served_out")[0].fields == {"requests_cut": 0}


async def test_a_request_that_never_ends_is_cut_at_the_limit_and_counted(
    chassis: Chassis, work: Work
) -> None:
    """Its handler is cancelled, its client sees the connection end, the service ends in time."""
    async with chassis.running(), chassis.client() as kept:
        asking = asyncio.create_task(kept.ask("POST", "/toil", b"x"))
        await work.begun.wait()
        chassis.task.cancel()
        await chassis.timing.pass_s(19)  # type: ignore[attr-defined] # stepped, see above
        early = work.cancelled
        await eventually(chassis.task.done, chassis.timing)
        with pytest.raises(Gone):
            await asking

    assert (early, work.cancelled) == (False, True)
    assert chassis.log.named("served_out")[0].fields == {"requests_cut": 1}
    assert (
        chassis.metrics.value(
            "synthscale_serve_cut_connections_total", port="decision", reason="drain"
        )
        == 1
    )


async def test_an_idle_connection_does_not_hold_up_the_end(chassis: Chassis) -> None:
    """It is closed when the port is, not when the limit has passed."""
    async with chassis.running(), chassis.client() as idle:
        await idle.ask("POST", "/echo", b"x")
        chassis.task.cancel()
        await chassis.timing.pass_s(5.5)  # type: ignore[attr-defined] # stepped, see above

        assert await idle.is_closed()


async def test_a_second_order_to_end_cuts_the_drain_short(chassis: Chassis, work: Work) -> None:
    """An impatient operator gets what they ask for, and nothing is left behind."""
    async with chassis.running(), chassis.client() as kept:
        asking = asyncio.create_task(kept.ask("POST", "/toil", b"x"))
        await work.begun.wait()
        chassis.task.cancel()
        await eventually(lambda: chassis.health.draining)
        chassis.task.cancel()
        await eventually(lambda: work.cancelled)
        await chassis.end()
        with pytest.raises(Gone):
            await asking

    assert chassis.task.cancelled()


async def test_clients_under_load_lose_no_request(tmp_path: Path) -> None:
    """Everybody is answered until the end is announced to them, in real time."""
    drain = DrainSettings(notice_s=0.2, finish_s=5)
    chassis = Chassis(tmp_path, drain=drain, timing=SystemTiming())
    answered: list[str | None] = []

    async def load() -> None:
        async with chassis.client() as client:
            while True:
                reply = await client.ask("POST", "/echo", b"x")
                answered.append(reply.headers.get("connection"))
                if answered[-1] == "close":
                    return  # a cluster's proxies send the next one elsewhere

    async with chassis.running(), asyncio.TaskGroup() as clients:
        for _ in range(5):
            clients.create_task(load())
        await eventually(lambda: len(answered) > 50)
        chassis.task.cancel()

    assert answered.count("close") == 5
    assert chassis.log.named("served_out")[0].fields == {"requests_cut": 0}
