"""A cluster as columns: what nodes offer, what pods on them hold, and how many of which pods.

Plugins ask the same questions again and again (which nodes tolerate this, how many pods match
that), so answers are kept: those that depend on nodes alone until a node changes, counts of pods
up to date with every pod that comes and goes. This module must not score or refuse anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from gpu_fleet.errors import DuplicateName, UnknownName
from simulations.kube.node_list import NodeList
from simulations.kube.objects import CPU, MEMORY, PODS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from typing import TypeAlias

    from numpy.typing import NDArray

    from simulations.kube.labels import PodSet
    from simulations.kube.objects import KubeNode, KubePod, PodTerm

    Columns: TypeAlias = NDArray[np.int64]

__all__ = ["CarriedTerm", "ImageState", "KubeCluster", "Topology"]

_FIRST_SLOTS = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CarriedTerm:
    """An affinity term that pods in the cluster have, which also says where others may go."""

    term: PodTerm
    weight: int
    """0 for required anti-affinity, which refuses instead of scoring."""
    required: bool


@dataclass(frozen=True, slots=True)
class Topology:
    """The values of one node label, as numbers by slot."""

    code: NDArray[np.int64]
    """Nodes without the label count as those whose value is empty."""
    present: NDArray[np.bool_]
    values: int


@dataclass(slots=True)
class ImageState:
    """An image as the scheduler's cache knows it: the size that it saw first, and who has it."""

    size_bytes: int
    holders: set[int]


