"""A client keeps one connection for many requests, and small packets leave at once.

kube-scheduler asks an extender twice a pod; a handshake each time would cost ten times the answer.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from service_runtime.serve import Reply, Request, Route
from tests.service_runtime.serve.chassis import Chassis, eventually

if TYPE_CHECKING:
    from pathlib import Path


async def large(_: Request) -> Reply:
    """More than is sent in one piece."""
    return Reply(200, bytes(range(256)) * 4_000)


async def test_many_requests_share_a_connection(tmp_path: Path) -> None:
    """The port counts one connection, whatever is asked over it, and none after it."""
    chassis = Chassis(tmp_path)
    name = "synthscale_serve_open_connections"
    async with chassis.running():
        async with chassis.client() as client:
            for _ in range(20):
                await client.ask("POST", "/echo", b"x")

            assert chassis.metrics.value(name, port="decision") == 1

        await eventually(lambda: chassis.metrics.value(name, port="decision") == 0)


async def test_small_packets_are_not_held_back(tmp_path: Path) -> None:
    """Else a reply in two packets would wait for the client's delayed acknowledgement."""
    chassis = Chassis(tmp_path)
    async with chassis.running(), chassis.client() as client:
        await client.ask("POST", "/echo", b"x")
        (connection,) = chassis.serving._listeners[0].connections
        assert connection.transport is not None
        plain = connection.transport.get_extra_info("socket")

        assert plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


async def test_a_reply_in_pieces_arrives_whole_and_the_connection_goes_on(tmp_path: Path) -> None:
    """Length and bytes are right, and the next request is answered on the same connection."""
    chassis = Chassis(tmp_path, routes=[Route("GET", "/large", large)])
    async with chassis.running(), chassis.client() as client:
        replies = [await client.ask("GET", "/large") for _ in range(2)]

    assert [reply.body for reply in replies] == [bytes(range(256)) * 4_000] * 2


async def test_a_request_is_counted_by_port_route_and_kind_of_status(tmp_path: Path) -> None:
    """Paths that are no route share one label, so that no client can make series."""
    chassis = Chassis(tmp_path)
    async with chassis.running(), chassis.client() as client:
        await client.ask("POST", "/echo", b"x")
        for at in range(5):
            await client.ask("GET", f"/wp-admin/{at}")
        counted = [
            chassis.metrics.value(
                "synthscale_serve_requests_total", port="decision", route=route, code=code
            )
            for route, code in (("/echo", "2xx"), ("none", "4xx"))
        ]

    assert counted == [1, 5]
