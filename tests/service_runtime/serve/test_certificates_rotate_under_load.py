"""Certificates and authorities change again and again under load, and nobody who follows notices.

One rotation is what an operator does: trust both authorities, give clients certificates of the new
one, trust only the new one; the server's own certificate changes at both steps. After each, a
client of the old authority is refused at once, on a new connection and on one it kept.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from tests.certificates import Authority
from tests.figures import record
from tests.service_runtime.serve.chassis import (
    Answered,
    Chassis,
    Client,
    Gone,
    Secret,
    eventually,
    served_anew,
)

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

BODY = b"x" * 2_000
CLIENTS = 4


@dataclass(slots=True)
class Follower:
    """A client that keeps its connection, connects anew when asked, and takes up what it is given.

    Like Go's, it reads its certificate for each new connection and never repeats a request.
    """

    chassis: Chassis
    context: ssl.SSLContext
    shown: ssl.SSLContext | None = None
    """Of the connection it has now."""
    answered: int = 0
    handshakes: int = 0
    failed: int = 0

    async def load(self) -> None:
        """Ask and ask until cancelled."""
        while True:
            context = self.context
            async with self.chassis.client(context=context) as client:
                self.handshakes += 1
                self.shown = context
                while (reply := await self._ask(client)) is not None:
                    if self.context is not context or reply.headers.get("connection") == "close":
                        break

    async def _ask(self, client: Client) -> Answered | None:
        try:
            reply = await client.ask("POST", "/echo", BODY)
        except Gone:
            self.failed += 1
            return None
        if (reply.status, reply.body) != (200, BODY):
            self.failed += 1
        self.answered += 1
        return reply


async def rotate(folder: Path, times: int) -> dict[str, float]:
    """Rotate so often under load; what was counted, every refusal checked on the way."""
    chassis = Chassis(folder)
    refused_s = []
    async with chassis.running(), asyncio.TaskGroup() as tasks:
        followers = [Follower(chassis, chassis.client_context()) for _ in range(CLIENTS)]
        running = [tasks.create_task(one.load()) for one in followers]
        now = chassis.authority
        begun_s = perf_counter()
        for at in range(times):
            fresh = Authority(f"ours {at}")
            old_context = chassis.client_context(now.issue("left behind"))
            async with chassis.client(context=old_context) as kept:
                await kept.ask("POST", "/echo", BODY)
                await publish(chassis, [now, fresh])
                for one in followers:
                    one.context = chassis.client_context(fresh.issue("client"))
                await reconnected(followers)
                await publish(chassis, [fresh])
                published_s = perf_counter()
                with pytest.raises(Gone):
                    await kept.ask("POST", "/echo", BODY)
                with pytest.raises((Gone, OSError)):
                    async with chassis.client(context=old_context) as late:
                        await late.ask("POST", "/echo", BODY)
                refused_s.append(perf_counter() - published_s)
            now = fresh
        await answered_more(followers)
        for task in running:
            task.cancel()
    return {
        "rotations": times,
        "requests": sum(one.answered for one in followers),
        "handshakes": sum(one.handshakes for one in followers),
        "failed": sum(one.failed for one in followers),
        "seconds": round(perf_counter() - begun_s, 1),
        "old_authority_refusals": 2 * len(refused_s),
        "slowest_two_refusals_ms": round(max(refused_s) * 1000, 1),
    }


async def publish(chassis: Chassis, believed: list[Authority]) -> None:
    """Write a new certificate and these authorities, and wait until they are served."""
    await served_anew(chassis, chassis.authority.issue("server"), believed)


async def reconnected(followers: list[Follower]) -> None:
    """Clients connect anew with what they were given; here at once, by dropping the old ones.

    They are told by nobody in the first step, since nobody loses trust by it, so they do as
    client-go does on a renewed file: close the connections of the old certificate.
    """
    await eventually(lambda: all(one.shown is one.context for one in followers))


async def answered_more(followers: list[Follower]) -> None:
    """Everybody was answered once more."""
    before = [one.answered for one in followers]
    await eventually(
        lambda: all(one.answered > was for one, was in zip(followers, before, strict=True))
    )


async def test_ten_rotations_under_load_fail_no_request(tmp_path: Path) -> None:
    """Everybody who follows is answered; who stays behind is not, from the change on."""
    counted = await rotate(tmp_path, 10)

    assert counted["failed"] == 0
    assert counted["requests"] > 10 * CLIENTS


@pytest.mark.prove
async def test_a_hundred_rotations_under_load_fail_no_request(tmp_path: Path) -> None:
    """The same a hundred times, recorded."""
    counted = await rotate(tmp_path, 100)
    record("certificate-rotation", [counted])

    assert counted["failed"] == 0
    assert counted["requests"] > 100 * CLIENTS


async def test_a_certificate_is_served_to_new_handshakes_and_old_connections_go_on(
    tmp_path: Path,
) -> None:
    """Only the certificate changes: kept connections stay, new ones see it."""
    chassis = Chassis(tmp_path)
    async with chassis.running(), chassis.client() as kept:
        await kept.ask("POST", "/echo", BODY)
        fresh = chassis.authority.issue("server")
        await served_anew(chassis, fresh, [chassis.authority])
        stayed = await kept.ask("POST", "/echo", BODY)
        async with chassis.client() as new:
            seen = new.writer.get_extra_info("peercert")["serialNumber"]

    assert "connection" not in stayed.headers
    assert fresh.serial == int(seen, 16)


async def test_plain_files_that_are_overwritten_are_followed_too(tmp_path: Path) -> None:
    """Not everybody mounts secrets: two writes, with a mismatch in between, end in the new pair."""
    chassis = Chassis(tmp_path)
    chassis.secret = PlainFiles(tmp_path / "plain")
    chassis.secret.write(chassis.authority.issue("server"), [chassis.authority])
    async with chassis.running():
        fresh = chassis.authority.issue("server")
        before = chassis.rotation.current
        (chassis.secret.folder / "tls.crt").write_bytes(fresh.certificate)
        await chassis.rotation.look()

        assert chassis.rotation.current is before

        (chassis.secret.folder / "tls.key").write_bytes(fresh.key)
        await chassis.rotation.look()

        assert fresh.serial == int(chassis.rotation.current.serial, 16)


class PlainFiles(Secret):
    """The same three files without links."""

    def write_bytes(self, certificate: bytes, key: bytes, authorities: bytes) -> None:
        """One after the other."""
        self.folder.mkdir(exist_ok=True)
        for name, content in {
            "tls.crt": certificate,
            "tls.key": key,
            "ca.crt": authorities,
        }.items():
            (self.folder / name).write_bytes(content)