class KubeCluster:
    """Nodes by slot, and the pods on them."""

    def __init__(self, namespaces: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """`namespaces` holds the labels of those that have any."""
        self._namespaces = namespaces or {}
        self._list = NodeList()
        self._slot_of: dict[str, int] = {}
        self._nodes: list[KubeNode | None] = []
        self._order: NDArray[np.int64] | None = None
        self._kept: dict[Hashable, object] = {}
        self._pods: dict[str, tuple[KubePod, int]] = {}
        self._counts: dict[tuple[PodSet, ...], Columns] = {}
        self._carried: dict[CarriedTerm, Columns] = {}
        self.images: dict[str, ImageState] = {}
        self.allocatable: dict[str, Columns] = {}
        self.requested: dict[str, Columns] = {}
        self.scored_cpu_milli = np.zeros(_FIRST_SLOTS, np.int64)
        self.scored_memory_bytes = np.zeros(_FIRST_SLOTS, np.int64)
        self.pods_on = np.zeros(_FIRST_SLOTS, np.int64)

    # -- nodes ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._slot_of)

    @property
    def capacity(self) -> int:
        """Width of the columns, used or not."""
        return len(self.pods_on)

    def slot(self, name: str) -> int:
        """The column of a node."""
        try:
            return self._slot_of[name]
        except KeyError:
            raise UnknownName(f"node {name} is not in the cluster; add it first") from None

    def node(self, slot: int) -> KubeNode:
        """The node in a column."""
        node = self._nodes[slot]
        if node is None:
            raise UnknownName(f"no node in slot {slot}")
        return node

    def nodes(self) -> Iterable[tuple[int, KubeNode]]:
        """Slots and nodes."""
        return ((slot, node) for slot, node in enumerate(self._nodes) if node is not None)

    def order(self) -> NDArray[np.int64]:
        """Slots in the order of the scheduler's node list."""
        if self._order is None:
            self._order = np.array([self._slot_of[name] for name in self._list.names()], np.int64)
        return self._order

    def add_node(self, node: KubeNode) -> int:
        """A node joins, empty; nodes that join later come later in their zone."""
        if node.name in self._slot_of:
            raise DuplicateName(f"node {node.name} is in the cluster already; update it instead")
        slot = len(self._nodes)
        if slot == self.capacity:
            self._grow()
        self._slot_of[node.name] = slot
        self._nodes.append(node)
        self._list.add(node.name, node.zone)
        self._write(slot, node)
        return slot

    def update_node(self, node: KubeNode) -> None:
        """A node changed; its pods stay. One that changed its zone goes to the end of the new."""
        slot = self.slot(node.name)
        old = self.node(slot)
        if old.zone != node.zone:
            self._list.remove(node.name, old.zone)
            self._list.add(node.name, node.zone)
        self._erase(slot, old)
        self._nodes[slot] = node
        self._write(slot, node)

    def remove_node(self, name: str) -> list[KubePod]:
        """A node leaves with its pods, which are returned."""
        slot = self.slot(name)
        node = self.node(slot)
        gone = [pod for pod, at in self._pods.values() if at == slot]
        for pod in gone:
            self.release(pod.full_name)
        self._list.remove(name, node.zone)
        self._erase(slot, node)
        del self._slot_of[name]
        self._nodes[slot] = None
        self._changed()
        return gone

    def _write(self, slot: int, node: KubeNode) -> None:
        for resource, amount in node.allocatable.items():
            self._column(self.allocatable, resource)[slot] = amount
        for image in node.images:
            for name in image.names:
                state = self.images.setdefault(name, ImageState(image.size_bytes, set()))
                state.holders.add(slot)
        self._changed()

    def _erase(self, slot: int, node: KubeNode) -> None:
        for column in self.allocatable.values():
            column[slot] = 0
        for image in node.images:
            for name in image.names:
                self._forget_image(name, slot)

    def _forget_image(self, name: str, slot: int) -> None:
        state = self.images.get(name)
        if state is None:
            return
        state.holders.discard(slot)
        if not state.holders:
            del self.images[name]

    def _changed(self) -> None:
        self._order = None
        self._kept.clear()

    def _grow(self) -> None:
        def wider(column: Columns) -> Columns:
            return np.concatenate((column, np.zeros_like(column)))

        self.scored_cpu_milli = wider(self.scored_cpu_milli)
        self.scored_memory_bytes = wider(self.scored_memory_bytes)
        self.pods_on = wider(self.pods_on)
        for columns in (self.allocatable, self.requested):
            for resource, column in columns.items():
                columns[resource] = wider(column)
        self._counts = {query: wider(column) for query, column in self._counts.items()}
        self._carried = {term: wider(column) for term, column in self._carried.items()}
        self._kept.clear()

    def _column(self, columns: dict[str, Columns], resource: str) -> Columns:
        if resource not in columns:
            columns[resource] = np.zeros(self.capacity, np.int64)
        return columns[resource]

    # -- what nodes are ------------------------------------------------------------------------

    def kept(self, key: Hashable, compute: Callable[[], T]) -> T:
        """An answer that holds until a node changes; computed when it is asked for first."""
        known = self._kept.get(key)
        if known is None:
            known = self._kept[key] = compute()
        return known  # type: ignore[return-value]  # the key names the question, hence the type

    def offered(self, resource: str) -> Columns:
        """Allocatable amounts of a resource by slot."""
        return self._column(self.allocatable, resource)

    def taken(self, resource: str) -> Columns:
        """What pods ask for of a resource, by slot."""
        return self._column(self.requested, resource)

    def topology(self, key: str) -> Topology:
        """The values of a label."""
        return self.kept(("topology", key), lambda: self._topology(key))

    def _topology(self, key: str) -> Topology:
        code = np.zeros(self.capacity, np.int64)
        present = np.zeros(self.capacity, np.bool_)
        codes = {"": 0}
        for slot, node in self.nodes():
            value = node.labels.get(key)
            present[slot] = value is not None
            code[slot] = codes.setdefault(value or "", len(codes))
        return Topology(code, present, len(codes))

    # -- pods ----------------------------------------------------------------------------------

    def place(self, pod: KubePod, node_name: str) -> None:
        """A pod takes what it asks for, whether or not it fits: the API server says it is there."""
        if pod.full_name in self._pods:
            raise DuplicateName(f"pod {pod.full_name} is placed already; release it first")
        slot = self.slot(node_name)
        self._pods[pod.full_name] = (pod, slot)
        self._move(pod, slot, 1)

    def release(self, full_name: str) -> KubePod:
        """A pod is gone, with all that it held."""
        if full_name not in self._pods:
            raise UnknownName(f"pod {full_name} is not placed")
        pod, slot = self._pods.pop(full_name)
        self._move(pod, slot, -1)
        return pod

    def __contains__(self, full_name: str) -> bool:
        return full_name in self._pods

    def _move(self, pod: KubePod, slot: int, sign: int) -> None:
        for resource, amount in pod.requests.items():
            self._column(self.requested, resource)[slot] += sign * amount
        self.scored_cpu_milli[slot] += sign * pod.scored_cpu_milli
        self.scored_memory_bytes[slot] += sign * pod.scored_memory_bytes
        self.pods_on[slot] += sign
        for query, column in self._counts.items():
            if self.matches(pod, query):
                column[slot] += sign
        for carried in _carried_by(pod):
            if carried not in self._carried:
                self._carried[carried] = np.zeros(self.capacity, np.int64)
            self._carried[carried][slot] += sign

    def matches(self, pod: KubePod, query: tuple[PodSet, ...]) -> bool:
        """Whether a pod is in every one of these sets."""
        its_namespace = self._namespaces.get(pod.namespace, {})
        return all(each.holds(pod.namespace, pod.labels, its_namespace) for each in query)

    def count(self, *query: PodSet) -> Columns:
        """Pods by slot that are in every one of these sets; do not change the answer."""
        if query not in self._counts:
            column = np.zeros(self.capacity, np.int64)
            for pod, slot in self._pods.values():
                column[slot] += self.matches(pod, query)
            self._counts[query] = column
        return self._counts[query]

    def carried(self) -> Iterable[tuple[CarriedTerm, Columns]]:
        """Terms of the pods that are here, with the number of pods that have them by slot."""
        return self._carried.items()

    def scored(self, resource: str) -> Columns:
        """Requests by slot with the defaults of containers that asked for nothing."""
        if resource == CPU:
            return self.scored_cpu_milli
        return self.scored_memory_bytes if resource == MEMORY else self.taken(resource)

    def room_for_pods(self) -> NDArray[np.bool_]:
        """Which slots may hold one more pod."""
        return np.asarray(self.pods_on < self.offered(PODS))


def _carried_by(pod: KubePod) -> Iterable[CarriedTerm]:
    for term in pod.away_from_pods:
        yield CarriedTerm(term, 0, required=True)
    for term in pod.with_pods:
        yield CarriedTerm(term, 1, required=True)
    for weighted in pod.preferred_pods:
        yield CarriedTerm(weighted.term, weighted.weight, required=False)
