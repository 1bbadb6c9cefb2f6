"""A call's round trip as a Go client sees it, at 500 and 5,000 names, warm and cold shapes apart.

The client keeps one connection with a client certificate, as kube-scheduler does, and asks one
call after the other. Beside the latency the host tells what a call costs in processor time, split
into the decision, what a service does beside answering, and the rest: TLS, HTTP and the event loop.
"""

# ruff: noqa: T201 - a benchmark prints what it measured

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

import msgspec

from tests.bench.extender_core import SHAPES, pod_json
from tests.certificates import Authority
from tests.cluster.build import Group, Tool, binaries
from tests.figures import machine, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CLIENT", "measure", "run"]

CLIENT: Final = Group(
    name="extender-client",
    folder=Path(__file__).resolve().parent / "client",
    tools=(Tool(".", "extender-client"),),
)
MUST_P99_MS: Final = {500: 2.0, 5_000: 6.0}
"""Of a warm shape, on a machine that does nothing else."""
QUIET_LOAD: Final = 0.5
"""Load for each core beyond which a latency tells of others; ratios and processor time remain."""
COLD: Final = 60
HOPELESS: Final = 50
_LIMIT_S: Final = 900


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of call at one number of names."""

    names: int
    kind: str
    verb: str
    calls: int
    p50_ms: float
    p99_ms: float
    client_json_ms: float
    """What Go spends on marshalling and unmarshalling, in the median; not part of the others."""
    sent_bytes: int
    got_bytes: int
    must_p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor time of the host for a call of one kind, on average."""

    names: int
    kind: str
    core_us: float
    beside_us: float
    transport_us: float


class _Call(msgspec.Struct, frozen=True):
    kind: str
    verb: str
    round_trip_ns: int
    json_ns: int
    sent_bytes: int
    got_bytes: int
    host: dict[str, int] | None = None


def turns(pods: int) -> Iterator[bytes]:
    """What the client is to ask, a line each; the first kind warms everything up."""
    plan = [("warm-up", 150, 1_000_000), ("warm", pods, 2_000_000)]
    for kind, many, first in plan:
        for at in range(many):
            yield _turn(kind, "scorer", pod_json(first + at, *SHAPES[at % 3]))
    for at in range(COLD):
        yield _turn("cold", "scorer", pod_json(3_000_000 + at, 10 + at, 1))
    for _ in range(4):
        for at in range(HOPELESS):
            yield _turn("hopeless", "guard", pod_json(4_000_000 + at, 4, 16))


def _turn(kind: str, entry: str, pod: bytes) -> bytes:
    return b'{"Kind":"%b","Entry":"%b","Pod":%b}\n' % (kind.encode(), entry.encode(), pod)


def measure(nodes: int, pods: int) -> tuple[list[Row], list[Spent]]:
    """Every kind of call over so many names."""
    program = binaries(CLIENT).path("extender-client")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority("bench")
        (folder / "ca.crt").write_bytes(authority.certificate)
        for one in ("server", "client"):
            authority.issue(one).write(folder, one)
        (folder / "names.json").write_bytes(
            msgspec.json.encode([f"gpu-node-{at:05}" for at in range(nodes)])
        )
        told = _asked(program, folder, nodes, pods)
    calls = [msgspec.json.decode(line, type=_Call) for line in told.splitlines()]
    return list(_rows(nodes, calls)), list(_spent(nodes, calls))


def _asked(program: Path, folder: Path, nodes: int, pods: int) -> bytes:
    command = [sys.executable, "-m", "tests.bench_extender.host", "--nodes", str(nodes)]
    command += ["--certificates", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
        if host.stdout is None or host.stdin is None:
            raise SystemExit("the host has no pipes")
        try:
            port = int(host.stdout.readline())
            flags = {
                "url": f"https://127.0.0.1:{port}",
                "ca": folder / "ca.crt",
                "certificate": folder / "client.crt",
                "key": folder / "client.key",
                "names": folder / "names.json",
            }
            return subprocess.run(
                [program, *(f"-{flag}={value}" for flag, value in flags.items())],
                input=b"".join(turns(pods)),
                stdout=subprocess.PIPE,
                check=True,
                timeout=_LIMIT_S,
            ).stdout
        finally:
            host.stdin.close()


def _rows(nodes: int, calls: Sequence[_Call]) -> Iterator[Row]:
    for kind in ("warm", "cold", "hopeless"):
        for verb in ("filter", "prioritize"):
            found = [one for one in calls if (one.kind, one.verb) == (kind, verb)]
            if len(found) < 2:  # what nothing can hold is not prioritized
                continue
            taken_ms = [one.round_trip_ns / 1e6 for one in found]
            yield Row(
                names=nodes,
                kind=kind,
                verb=verb,
                calls=len(found),
                p50_ms=median(taken_ms),
                p99_ms=quantiles(taken_ms, n=100)[98],
                client_json_ms=median(one.json_ns / 1e6 for one in found),
                sent_bytes=round(median(one.sent_bytes for one in found)),
                got_bytes=round(median(one.got_bytes for one in found)),
                must_p99_ms=MUST_P99_MS.get(nodes) if kind == "warm" else None,
            )


def _spent(nodes: int, calls: Sequence[_Call]) -> Iterator[Spent]:
    for kind in ("warm", "cold", "hopeless"):
        of_kind = [one for one in calls if one.kind == kind]
        begun, ended = [one.host for one in of_kind if one.host is not None]
        many = len(of_kind) - 2
        per_call = {key: (ended[key] - begun[key]) / 1e3 / many for key in ended}
        rest = per_call["process_ns"] - per_call["core_ns"] - per_call["beside_ns"]
        yield Spent(nodes, kind, per_call["core_ns"], per_call["beside_ns"], rest)


def run(sizes: Sequence[int], pods: int) -> bool:
    """Measure, print, record; whether what must hold does, as far as this machine can tell."""
    load = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    print(f"extender round trips of a Go client, on {machine()['cpu']}, load {load:.1f} a core")
    found = [measure(nodes, pods) for nodes in sizes]
    rows = [row for some, _ in found for row in some]
    spent = [one for _, some in found for one in some]
    for row in rows:
        must = "" if row.must_p99_ms is None else f" (must: {row.must_p99_ms:g})"
        print(
            f"  {row.names:5,} names, {row.kind:8} {row.verb:10} p50 {row.p50_ms:7.3f} ms"
            f"  p99 {row.p99_ms:7.3f} ms{must}; {row.sent_bytes:,} B in, {row.got_bytes:,} B out"
        )
    for one in spent:
        print(
            f"  {one.names:5,} names, {one.kind:8} processor time a call:"
            f" {one.core_us:.0f} us decision, {one.transport_us:.0f} us TLS, HTTP and loop,"
            f" {one.beside_us:.0f} us beside"
        )
    document = [*map(asdict, rows), *map(asdict, spent)]
    document = [{"load_per_core": round(load, 1), **one} for one in document]
    record("extender-round-trip", document, command="make bench-extender")
    late = [row for row in rows if row.must_p99_ms is not None and row.p99_ms > row.must_p99_ms]
    if late and load > QUIET_LOAD:
        print("  the machine is busy: these latencies are no verdict")
        return True
    return not late
