"""Electors of both kinds as processes beside each other on one Lease of a real API server.

Each writes its events to a file; when a process led is read from there, and from when we ended it.
Nothing here may look into an elector: only its lines and the Lease are read.
"""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from service_runtime.kube.api import LEASES
from tests.cluster.waiting import wait_until
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane

__all__ = ["NAME", "Peer", "Turns"]

NAME = "taking-turns"
LEASE_DURATION_S, RENEW_DEADLINE_S, RETRY_PERIOD_S = 4, 3.0, 0.5
_LIMIT_S = 60.0


@dataclass(slots=True)
class Peer:
    """One elector's process."""

    identity: str
    process: subprocess.Popen[bytes]
    told: Path
    ended_at: datetime | None = None
    """When it was told to leave, or killed."""

    def lines(self, event: str) -> list[dict[str, Any]]:
        """What it told, of one kind."""
        lines = [json.loads(line) for line in self.told.read_text(encoding="utf-8").splitlines()]
        return [line for line in lines if line["event"] == event]

    def reigns(self) -> list[tuple[datetime, datetime]]:
        """From when until when it led; a signal of ours ends a reign, for work ends before it."""
        begun = [datetime.fromisoformat(line["at"]) for line in self.lines("started leading")]
        over = [datetime.fromisoformat(line["at"]) for line in self.lines("stopped leading")]
        ends = [*over, datetime.max.replace(tzinfo=UTC)]
        last = self.ended_at or ends[-1]
        return [(at, min(end, last)) for at, end in zip(begun, ends, strict=False)]


class Turns:
    """Starts electors, ends them, and knows who led when."""

    def __init__(self, plane: ControlPlane, namespace: str, folder: Path) -> None:
        self.peers: list[Peer] = []
        self.transitions: list[int] = []
        """`leaseTransitions`, as they were each time somebody was seen to lead."""
        self._plane = plane
        self._namespace = namespace
        self._folder = folder

    def ours(self, identity: str) -> Peer:
        """Our elector, once it runs; whether it leads is another matter."""
        return self._start(
            identity,
            [sys.executable, "-m", "tests.service_runtime.leadership.peer"],
            [
                f"--lease-duration-s={LEASE_DURATION_S}",
                f"--renew-deadline-s={RENEW_DEADLINE_S}",
                f"--retry-period-s={RETRY_PERIOD_S}",
            ],
        )

    def client_go(self, identity: str) -> Peer:
        """The one of client-go."""
        return self._start(
            identity,
            [str(self._plane.programs.path("elector"))],
            [
                f"--lease-duration={LEASE_DURATION_S}s",
                f"--renew-deadline={RENEW_DEADLINE_S}s",
                f"--retry-period={RETRY_PERIOD_S}s",
            ],
        )

    def leads(self, peer: Peer) -> dict[str, Any]:
        """The Lease's spec once this one leads."""
        wait_until(
            f"{peer.identity} leading",
            lambda: peer.process.poll() is not None or peer.lines("started leading"),
            limit_s=_LIMIT_S,
            every_s=0.02,
        )
        assert peer.process.poll() is None, f"{peer.identity} has ended"
        spec = self.spec()
        self.transitions.append(spec["leaseTransitions"])
        return spec

    def follows(self, peer: Peer, leader: Peer) -> None:
        """Return once the one has seen that the other leads."""
        wait_until(
            f"{peer.identity} following {leader.identity}",
            lambda: any(line["leader"] == leader.identity for line in peer.lines("new leader")),
            limit_s=_LIMIT_S,
        )

    def spec(self) -> dict[str, Any]:
        """Of the Lease, as it is now."""
        spec: dict[str, Any] = self._plane.wire.get(LEASES, NAME, self._namespace)["spec"]
        return spec

    def end(self, peer: Peer, how: signal.Signals) -> None:
        """SIGTERM, upon which it releases; or SIGKILL, upon which it does not."""
        peer.ended_at = datetime.now(UTC)
        peer.process.send_signal(how)
        peer.process.wait(_LIMIT_S)

    def takeover_s(self, before: Peer, after: Peer) -> float:
        """From the end of one to the first reign of the other after it."""
        ended_at = before.ended_at
        assert ended_at is not None
        return next(
            (begun - ended_at).total_seconds() for begun, _ in after.reigns() if begun >= ended_at
        )

    def overlaps(self) -> list[str]:
        """Each pair of processes that led at one time."""
        reigns = sorted((*reign, peer.identity) for peer in self.peers for reign in peer.reigns())
        return [
            f"{later[2]} leads from {later[0]} on, {earlier[2]} until {earlier[1]}"
            for earlier, later in itertools.pairwise(reigns)
            if later[0] < earlier[1]
        ]

    def close(self) -> None:
        """End whoever is left."""
        for peer in self.peers:
            if peer.process.poll() is None:
                self.end(peer, signal.SIGKILL)

    def _start(self, identity: str, command: list[str], durations: list[str]) -> Peer:
        told = self._folder / f"{identity}.jsonl"
        words = [
            *command,
            f"--kubeconfig={self._plane.kubeconfig}",
            f"--namespace={self._namespace}",
            f"--name={NAME}",
            f"--identity={identity}",
            *durations,
        ]
        with told.open("wb") as out, told.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(words, cwd=ROOT, stdout=out, stderr=err)
        peer = Peer(identity, process, told)
        self.peers.append(peer)
        return peer
