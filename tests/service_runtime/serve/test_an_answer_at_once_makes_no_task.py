"""Handlers that answer at once and those that wait: one contract, and no task for the first kind.

What a client sees is the same; what differs is what a call costs.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError
from service_runtime.serve import LimitSettings, Reply, Request, Route
from tests.service_runtime.serve.chassis import Chassis, SteppedToday, echo, eventually

if TYPE_CHECKING:
    from pathlib import Path


def at_once(request: Request) -> Reply:
    """Answers with what it was sent, and how many tasks there were."""
    return Reply(200, request.body, headers={"Tasks": str(len(asyncio.all_tasks()))})


async def later(request: Request) -> Reply:
    """The same, awaited."""
    return at_once(request)


def fail(_: Request) -> Reply:
    """A handler with a bug."""
    raise RuntimeError("secret detail")


def misread(_: Request) -> Reply:
    """A handler that cannot read what it was sent."""
    raise InputError("no number", remedy="send one", field="pods")


def split(_: Request) -> Reply:
    """A handler that lets a client write headers."""
    return Reply(200, headers={"Name": "a\r\nSet-Cookie: b"})


def without(_: Request) -> Reply:
    """A handler that forgot to return anything."""
    return None  # type: ignore[return-value] # which is the mistake


async def without_later(_: Request) -> Reply:
    """The same, awaited."""
    return None  # type: ignore[return-value] # which is the mistake


ROUTES = [
    Route("POST", "/once", at_once),
    Route("POST", "/later", later),
    Route("POST", "/echo", echo),
    Route("POST", "/fail", fail),
    Route("POST", "/misread", misread),
    Route("POST", "/split", split),
    Route("POST", "/without", without),
    Route("POST", "/without-later", without_later),
]


async def test_only_what_is_awaited_is_a_task(tmp_path: Path) -> None:
    """One task more, to be exact."""
    chassis = Chassis(tmp_path, routes=ROUTES)
    async with chassis.running(), chassis.client() as client:
        await client.ask("POST", "/once", b"")
        await eventually(lambda: not chassis.serving._listeners[0]._handshakes)
        once, later_ = [await client.ask("POST", path, b"x") for path in ("/once", "/later")]

    assert (once.body, later_.body) == (b"x", b"x")
    assert int(once.headers["tasks"]) + 1 == int(later_.headers["tasks"])


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/fail", 500, "under id "),
        ("/misread", 400, "pods: no number; send one"),
        ("/split", 500, "under id "),
        ("/without", 500, "under id "),
        ("/without-later", 500, "under id "),
    ],
)
async def test_a_mistake_of_a_handler_is_told_and_the_connection_goes_on(
    tmp_path: Path, path: str, status: int, text: str
) -> None:
    """A reply that cannot be written down is a mistake as well."""
    chassis = Chassis(tmp_path, routes=ROUTES)
    async with chassis.running(), chassis.client() as client:
        reply = await client.ask("POST", path, b"x")
        again = await client.ask("POST", "/once", b"x")

    assert (reply.status, again.status) == (status, 200)
    assert text in reply.text
    assert "secret" not in reply.text


async def test_a_handler_may_send_a_client_elsewhere(tmp_path: Path) -> None:
    """`Connection: close` among its headers is said once, and done."""

    def elsewhere(_: Request) -> Reply:
        return Reply(503, b"not here", headers={"Connection": "close"})

    chassis = Chassis(tmp_path, routes=[Route("POST", "/elsewhere", elsewhere)])
    async with chassis.running(), chassis.client() as client:
        reply = await client.ask("POST", "/elsewhere", b"x")

        assert (reply.status, reply.headers["connection"]) == (503, "close")
        assert await client.is_closed()


async def test_thousands_of_requests_sent_ahead_are_answered_in_order(tmp_path: Path) -> None:
    """At once and later in turn, without a stack that grows or a queue without bound."""
    chassis = Chassis(tmp_path, routes=ROUTES)
    paths = ["/once", "/echo"]
    sent = b"".join(
        f"POST {paths[at % 7 == 0]} HTTP/1.1\r\nContent-Length: 5\r\n\r\n{at:05}".encode()
        for at in range(5_000)
    )
    async with chassis.running(), chassis.client() as client:
        sending = asyncio.create_task(client.send(sent))
        bodies = [(await client.answer()).body for _ in range(5_000)]
        await sending

    assert bodies == [f"{at:05}".encode() for at in range(5_000)]


async def test_a_deadline_goes_by_the_clock_passed_in(tmp_path: Path) -> None:
    """And a handler that waits is cancelled by it once, while others are answered."""
    cancelled = []

    async def wait(_: Request) -> Reply:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return Reply()

    chassis = Chassis(
        tmp_path,
        routes=[*ROUTES, Route("POST", "/wait", wait)],
        limits=LimitSettings(request_timeout_s=30),
        timing=SteppedToday(),
    )
    async with chassis.running(), chassis.client() as client, chassis.client() as other:
        await other.ask("POST", "/once", b"x")
        asking = asyncio.create_task(client.ask("POST", "/wait", b"x"))
        await chassis.timing.pass_s(29)  # type: ignore[attr-defined] # stepped, see above
        before = list(cancelled)
        await eventually(asking.done, chassis.timing)
        kept = await other.ask("POST", "/once", b"x")

    assert (asking.result().status, asking.result().text) == (504, "no answer within 30 s\n")
    assert (before, cancelled) == ([], [True])
    assert kept.status == 200
