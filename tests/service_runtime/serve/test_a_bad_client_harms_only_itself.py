"""What hostile or broken clients send, what they are told, and that others notice nothing.

During each case a well-behaved client keeps being answered on a connection of its own.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError
from service_runtime.serve import LimitSettings, Reply, Request, Route
from tests.service_runtime.serve.chassis import Chassis, Gone, echo, eventually

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from pathlib import Path

LIMITS = LimitSettings(
    body_max_bytes=10_000,
    body_timeout_s=0.3,
    request_timeout_s=0.6,
    handshake_timeout_s=0.5,
    head_line_max_bytes=2_000,
    headers_max=20,
)


async def fail(_: Request) -> Reply:
    """A handler with a bug."""
    raise RuntimeError("secret detail")


async def misread(_: Request) -> Reply:
    """A handler that cannot read what it was sent."""
    raise InputError("no number", remedy="send one", field="pods")


async def hang(_: Request) -> Reply:
    """A handler that never ends by itself."""
    await asyncio.get_running_loop().create_future()
    return Reply()


async def out_of_time(_: Request) -> Reply:
    """A handler that forgot to catch the limit of something it asked."""
    raise TimeoutError("of its own")


ROUTES = [
    Route("POST", "/echo", echo),
    Route("GET", "/only", echo),
    Route("GET", "/below/", echo),
    Route("POST", "/fail", fail),
    Route("POST", "/misread", misread),
    Route("POST", "/hang", hang),
    Route("POST", "/timeout", out_of_time),
]


@asynccontextmanager
async def beside_others(chassis: Chassis) -> AsyncIterator[None]:
    """Somebody else is answered all the while, on one connection."""
    answered = []

    async def others() -> None:
        async with chassis.client() as client:
            while True:
                answered.append((await client.ask("POST", "/echo", b"hello")).status)

    async with chassis.running():
        task = asyncio.create_task(others())
        try:
            yield
            before = len(answered)
            await eventually(lambda: len(answered) > before)
        finally:
            task.cancel()
            await asyncio.wait([task])

    assert task.cancelled()
    assert {200} == set(answered)


WHOLE = {
    "a body over the limit by its headers": (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n",
        413,
        "the body is longer than 10000 bytes",
    ),
    "a body over the limit in chunks": (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2800\r\n"
        + b"x" * 10_240
        + b"\r\n",
        413,
        "longer than 10000 bytes",
    ),
    "a body that stays away": (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
        408,
        "the body did not arrive within 0.3 s",
    ),
    "a chunk that is none": (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        400,
        "",
    ),
    "two lengths": (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        400,
        "this is no HTTP/1.1 request",
    ),
    "a length and chunks": (
        (
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
            b"\r\n0\r\n\r\n"
        ),
        400,
        "this is no HTTP/1.1 request",
    ),
    "a compressed body": (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
        415,
        "without a Content-Encoding",
    ),
    "no HTTP": (b"\x16\x03\x01 hello\r\n\r\n", 400, "this is no HTTP/1.1 request"),
    "HTTP/2 without asking": (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        400,
        "this is no HTTP/1.1 request",
    ),
    "a long path": (b"GET /" + b"x" * 3_000 + b" HTTP/1.1\r\n\r\n", 431, "a header is too long"),
    "a long header": (
        b"GET /only HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 3_000 + b"\r\n\r\n",
        431,
        "a header is too long",
    ),
    "many headers": (
        b"GET /only HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 30 + b"\r\n",
        400,
        "",
    ),
    "an unknown path": (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, "no such path here"),
    "a path beside one": (b"GET /only/ HTTP/1.1\r\nHost: x\r\n\r\n", 404, "no such path here"),
    "a wrong method": (b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", 405, "only POST here"),
    "a wrong method below": (
        b"DELETE /below/deep HTTP/1.1\r\nHost: x\r\n\r\n",
        405,
        "only GET here",
    ),
    "a handler with a bug": (b"POST /fail HTTP/1.1\r\nHost: x\r\n\r\n", 500, "under id "),
    "a handler's own time limit": (b"POST /timeout HTTP/1.1\r\nHost: x\r\n\r\n", 500, "under id "),
    "a handler that does not end": (
        b"POST /hang HTTP/1.1\r\nHost: x\r\n\r\n",
        504,
        "no answer within 0.6 s",
    ),
    "a body that means nothing": (
        b"POST /misread HTTP/1.1\r\nHost: x\r\n\r\n",
        400,
        "pods: no number; send one",
    ),
}


@pytest.mark.parametrize(("sent", "status", "text"), WHOLE.values(), ids=WHOLE.keys())
async def test_a_wrong_request_is_told_what_is_wrong(
    tmp_path: Path, sent: bytes, status: int, text: str
) -> None:
    """In one line, without a trace of our insides, while others are answered."""
    chassis = Chassis(tmp_path, routes=ROUTES, limits=LIMITS)
    async with beside_others(chassis), chassis.client() as client:
        await client.send(sent)
        reply = await client.answer()

    assert status == reply.status
    assert text in reply.text
    assert "Traceback" not in reply.text
    assert "secret" not in reply.text
    assert reply.text.count("\n") == 1
    assert reply.headers["server"] == "synthscale"


async def test_a_failure_is_in_the_log_under_the_id_the_client_got(tmp_path: Path) -> None:
    """With the trace, which the client must not see."""
    chassis = Chassis(tmp_path, routes=ROUTES)
    async with chassis.running(), chassis.client() as client:
        reply = await client.ask("POST", "/fail", b"x")
        again = await client.ask("POST", "/echo", b"x")
    (told,) = chassis.log.named("request_failed")

    assert reply.text.split()[-1] == told.fields["id"]
    assert "secret detail" in str(told.fields["trace"])
    assert again.status == 200


async def test_a_client_that_leaves_cancels_its_handler(tmp_path: Path) -> None:
    """Nobody computes an answer that nobody reads."""
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def work(_: Request) -> Reply:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Reply()

    chassis = Chassis(tmp_path, routes=[*ROUTES, Route("GET", "/toil", work)])
    async with beside_others(chassis):
        async with chassis.client() as client:
            await client.send(b"GET /toil HTTP/1.1\r\nHost: x\r\n\r\n")
            await begun.wait()
        await eventually(cancelled.is_set)
        await eventually(
            lambda: (
                chassis.metrics.value(
                    "synthscale_serve_requests_total", port="decision", route="none", code="gone"
                )
                == 1
            )
        )


async def test_a_handshake_that_stalls_is_cut_and_counted(tmp_path: Path) -> None:
    """A client that connects and says nothing holds no place for long."""
    chassis = Chassis(tmp_path, routes=ROUTES, limits=LIMITS)
    async with beside_others(chassis):
        reader, writer = await asyncio.open_connection("127.0.0.1", chassis.port())

        assert await reader.read() == b""

        writer.close()
        await writer.wait_closed()
        await eventually(
            lambda: (
                chassis.metrics.value(
                    "synthscale_serve_handshake_failures_total", port="decision", kind="slow"
                )
                == 1
            )
        )


async def test_half_open_handshakes_do_not_use_up_the_connections(tmp_path: Path) -> None:
    """The bound on handshakes turns more away at once; whoever is through stays."""
    limits = LimitSettings(handshakes_max=3, handshake_timeout_s=30)
    chassis = Chassis(tmp_path, routes=ROUTES, limits=limits)
    async with chassis.running(), chassis.client() as kept:
        await kept.ask("POST", "/echo", b"x")
        stalled = [await asyncio.open_connection("127.0.0.1", chassis.port()) for _ in range(4)]

        assert await stalled[-1][0].read() == b""
        assert (await kept.ask("POST", "/echo", b"x")).status == 200

        for _, writer in stalled:
            writer.close()


async def test_one_connection_too_many_is_closed_at_once(tmp_path: Path) -> None:
    """Those that are there are answered on, and a place that is left is free again."""
    chassis = Chassis(tmp_path, routes=ROUTES, limits=LimitSettings(connections_max=2))
    async with chassis.running():
        async with chassis.client() as first, chassis.client() as second:
            for client in (first, second):
                await client.ask("POST", "/echo", b"x")
            with pytest.raises((OSError, Gone)):
                async with chassis.client() as third:
                    await third.ask("POST", "/echo", b"x")
            statuses = [(await one.ask("POST", "/echo", b"x")).status for one in (first, second)]
        await eventually(lambda: not chassis.serving._listeners[0].connections)
        again = await chassis.ask("decision", "POST", "/echo")

    assert statuses == [200, 200]
    assert again.status == 200


async def test_requests_sent_ahead_are_answered_in_order(tmp_path: Path) -> None:
    """Pipelining is legal HTTP/1.1."""
    chassis = Chassis(tmp_path, routes=ROUTES)
    async with chassis.running(), chassis.client() as client:
        for word in (b"one", b"two", b"six"):
            await client.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n" + word)
        bodies = [(await client.answer()).body for _ in range(3)]

    assert bodies == [b"one", b"two", b"six"]


async def test_a_client_that_asks_before_it_sends_is_told_to_go_on(tmp_path: Path) -> None:
    """`Expect: 100-continue`, as curl sends with a long body."""
    chassis = Chassis(tmp_path, routes=ROUTES)
    async with chassis.running(), chassis.client() as client:
        await client.send(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        first = await client.reader.readuntil(b"\r\n\r\n")
        await client.send(b"ok")
        reply = await client.answer()

    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (reply.status, reply.body) == (200, b"ok")


async def test_mutilated_requests_get_an_answer_or_an_end(tmp_path: Path) -> None:
    """Whatever bytes a request turns into, the chassis survives and blames itself for none."""
    chassis = Chassis(tmp_path, routes=ROUTES, limits=LIMITS)
    draw = random.Random(20_261_125)  # noqa: S311 - which bytes are wrong is no secret
    whole = b"POST /echo?a=b HTTP/1.1\r\nHost: [x]:1\r\nContent-Length: 3\r\nA: \xc3\xa4\r\n\r\nabc"

    async def send(context: ssl.SSLContext) -> None:
        sent = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            sent[draw.randrange(len(sent))] = draw.choice(b"\x00\r\n :/%[]@?#\xffaZ9")
        async with chassis.client(context=context) as client:
            with suppress(Gone):
                await client.send(bytes(sent) + b"\r\n\r\n")
                await client.answer()

    async with beside_others(chassis), asyncio.TaskGroup() as clients:
        context = chassis.client_context()
        for _ in range(100):
            clients.create_task(send(context))

    assert chassis.log.named("request_failed") == []


def test_a_route_that_stands_twice_is_a_programming_error(tmp_path: Path) -> None:
    """One of the two would never be asked."""
    chassis = Chassis(tmp_path, routes=[Route("GET", "/only", echo), Route("GET", "/only", hang)])
    with pytest.raises(ValueError, match="GET /only stands in the table twice"):
        chassis.make()
