"""Clients that take their time on purpose are cut by the chassis's own clock, and counted.

Time is stepped: nothing here waits for a limit to pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service_runtime.serve import LimitSettings, Reply, Request, Route
from tests.service_runtime.serve.chassis import Chassis, SteppedToday, echo, eventually

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = LimitSettings(head_timeout_s=3, send_timeout_s=5)


async def much(_: Request) -> Reply:
    """More than any buffer between here and there takes."""
    return Reply(200, b"x" * 30_000_000)


@pytest.fixture
def chassis(tmp_path: Path) -> Chassis:
    """On stepped time."""
    routes = [Route("POST", "/echo", echo), Route("GET", "/much", much)]
    return Chassis(tmp_path, routes=routes, limits=LIMITS, timing=SteppedToday())


def cut(chassis: Chassis, reason: str) -> float | None:
    """How many connections were cut for this reason."""
    return chassis.metrics.value(
        "synthscale_serve_cut_connections_total", port="decision", reason=reason
    )


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /echo HTT", b"POST /echo HTTP/1.1\r\nHost: x\r\nA: b\r\n"],
    ids=["nothing", "half a line", "headers without end"],
)
async def test_a_request_that_never_begins_is_cut(chassis: Chassis, sent: bytes) -> None:
    """From the handshake on, the client has so long for its first request's headers."""
    async with chassis.running(), chassis.client() as client:
        await client.send(sent)
        await eventually(lambda: cut(chassis, "slow_head") == 1, chassis.timing)

        assert await client.is_closed()


async def test_dripping_headers_gain_no_time(chassis: Chassis) -> None:
    """A byte now and then does not start the limit anew: that is the slow loris."""
    async with chassis.running(), chassis.client() as client:
        for byte in b"POST /e":
            await client.send(bytes([byte]))
            await chassis.timing.pass_s(0.5)  # type: ignore[attr-defined] # stepped, see above
        await eventually(lambda: cut(chassis, "slow_head") == 1, chassis.timing)


async def test_a_second_request_has_the_same_limit(chassis: Chassis) -> None:
    """An idle connection may idle; once it begins a request, the limit runs."""
    async with chassis.running(), chassis.client() as client:
        await client.ask("POST", "/echo", b"x")
        await chassis.timing.pass_s(20)  # type: ignore[attr-defined] # stepped, see above
        again = await client.ask("POST", "/echo", b"x")
        await client.send(b"POST")
        await eventually(lambda: cut(chassis, "slow_head") == 1, chassis.timing)

    assert again.status == 200


async def test_an_answer_that_is_not_taken_is_cut(chassis: Chassis) -> None:
    """A client that reads nothing holds our memory only for so long."""
    async with chassis.running(), chassis.client() as client:
        await client.send(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        client.writer.transport.pause_reading()  # type: ignore[attr-defined] # a stream's own
        await eventually(lambda: cut(chassis, "slow_taker") == 1, chassis.timing)
