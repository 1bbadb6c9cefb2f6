"""What becomes of connections when an authority goes: kept, asked to come back, or cut.

A connection outlives the trust it was made under, and a TLS session could too; both are tried.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from service_runtime.serve import Reply, Request, Route
from service_runtime.serve.credentials import Trust
from tests.certificates import Authority
from tests.service_runtime.serve.chassis import Chassis, Gone, echo, eventually

if TYPE_CHECKING:
    from pathlib import Path


async def believe(chassis: Chassis, *authorities: Authority) -> None:
    """From now on these."""
    chassis.secret.write(chassis.authority.issue("server"), authorities)
    await chassis.rotation.look()


async def test_a_kept_connection_of_the_old_authority_is_not_answered(tmp_path: Path) -> None:
    """Its next request gets nothing, and the operator sees whose it was."""
    chassis = Chassis(tmp_path)
    async with chassis.running(), chassis.client() as kept:
        await kept.ask("POST", "/echo", b"before")
        await believe(chassis, Authority("new"))
        with pytest.raises(Gone):
            await kept.ask("POST", "/echo", b"after")
        told = chassis.log.named("connection_distrusted")

    assert [one.fields["common_name"] for one in told] == ["client"]
    assert (
        chassis.metrics.value(
            "synthscale_serve_cut_connections_total", port="decision", reason="distrusted"
        )
        == 1
    )


async def test_a_kept_connection_of_an_authority_that_stays_is_asked_to_come_back(
    tmp_path: Path,
) -> None:
    """Another authority went: its request is answered, and the next handshake judges it whole."""
    chassis = Chassis(tmp_path)
    other = Authority("other")
    async with chassis.running():
        await believe(chassis, chassis.authority, other)
        async with chassis.client() as kept:
            before = await kept.ask("POST", "/echo", b"before")
            await believe(chassis, chassis.authority)
            after = await kept.ask("POST", "/echo", b"after")

    assert "connection" not in before.headers
    assert (after.status, after.body, after.headers["connection"]) == (200, b"after", "close")


async def test_a_kept_connection_notices_nothing_when_an_authority_comes(tmp_path: Path) -> None:
    """Nobody lost trust, so nobody has to connect anew."""
    chassis = Chassis(tmp_path)
    async with chassis.running(), chassis.client() as kept:
        await kept.ask("POST", "/echo", b"before")
        await believe(chassis, chassis.authority, Authority("other"))
        after = await kept.ask("POST", "/echo", b"after")

    assert "connection" not in after.headers


async def test_a_request_in_flight_is_answered_and_is_the_last(tmp_path: Path) -> None:
    """It was let in before the change; after its answer the connection ends."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: Request) -> Reply:
        begun.set()
        await go_on.wait()
        return Reply(200, b"done")

    chassis = Chassis(tmp_path, routes=[Route("POST", "/slow", slow)])
    async with chassis.running(), chassis.client() as kept:
        asking = asyncio.create_task(kept.ask("POST", "/slow", b"x"))
        await begun.wait()
        await believe(chassis, Authority("new"))
        go_on.set()
        reply = await asking

        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await kept.is_closed()


async def test_no_tls_session_can_be_resumed(tmp_path: Path) -> None:
    """A resumed session would carry an old identity past the change, so none is given out."""
    chassis = Chassis(tmp_path)
    context = chassis.client_context()

    def sessions() -> list[bool]:
        found = []
        session = None
        for _ in range(2):
            with (
                socket.create_connection(("127.0.0.1", chassis.port())) as plain,
                context.wrap_socket(plain, server_hostname="localhost", session=session) as one,
            ):
                one.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                while one.recv(1000):
                    pass
                session = one.session
                found += [bool(session and session.has_ticket), bool(one.session_reused)]
        return found

    async with chassis.running():
        found = await asyncio.to_thread(sessions)

    assert found == [False] * 4


async def test_a_handshake_begun_under_the_old_trust_gets_no_answer_after_the_change(
    tmp_path: Path,
) -> None:
    """A client that stalls in the handshake over the change is judged by the new trust."""
    chassis = Chassis(tmp_path)
    context = chassis.client_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    async with chassis.running():
        reader, writer = await asyncio.open_connection("127.0.0.1", chassis.port())
        with closing(writer):
            with pytest.raises(ssl.SSLWantReadError):
                client.do_handshake()
            writer.write(outgoing.read())
            incoming.write(await reader.read(65_536))  # the server has chosen its credentials
            await believe(chassis, Authority("new"))
            client.do_handshake()
            client.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            writer.write(outgoing.read())
            incoming.write(await reader.read(65_536))
            incoming.write_eof()
            answer = b""
            with suppress(ssl.SSLError):  # an end without a goodbye; some Pythons say goodbye
                answer = client.read(1)

    assert answer == b""


async def test_a_port_without_client_certificates_notices_nothing(tmp_path: Path) -> None:
    """Whoever shows no certificate has none to lose."""
    chassis = Chassis(tmp_path, observed=[Route("POST", "/echo", echo)])
    async with chassis.running(), chassis.client("observation") as kept:
        await kept.ask("POST", "/echo", b"before")
        await believe(chassis, Authority("new"))
        after = await kept.ask("POST", "/echo", b"after")

    assert "connection" not in after.headers


# ---------------------------------------------------------------- the judgement itself


def anchors(*authorities: Authority) -> Trust:
    """Trust in these."""
    return Trust(tuple(x509.load_pem_x509_certificate(one.certificate) for one in authorities))


def der(pem: bytes) -> bytes:
    """A certificate as a client shows it."""
    return ssl.PEM_cert_to_DER_cert(pem.decode())


@pytest.mark.parametrize(
    ("shown", "later", "expected"),
    [
        pytest.param("ours", timedelta(), True, id="issued by an anchor"),
        pytest.param("theirs", timedelta(), False, id="issued by nobody we know"),
        pytest.param("namesake", timedelta(), False, id="issued by a namesake of an anchor"),
        pytest.param("ours", timedelta(days=1), False, id="ended"),
        pytest.param("nothing", timedelta(), False, id="showed none"),
    ],
)
def test_trust_vouches_for_what_leads_to_a_valid_anchor(
    shown: str, later: timedelta, *, expected: bool
) -> None:
    """By signature, not by name, and only for as long as both certificates are valid."""
    ours = Authority("ours")
    issuers = {"ours": ours, "theirs": Authority("theirs"), "namesake": Authority("ours")}
    chain = [der(issuers[shown].issue("client").certificate)] if shown in issuers else []

    assert expected == anchors(ours, Authority("more")).vouches_for(
        chain, datetime.now(UTC) + later
    )


async def test_reading_the_same_contents_again_changes_nothing(tmp_path: Path) -> None:
    """A kubelet that renews the links but not the contents causes no reload."""
    chassis = Chassis(tmp_path)
    async with chassis.running():
        before = chassis.rotation.current
        settings = chassis.secret.settings
        files = (settings.certificate_file, settings.key_file, settings.client_ca_file)
        contents = [await asyncio.to_thread(one.read_bytes) for one in map(type(tmp_path), files)]
        chassis.secret.write_bytes(*contents)
        await chassis.rotation.look()
        await eventually(lambda: chassis.rotation.current is before)

    assert chassis.log.named("certificate_reloaded") == []
