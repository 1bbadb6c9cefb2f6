"""A cluster as it really is, and whether what runs on a node can share its GPUs at all.

It keeps pods, nodes and a log of what watches will show, and it shares no code with the ledger that
it is compared with: room is found by trying all ways to hand out devices.
This module must not know what the extender believes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations

__all__ = ["Flight", "LogEntry", "RealNode", "RealPod", "Reality", "can_share"]


@dataclass(frozen=True)
class RealPod:
    """A pod: what it asks for of each device, and where it is."""

    uid: str
    name: str
    count: int
    milli: int
    memory: int
    version: int
    node: str | None = None
    finished: bool = False
    told: tuple[int, ...] | None = None


@dataclass(frozen=True)
class RealNode:
    """A node and the memory of each of its devices."""

    name: str
    memories: tuple[int, ...]
    version: int


@dataclass(frozen=True)
class LogEntry:
    """Something that watches will show."""

    at_ns: int
    pod: RealPod | None = None
    node: RealNode | None = None
    gone: str | None = None
    """The uid or node name of what was deleted; then `pod` or `node` is its last version."""
    external: str | None = None
    """The node on which something happened that no answer of ours allowed."""
    handed_out: str | None = None
    """The node whose devices a plugin chose: it left room for whatever was allowed by then."""


@dataclass
class Flight:
    """An answer that a scheduler may still act upon."""

    uid: str
    allowed: tuple[str, ...]
    best: str | None
    at_ns: int
    excused: set[str] = field(default_factory=set)
    """Nodes on which something happened that could not be known when it was given."""


def can_share(pods: list[RealPod], memories: tuple[int, ...]) -> bool:
    """Whether the devices of a node can hold all of these pods, told devices being fixed."""
    free = [[1_000, memory] for memory in memories]
    waiting = []
    for pod in pods:
        if pod.told is None:
            waiting.append(pod)
        elif not _take(free, pod, pod.told):
            return False
    waiting.sort(key=lambda pod: (-pod.count * pod.milli, -pod.memory))
    return _search(free, waiting)


def _take(free: list[list[int]], pod: RealPod, devices: tuple[int, ...]) -> bool:
    if any(device >= len(free) for device in devices):
        return False
    for device in devices:
        free[device][0] -= pod.milli
        free[device][1] -= pod.memory
    return all(min(free[device]) >= 0 for device in devices)


def _search(free: list[list[int]], waiting: list[RealPod]) -> bool:
    if not waiting:
        return True
    pod, rest = waiting[0], waiting[1:]
    for devices in combinations(range(len(free)), pod.count):
        tried = [list(device) for device in free]
        if _take(tried, pod, devices) and _search(tried, rest):
            return True
    return False


class Reality:
    """The API server's state, and the log of its changes."""

    def __init__(self) -> None:
        self.version = 100
        self.now_ns = 0
        self.pods: dict[str, RealPod] = {}
        self.nodes: dict[str, RealNode] = {}
        self.log: list[LogEntry] = []
        self.flights: list[Flight] = []
        self._made = 0

    def step(self) -> int:
        """A new resource version."""
        self.version += 1
        return self.version

    def add_node(self, name: str, memories: tuple[int, ...]) -> None:
        """A node comes, or is another machine from now on."""
        external = name if name in self.nodes or self.on(name) else None
        self.nodes[name] = RealNode(name, memories, self.step())
        self._tell(LogEntry(self.now_ns, node=self.nodes[name], external=external))

    def remove_node(self, name: str) -> None:
        """A node goes; its pods stay for a while, as they do until garbage collection."""
        node = replace(self.nodes.pop(name), version=self.step())
        self._tell(LogEntry(self.now_ns, node=node, gone=name, external=name))

    def create(self, count: int, milli: int, memory: int, name: str | None = None) -> RealPod:
        """A pod is created and waits."""
        self._made += 1
        uid = f"uid-{self._made}"
        pod = RealPod(uid, name or f"ml/pod-{self._made}", count, milli, memory, self.step())
        self.pods[uid] = pod
        self._tell(LogEntry(self.now_ns, pod=pod))
        return pod

    def bind(self, uid: str, node: str, *, external: bool = False) -> None:
        """The API server binds a pod."""
        self._change(uid, external=node if external else None, node=node)

    def tell_devices(self, uid: str, devices: tuple[int, ...]) -> None:
        """Whoever hands devices out writes down which it gave."""
        self._change(uid, handed_out=self.pods[uid].node, told=devices)

    def finish(self, uid: str) -> None:
        """The pod has succeeded; its object stays."""
        self._change(uid, finished=True)

    def delete(self, uid: str) -> None:
        """The pod's object is gone."""
        pod = replace(self.pods.pop(uid), version=self.step())
        self.flights = [flight for flight in self.flights if flight.uid != uid]
        self._tell(LogEntry(self.now_ns, pod=pod, gone=uid))

    def on(self, node: str) -> list[RealPod]:
        """What holds devices of a node."""
        return [pod for pod in self.pods.values() if pod.node == node and not pod.finished]

    def is_well(self, node: str, *more: RealPod) -> bool:
        """Whether a node's devices can hold what is on it, and these pods too."""
        there = [*self.on(node), *(replace(pod, told=None) for pod in more)]
        return can_share(there, self.nodes[node].memories)

    def _change(
        self,
        uid: str,
        *,
        external: str | None = None,
        handed_out: str | None = None,
        **fields: object,
    ) -> None:
        pod = replace(self.pods[uid], version=self.step(), **fields)  # type: ignore[arg-type]
        self.pods[uid] = pod
        self._tell(LogEntry(self.now_ns, pod=pod, external=external, handed_out=handed_out))

    def _tell(self, entry: LogEntry) -> None:
        self.log.append(entry)
        if entry.external is not None:
            for flight in self.flights:
                flight.excused.add(entry.external)
