"""What a scanner finds at the ports of a chassis: TLS 1.3, and clients of our authority only.

The scanner is shown a lax server too, since one that cannot speak 1.2 would find nothing.
"""

from __future__ import annotations

import asyncio
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.certificates import Authority
from tests.service_runtime.serve.chassis import Chassis, eventually
from tests.service_runtime.serve.scanner import Findings, answers, client_context, scan

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def chassis(tmp_path: Path) -> Chassis:
    """A chassis with both usual ports."""
    return Chassis(tmp_path)


async def test_a_decision_port_refuses_old_tls_and_strangers(chassis: Chassis) -> None:
    """1.3 with our certificate is answered; 1.2, none, a foreign and an expired one are not."""
    good = chassis.authority.issue("client").write(chassis.folder, "good")
    foreign = Authority("theirs").issue("client").write(chassis.folder, "foreign")
    past = datetime.now(UTC) - timedelta(days=1)
    expired = chassis.authority.issue("client", valid_from=past, valid_s=60).write(
        chassis.folder, "expired"
    )
    async with chassis.running():
        found = await asyncio.to_thread(
            scan,
            chassis.port("decision"),
            server_ca=chassis.server_ca,
            good=good,
            refusable=[foreign, expired],
        )

    assert found == Findings(("TLSv1_3",), without_certificate=False, with_refusable=(False, False))


async def test_an_observation_port_refuses_old_tls_and_wants_no_certificate(
    chassis: Chassis,
) -> None:
    """1.3 is answered without a certificate, 1.2 is not."""
    async with chassis.running():
        found = await asyncio.to_thread(
            scan, chassis.port("observation"), server_ca=chassis.server_ca
        )

    assert found == Findings(("TLSv1_3",), without_certificate=True, with_refusable=())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1])
async def test_a_scanner_finds_old_versions_where_they_are_spoken(
    chassis: Chassis, version: ssl.TLSVersion
) -> None:
    """A lax server is found out, so that a clean scan means something."""
    lax = client_context(chassis.server_ca, None, version=version)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
    context.load_cert_chain(
        chassis.secret.settings.certificate_file, chassis.secret.settings.key_file
    )

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]

        assert await asyncio.to_thread(answers, port, lax)


@pytest.mark.parametrize(
    ("kind", "version", "shows"),
    [
        ("old_tls", ssl.TLSVersion.TLSv1_2, "good"),
        ("no_certificate", ssl.TLSVersion.TLSv1_3, "none"),
        ("foreign_or_expired", ssl.TLSVersion.TLSv1_3, "foreign"),
    ],
)
async def test_a_failed_handshake_is_counted_by_its_reason(
    chassis: Chassis, kind: str, version: ssl.TLSVersion, shows: str
) -> None:
    """An operator sees whether clients are old, bare or strangers."""
    issuers = {"good": chassis.authority, "foreign": Authority("theirs")}
    pair = issuers[shows].issue("client").write(chassis.folder, "one") if shows in issuers else None
    context = client_context(chassis.server_ca, pair, version=version)
    async with chassis.running():
        await asyncio.to_thread(answers, chassis.port("decision"), context)
        await eventually(lambda: failures(chassis, kind) == 1)


async def test_a_client_that_speaks_no_tls_is_counted(chassis: Chassis) -> None:
    """Plain HTTP is closed and counted, and the port goes on."""
    async with chassis.running():
        reader, writer = await asyncio.open_connection("127.0.0.1", chassis.port("decision"))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        await eventually(lambda: failures(chassis, "no_tls") == 1)

        assert (await chassis.ask("observation", "GET", "/livez")).status == 200


def failures(chassis: Chassis, kind: str) -> float | None:
    """How many handshakes failed for this reason at the decision port."""
    return chassis.metrics.value(
        "synthscale_serve_handshake_failures_total", port="decision", kind=kind
    )
