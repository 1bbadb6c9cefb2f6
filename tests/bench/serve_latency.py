"""What the HTTPS chassis costs a call: 20 KB posted over a kept mTLS connection, echoed by nobody.

The chassis runs in a process of its own, as it does in a cluster; the client is a blocking OpenSSL
socket, which adds about as much as Go's does. The baseline in the same run is aiohttp's own
`web.Application` over the same certificates, one call of each in turn, so that a busy machine
slows both alike.

    python -m tests.bench.serve_latency [--calls N]
"""

# ruff: noqa: T201 - a benchmark prints what it measured

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import TYPE_CHECKING, Final

from aiohttp import web

from service_runtime.serve import (
    DrainSettings,
    Health,
    LimitSettings,
    Reply,
    Request,
    Route,
    Serving,
    TlsSettings,
    decision,
)
from service_runtime.telemetry import RecordedLog
from service_runtime.telemetry.metrics import Metrics
from service_runtime.timing import SystemTiming
from tests.certificates import Authority
from tests.figures import machine, record

if TYPE_CHECKING:
    from collections.abc import Callable

BODY: Final = b"x" * 20_000
CALLS: Final = 5_000
WARM_UP: Final = 500
AIM_P50_MS: Final = 0.6
"""On a machine that does nothing else; the ratio holds on any, so only that is a must."""
RATIO_MUST: Final = 1.4


async def nothing(_: Request) -> Reply:
    """The empty handler."""
    return Reply(200, b"{}", "application/json")


async def baseline_nothing(request: web.Request) -> web.Response:
    """The same, as aiohttp has it written."""
    await request.read()
    return web.Response(body=b"{}", content_type="application/json")


# ---------------------------------------------------------------- the served process


async def serve_both(folder: Path) -> None:
    """Serve on two free ports, print them, until the parent closes standard input."""
    timing = SystemTiming()
    serving = Serving(
        [decision("127.0.0.1", 0, Route("POST", "/filter", nothing))],
        tls=tls(folder),
        limits=LimitSettings(),
        drain=DrainSettings(notice_s=0, finish_s=1),
        health=Health(timing),
        timing=timing,
        log=RecordedLog(),
        metrics=Metrics(),
    )
    ready = asyncio.Event()
    task = asyncio.create_task(serving.run(ready.set))
    await ready.wait()
    application = web.Application()
    application.router.add_post("/filter", baseline_nothing)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=baseline_context(folder))
    await site.start()
    port = runner.addresses[0][1]
    print(json.dumps([serving.port_of("decision"), port]), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()
    task.cancel()
    await asyncio.wait([task])


def tls(folder: Path) -> TlsSettings:
    """Where the certificates of this run are."""
    return TlsSettings(
        certificate_file=str(folder / "server.crt"),
        key_file=str(folder / "server.key"),
        client_ca_file=str(folder / "ca.crt"),
    )


def baseline_context(folder: Path) -> ssl.SSLContext:
    """The same demands on clients, without what else the chassis looks after."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


# ---------------------------------------------------------------- the client


def connected(folder: Path, port: int) -> ssl.SSLSocket:
    """A kept connection with a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "ca.crt")
    context.load_cert_chain(folder / "client.crt", folder / "client.key")
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname="localhost")


def call_of(connection: ssl.SSLSocket) -> Callable[[], float]:
    """One call, and how many milliseconds it took."""
    head = f"POST /filter HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    message = head + BODY

    def call() -> float:
        begun_s = perf_counter()
        connection.sendall(message)
        got = connection.recv(65_536)
        taken_ms = (perf_counter() - begun_s) * 1_000
        if not (got.startswith(b"HTTP/1.1 200") and got.endswith(b"{}")):
            raise SystemExit(f"not what was asked for: {got[:200]!r}")
        return taken_ms

    return call


def measure(calls: int) -> list[dict[str, object]]:
    """Both sides in turn; p50 and p99 of each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority("bench")
        (folder / "ca.crt").write_bytes(authority.certificate)
        for one in ("server", "client"):
            authority.issue(one).write(folder, one)
        command = [sys.executable, "-m", "tests.bench.serve_latency", "--serve", name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as served:
            if served.stdout is None or served.stdin is None:
                raise SystemExit("the served process has no pipes")
            ports = json.loads(served.stdout.readline())
            sides = [connected(folder, port) for port in ports]
            taken_ms = in_turn([call_of(side) for side in sides], calls)
            for side in sides:
                side.close()
            served.stdin.close()
    names = ("chassis", "aiohttp's web.Application")
    return [
        {"what": name, "calls": calls, "p50_ms": median(one), "p99_ms": quantiles(one, n=100)[98]}
        for name, one in zip(names, taken_ms, strict=True)
    ]


def in_turn(calls: list[Callable[[], float]], times: int) -> list[list[float]]:
    """The milliseconds of each, without those of the warm-up."""
    for _ in range(WARM_UP):
        for call in calls:
            call()
    taken_ms: list[list[float]] = [[] for _ in calls]
    for _ in range(times):
        for call, kept in zip(calls, taken_ms, strict=True):
            kept.append(call())
    return taken_ms


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve_both(options.serve))
        return
    rows = measure(options.calls)
    print(f"POST of 20 KB over a kept mTLS connection, on {machine()['cpu']}")
    for row in rows:
        print(f"{row['what']}: p50 {row['p50_ms']:.3f} ms, p99 {row['p99_ms']:.3f} ms")
    ours, theirs = (float(str(row["p50_ms"])) for row in rows)
    print(
        f"ratio of the medians: {ours / theirs:.2f}; must: <= {RATIO_MUST}; "
        f"aim of p50: {AIM_P50_MS} ms"
    )
    if options.calls >= CALLS:  # a smaller look is no figure
        record("serve-latency", rows, command="make bench")
    if ours / theirs > RATIO_MUST:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
