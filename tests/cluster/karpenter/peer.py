"""Starts a real Karpenter beside a control plane, and takes away whatever it made there.

It buys from `instance_types` and KWOK plays what it bought. One at a time on a control plane, for
two would buy for the same pods. It must not know what is tested with it.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from gpu_fleet.errors import KubeError, ServiceError
from service_runtime.kube.api import NODES
from tests.cluster.build import binaries, tell_terminal
from tests.cluster.karpenter.instance_types import FOR_RENT, file_of
from tests.cluster.karpenter.objects import (
    CAPACITY_BUFFERS,
    NODE_CLAIMS,
    NODE_CLASSES,
    NODE_OVERLAYS,
    NODE_POOL_LABEL,
    NODE_POOLS,
    condition,
    node_class,
    node_pool,
)
from tests.cluster.karpenter.program import DEFINITIONS, KARPENTER
from tests.cluster.waiting import wait_until
from tests.cluster.wire import KubeWire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from service_runtime.kube.api import Resource
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.karpenter.instance_types import InstanceType
    from tests.cluster.processes import Running
    from tests.cluster.wire import Object

__all__ = ["Karpenter", "Settings", "beside", "start_karpenter"]

NAME = "karpenter"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a test may ask of its Karpenter; the times are Karpenter's own."""

    for_rent: Sequence[InstanceType] = FOR_RENT
    """Read once, as it starts."""
    feature_gates: Mapping[str, bool] = field(
        default_factory=lambda: {
            "CapacityBuffer": True,
            "NodeOverlay": True,
            "StaticCapacity": True,
        }
    )
    more_flags: Sequence[str] = ()
    """Such as `--batch-idle-duration=2s`."""


class Karpenter:
    """A Karpenter that runs now, and what it made."""

    def __init__(self, plane: ControlPlane, running: Running, metrics_port: int) -> None:
        self.plane = plane
        self.running = running
        self._metrics_url = f"http://127.0.0.1:{metrics_port}"

    def add_pool(self, pool: Object, *, boot_s: int = 0) -> None:
        """Create a pool and the node class it names, and return once Karpenter buys for it."""
        wire, name = self.plane.wire, pool["metadata"]["name"]
        named = pool["spec"]["template"]["spec"]["nodeClassRef"]["name"]
        wire.create(NODE_CLASSES, node_class(named, boot_s=boot_s))
        wire.create(NODE_POOLS, pool)
        wait_until(
            f"pool {name} that is ready",
            lambda: wire.get(NODE_POOLS, name),
            lambda seen: condition(seen, "Ready").get("status") == "True",
        )

    def claims(self) -> list[Object]:
        """The NodeClaims as they are now."""
        return self.plane.wire.items(NODE_CLAIMS)

    def nodes(self) -> list[Object]:
        """The nodes that it bought."""
        return self.plane.wire.items(NODES, query=f"labelSelector={quote(NODE_POOL_LABEL)}")

    def metrics(self) -> str:
        """What it measures, as Prometheus would read it."""
        return _ask(self._metrics_url, "/metrics", self.plane).decode()


@contextmanager
def start_karpenter(
    plane: ControlPlane,
    settings: Settings | None = None,
    *,
    tell: Callable[[str], None] = tell_terminal,
) -> Iterator[Karpenter]:
    """A Karpenter that is ready to buy; with the context it ends, and all that it made goes."""
    settings = settings or Settings()
    programs = binaries(KARPENTER, tell)
    _define(plane, programs.files(DEFINITIONS))
    file = plane.house.folder / "instance-types.json"
    file.write_text(file_of(settings.for_rent), encoding="utf-8")
    health_port, metrics_port = plane.house.take_port(), plane.house.take_port()
    gates = ",".join(f"{name}={str(on).lower()}" for name, on in settings.feature_gates.items())
    running = plane.add(
        NAME,
        [
            programs.path("karpenter"),
            "--disable-leader-election=true",
            f"--feature-gates={gates}",
            f"--health-probe-port={health_port}",
            f"--instance-types-file-path={file}",
            f"--metrics-port={metrics_port}",
            *settings.more_flags,
        ],
        lambda: _ask(f"http://127.0.0.1:{health_port}", "/readyz", plane),
        {
            "KUBECONFIG": str(plane.user(NAME, ["system:masters"]).kubeconfig),
            "SYSTEM_NAMESPACE": "kube-system",
        },
    )
    try:
        yield Karpenter(plane, running, metrics_port)
    finally:
        # Killed first: it would buy again what is taken away, and drain what has no worth.
        running.kill()
        _take_away(plane.wire)


@contextmanager
def beside(plane: ControlPlane, tell: Callable[[str], None]) -> Iterator[Sequence[str]]:
    """For a person: Karpenter with one pool that may buy anything on demand or as spot."""
    with start_karpenter(plane, tell=tell) as karpenter:
        karpenter.add_pool(node_pool("default", node_class="default", consolidate_after="30s"))
        yield (
            "kubectl create deployment web --image=none --replicas=3",
            "                                    pods that fit nowhere: Karpenter buys a node",
            "kubectl get nodepools,nodeclaims,capacitybuffers -A",
        )


def _define(plane: ControlPlane, definitions: Path) -> None:
    """Teach the API server Karpenter's kinds; again does no harm."""
    plane.kubectl("apply", "--server-side", "--filename", str(definitions))
    plane.kubectl(
        *("wait", "--for=condition=Established", "--timeout=60s", "--filename", str(definitions))
    )


def _ask(url: str, path: str, plane: ControlPlane) -> bytes:
    with closing(KubeWire(url, plane.ca)) as wire:
        return wire.ask("GET", path)


def _take_away(wire: KubeWire) -> None:
    """Without the one that would let go of them, so their finalizers are struck out."""
    bought = f"labelSelector={quote(NODE_POOL_LABEL)}"
    for resource in (NODE_POOLS, NODE_OVERLAYS, CAPACITY_BUFFERS, NODE_CLAIMS, NODE_CLASSES):
        _end_all(wire, resource)
    _end_all(wire, NODES, bought)
    left = wire.items(NODE_CLAIMS) + wire.items(NODES, query=bought)
    if left:
        names = ", ".join(each["metadata"]["name"] for each in left)
        raise ServiceError(f"{names}: could not be taken away after Karpenter had ended")


def _end_all(wire: KubeWire, resource: Resource, query: str = "") -> None:
    for each in wire.items(resource, query=query):
        name, namespace = each["metadata"]["name"], each["metadata"].get("namespace")
        try:
            wire.merge(resource, name, {"metadata": {"finalizers": None}}, namespace)
            wire.delete(resource, name, namespace)
        except KubeError as problem:
            if problem.status != 404:  # its last finalizer was all that kept it
                raise
