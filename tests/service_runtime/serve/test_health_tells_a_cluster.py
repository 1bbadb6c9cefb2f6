"""What `/livez` and `/readyz` say, to whom, and when they turn.

The values are asked directly on stepped time; the ports once, over the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service_runtime.serve import Health, NotReady, Ready, Reply, Request
from tests.service_runtime.serve.chassis import Chassis
from tests.service_runtime.stepped import SteppedTiming

if TYPE_CHECKING:
    from pathlib import Path


def told(health: Health, path: str, *, verbose: bool = False) -> tuple[int, str]:
    """Status and text of a health path."""
    handlers = {route.path: route.handler for route in health.routes()}
    query = {"verbose": ""} if verbose else {}
    reply = handlers[path](Request("GET", path, path, query, {}, b""))
    assert isinstance(reply, Reply)
    return reply.status, reply.body.decode()


def test_a_service_is_ready_when_every_check_says_so() -> None:
    """Then the answer is short, unless it is asked for at length."""
    health = Health(SteppedTiming(), {"view": Ready, "leader": Ready})

    assert told(health, "/readyz") == (200, "ok\n")
    assert told(health, "/readyz", verbose=True) == (
        200,
        "[+]drain ok\n[+]view ok\n[+]leader ok\ncheck passed\n",
    )


def test_a_service_that_is_not_ready_says_why() -> None:
    """Every check is listed, the failed one with its reason."""
    health = Health(SteppedTiming(), {"view": lambda: NotReady("12 s old"), "leader": Ready})

    assert told(health, "/readyz") == (
        503,
        "[+]drain ok\n[-]view failed: 12 s old\n[+]leader ok\ncheck failed\n",
    )


def test_a_check_that_fails_is_not_passed() -> None:
    """A bug in a check does not make a service ready, nor does it silence the others."""

    def broken() -> Ready:
        raise KeyError("secret")

    status, text = told(Health(SteppedTiming(), {"view": broken}), "/readyz")

    assert status == 503
    assert "[-]view failed: the check itself failed (KeyError)\n" in text
    assert "secret" not in text


def test_a_draining_service_is_alive_but_not_ready() -> None:
    """The cluster must send no more, and must not kill."""
    health = Health(SteppedTiming())
    health.draining = True

    assert (told(health, "/readyz"))[0] == 503
    assert (told(health, "/livez"))[0] == 200


@pytest.mark.parametrize(
    ("gaps_s", "silent_s", "status"),
    [
        pytest.param([0.25, 0.3, 2.0], 0.1, 200, id="a little late"),
        pytest.param([0.25, 30.0], 0.1, 503, id="the last turn was late"),
        pytest.param([30.0, 0.25], 0.1, 200, id="it was late, and is in time again"),
        pytest.param([0.25], 30.0, 503, id="no turn for long"),
        pytest.param([], 30.0, 200, id="not begun"),
    ],
)
async def test_a_process_lives_while_its_loop_turns(
    gaps_s: list[float], silent_s: float, status: int
) -> None:
    """Judged by the last turn and by how long ago it was."""
    timing = SteppedTiming()
    health = Health(timing)
    if gaps_s:
        health.beat(0.25)
    for gap_s in gaps_s:
        await timing.pass_s(gap_s)
        health.beat(0.25)
    await timing.pass_s(silent_s)

    assert status == (told(health, "/livez"))[0]


async def test_both_are_open_to_anybody_at_the_observation_port(tmp_path: Path) -> None:
    """Without certificate or token; HEAD works as GET does, without a body."""
    chassis = Chassis(tmp_path)
    async with chassis.running():
        for path in ("/livez", "/readyz"):
            got = await chassis.ask("observation", "GET", path)

            assert (got.status, got.text) == (200, "ok\n")
        async with chassis.client("observation") as client:
            await client.send(b"HEAD /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            whole = await client.reader.read()

    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert whole.endswith(b"\r\n\r\n")
