"""What is free where: the fleet as columns, one slot for each node.

The live extender feeds this view from watches, a simulation from its own events and a what-if from
a saved cluster; policies read the same arrays in all three. Every change is O(what changed) and is
noted in a feed, so that a cache refreshes the columns that moved and no others.
This module must not score anything, and must not know who places pods or why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.admission import refusal
from gpu_fleet.draws import name_key
from gpu_fleet.errors import DuplicateName, Oversubscribed, UnknownName
from gpu_fleet.nodes import MAX_DEVICES, Device
from gpu_fleet.readings import Missing
from gpu_fleet.refusals import Refusal
from gpu_fleet.shapes import TAGS, ShapeTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.admission import Admission
    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import PodShape

__all__ = ["UNKNOWN_MIB", "ClusterSnapshot", "ClusterView", "Placement"]

UNKNOWN_MIB = -1
"""In the device memory columns: nobody knows. It is never enough for a pod that asks."""

_FIRST_SLOTS = 64
_FEED = 1 << 16
"""Changes remembered. A reader that fell further behind refreshes everything, which is as cheap."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a pod is: the node's slot and the devices inside it."""

    shape_id: int
    slot: int
    devices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClusterSnapshot:
    """A whole view as plain values: nodes, what runs on them, which datasets they hold."""

    nodes: tuple[Node, ...]
    pods: tuple[tuple[str, PodShape, str, tuple[int, ...]], ...]
    dataset_bytes: tuple[tuple[str, int], ...]
    held: tuple[tuple[str, str], ...]


class ClusterView:
    """Structure of arrays over node slots; see the attributes for units.

    Arrays may be replaced when the fleet grows, so take them from the view at each use.
    """

    def __init__(self) -> None:
        self.shapes = ShapeTable()
        self.models: list[str] = []
        self.device_width = 1
        """Devices of the widest node so far: columns to the right of it are empty."""
        self.slots = 0
        """Slots ever used; freed ones are used again."""
        self.changes = 0
        """Changes so far: the view's version."""
        self.node_changes = 0
        """Changes so far that were not a pod's: nodes that came, went or changed."""
        self.feed: NDArray[np.int64] = np.zeros(_FEED, np.int64)
        self.dataset_names: list[str] = []
        self.dataset_bytes: NDArray[np.int64] = np.zeros(0, np.int64)
        self._dataset_ids: dict[str, int] = {}
        self._model_ids: dict[str, int] = {}
        self._slot_of: dict[str, int] = {}
        self._nodes: list[Node | None] = []
        self._free_slots: list[int] = []
        self._placements: dict[str, Placement] = {}
        self._pods_on: list[dict[str, None]] = []
        self._matched: set[int] = set()
        self._allocate(_FIRST_SLOTS)

    def _allocate(self, slots: int) -> None:
        wide = (slots, MAX_DEVICES)
        self.cpu_free_milli = np.zeros(slots, np.int64)
        self.cpu_total_milli = np.zeros(slots, np.int64)
        self.memory_free_mib = np.zeros(slots, np.int64)
        self.memory_total_mib = np.zeros(slots, np.int64)
        self.gpu_free_milli = np.zeros(wide, np.int64)
        self.gpu_total_milli = np.zeros(wide, np.int64)
        """Of healthy devices; an unhealthy one offers nothing and its column is 0."""
        self.gpu_used_milli = np.zeros(wide, np.int64)
        self.gpu_free_sum_milli = np.zeros(slots, np.int64)
        """The row sums of `gpu_free_milli`."""
        self.gpu_memory_free_mib = np.full(wide, UNKNOWN_MIB, np.int64)
        self.gpu_memory_total_mib = np.full(wide, UNKNOWN_MIB, np.int64)
        self.gpu_memory_used_mib = np.zeros(wide, np.int64)
        """What pods hold, also while nobody knows how much there is."""
        self.device_kind = np.zeros(wide, np.int64)
        self.device_count = np.zeros(slots, np.int64)
        """Healthy devices."""
        self.model_id = np.full(slots, -1, np.int64)
        self.order_key = np.zeros(slots, np.int64)
        """Stable 63-bit key of the node's name: the last word between equals."""
        self.tag_count = np.zeros((slots, TAGS), np.int64)
        self.version = np.zeros(slots, np.int64)
        self.refusals = np.full((4, slots), Refusal.ABSENT, np.uint8)
        """Row = admission id, column = slot: why such a pod may not go there at all."""
        self.held = np.zeros((slots, max(1, len(self.dataset_names))), np.bool_)

    # -- nodes ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, name: str) -> bool:
        return name in self._slot_of

    @property
    def capacity(self) -> int:
        """Width of the columns, used or not."""
        return len(self.cpu_free_milli)

    def slot(self, name: str) -> int:
        """The column of a node."""
        try:
            return self._slot_of[name]
        except KeyError:
            raise UnknownName(f"node {name} is not in the view; add it first") from None

    def find(self, names: Sequence[str], absent: int) -> NDArray[np.int64]:
        """The columns of these nodes; `absent` in the place of a name that is not in the view."""
        slot_of = self._slot_of.get
        return np.array([slot_of(name, absent) for name in names], np.int64)

    def node(self, slot: int) -> Node:
        """The node in a column."""
        node = self._nodes[slot] if slot < len(self._nodes) else None
        if node is None:
            raise UnknownName(f"no node in slot {slot}")
        return node

    def nodes(self) -> list[Node]:
        """All nodes, in the order of their slots."""
        return [node for node in self._nodes if node is not None]

    def live_slots(self) -> NDArray[np.int64]:
        """The columns that hold a node."""
        if len(self._slot_of) == self.slots:
            return np.arange(self.slots)
        return np.array(sorted(self._slot_of.values()), np.int64)

    def add_node(self, node: Node) -> int:
        """Give a node a column and return it."""
        if node.name in self._slot_of:
            raise DuplicateName(f"node {node.name} is in the view already; update it instead")
        slot = self._take_slot()
        self._slot_of[node.name] = slot
        self._nodes[slot] = node
        self.order_key[slot] = name_key(node.name)
        self._write(slot, node)
        return slot

    def update_node(self, node: Node) -> None:
        """The node changed (grew, shrank, lost a device, got a taint); its pods stay."""
        slot = self.slot(node.name)
        self._nodes[slot] = node
        self._write(slot, node)

    def remove_node(self, name: str) -> list[str]:
        """Take a node away with all that ran on it; returns the names of the pods it had."""
        slot = self.slot(name)
        pods = list(self._pods_on[slot])
        for pod in pods:
            self.release(pod)
        del self._slot_of[name]
        self._nodes[slot] = None
        self._clear(slot)
        self._free_slots.append(slot)
        self.node_changes += 1
        self._note(slot)
        return pods

    def pods_on(self, name: str) -> list[str]:
        """Names of the pods on a node, in order of arrival."""
        return list(self._pods_on[self.slot(name)])

    def _take_slot(self) -> int:
        if self._free_slots:
            return self._free_slots.pop()
        if self.slots == self.capacity:
            self._grow(self.capacity * 2)
        self.slots += 1
        self._nodes.append(None)
        self._pods_on.append({})
        return self.slots - 1

    def _grow(self, slots: int) -> None:
        old = {name: getattr(self, name) for name in _SLOT_COLUMNS}
        refusals, held = self.refusals, self.held
        rows = len(refusals)
        self._allocate(slots)
        for name, column in old.items():
            getattr(self, name)[: len(column)] = column
        self.refusals = np.full((rows, slots), Refusal.ABSENT, np.uint8)
        self.refusals[:, : refusals.shape[1]] = refusals
        self.held = np.zeros((slots, held.shape[1]), np.bool_)
        self.held[: len(held)] = held

    def _clear(self, slot: int) -> None:
        for name in _SLOT_COLUMNS:
            if name != "version":
                getattr(self, name)[slot] = 0
        self.gpu_memory_free_mib[slot] = UNKNOWN_MIB
        self.gpu_memory_total_mib[slot] = UNKNOWN_MIB
        self.model_id[slot] = -1
        self.held[slot] = False
        self.refusals[:, slot] = Refusal.ABSENT

    def _write(self, slot: int, node: Node) -> None:
        cpu_used = self.cpu_total_milli[slot] - self.cpu_free_milli[slot]
        memory_used = self.memory_total_mib[slot] - self.memory_free_mib[slot]
        self.cpu_total_milli[slot] = node.cpu_milli
        self.cpu_free_milli[slot] = node.cpu_milli - cpu_used
        self.memory_total_mib[slot] = node.memory_mib
        self.memory_free_mib[slot] = node.memory_mib - memory_used
        self.model_id[slot] = -1 if node.gpu_model is None else self.model(node.gpu_model)
        self.device_width = max(self.device_width, len(node.devices))
        for index in range(MAX_DEVICES):
            present = index < len(node.devices)
            self._write_device(slot, index, node.devices[index] if present else None)
        self.gpu_free_sum_milli[slot] = self.gpu_free_milli[slot].sum()
        self.device_count[slot] = np.count_nonzero(self.gpu_total_milli[slot])
        for row, admission in enumerate(self.shapes.admissions):
            self.refusals[row, slot] = refusal(node, admission)
        self.node_changes += 1
        self._note(slot)

    def _write_device(self, slot: int, index: int, device: Device | None) -> None:
        memory = device.memory_mib if device is not None else Missing("no such device")
        total = device.gpu_milli if device is not None and device.healthy else 0
        self.device_kind[slot, index] = 0 if device is None else device.kind
        self.gpu_total_milli[slot, index] = total
        self.gpu_free_milli[slot, index] = max(0, total - int(self.gpu_used_milli[slot, index]))
        if isinstance(memory, Missing):
            self.gpu_memory_total_mib[slot, index] = UNKNOWN_MIB
            self.gpu_memory_free_mib[slot, index] = UNKNOWN_MIB
            return
        self.gpu_memory_total_mib[slot, index] = memory
        self.gpu_memory_free_mib[slot, index] = memory - self.gpu_memory_used_mib[slot, index]

    def model(self, name: str) -> int:
        """The number by which columns call a GPU model, new or known."""
        known = self._model_ids.get(name)
        if known is not None:
            return known
        self._model_ids[name] = len(self.models)
        self.models.append(name)
        return len(self.models) - 1

    # -- pods ----------------------------------------------------------------------------------

    def intern(self, shape: PodShape) -> int:
        """The id of a shape, new or known."""
        shape_id = self.shapes.intern(shape)
        self.admission_row(shape.admission)
        return shape_id

    def admission_row(self, admission: Admission) -> int:
        """The row of `refusals` for a rule; a new rule is matched against all nodes."""
        row = self.shapes.intern_admission(admission)
        if row >= len(self.refusals):
            more = np.full(self.refusals.shape, Refusal.ABSENT, np.uint8)
            self.refusals = np.concatenate((self.refusals, more))
        if row not in self._matched:
            self._match(row)
        return row

    def place(self, pod: str, shape_id: int, slot: int, devices: tuple[int, ...]) -> None:
        """Take what a pod asks for. Refused as a whole if anything of it is not free."""
        if pod in self._placements:
            raise DuplicateName(f"pod {pod} is placed already; release it first")
        self._check(pod, self.shapes[shape_id], slot, devices)
        self._put(pod, shape_id, slot, devices)

    def seat(self, pod: str, shape_id: int, slot: int, devices: tuple[int, ...]) -> None:
        """Record where a pod is, whether or not there is room: what runs, runs.

        GPU that is given out twice shows as `gpu_used_milli` above `gpu_total_milli`.
        """
        if pod in self._placements:
            raise DuplicateName(f"pod {pod} is placed already; release it first")
        self._put(pod, shape_id, slot, devices)

    def release(self, pod: str) -> Placement:
        """Give back what a pod had; returns where it was."""
        placement = self._placements.pop(pod, None)
        if placement is None:
            raise UnknownName(f"pod {pod} is not placed")
        slot = placement.slot
        self._take(self.shapes[placement.shape_id], slot, placement.devices, -1)
        self.tag_count[slot, self.shapes.tag[placement.shape_id]] -= 1
        del self._pods_on[slot][pod]
        self._note(slot)
        return placement

    def placement(self, pod: str) -> Placement | None:
        """Where a pod is, or None."""
        return self._placements.get(pod)

    def placements(self) -> Mapping[str, Placement]:
        """All pods that are placed."""
        return self._placements

    def _check(self, pod: str, shape: PodShape, slot: int, devices: tuple[int, ...]) -> None:
        if self.cpu_free_milli[slot] < shape.cpu_milli:
            raise Oversubscribed(f"pod {pod}: not enough CPU on {self.node(slot).name}")
        if self.memory_free_mib[slot] < shape.memory_mib:
            raise Oversubscribed(f"pod {pod}: not enough memory on {self.node(slot).name}")
        if len(devices) != shape.gpu_count or len(set(devices)) != len(devices):
            raise Oversubscribed(f"pod {pod}: devices {devices} for {shape.gpu_count} GPUs")
        for device in devices:
            if self.gpu_free_milli[slot, device] < shape.gpu_milli:
                raise Oversubscribed(
                    f"pod {pod}: device {device} of {self.node(slot).name} has not enough free"
                )
            if shape.gpu_memory_mib > max(0, self.gpu_memory_free_mib[slot, device]):
                raise Oversubscribed(
                    f"pod {pod}: device {device} of {self.node(slot).name} has too little memory"
                )

    def _put(self, pod: str, shape_id: int, slot: int, devices: tuple[int, ...]) -> None:
        self._take(self.shapes[shape_id], slot, devices, 1)
        self.tag_count[slot, self.shapes.tag[shape_id]] += 1
        self._placements[pod] = Placement(shape_id, slot, devices)
        self._pods_on[slot][pod] = None
        self._note(slot)

    def _take(self, shape: PodShape, slot: int, devices: tuple[int, ...], sign: int) -> None:
        self.cpu_free_milli[slot] -= sign * shape.cpu_milli
        self.memory_free_mib[slot] -= sign * shape.memory_mib
        for device in devices:
            used = int(self.gpu_used_milli[slot, device]) + sign * shape.gpu_milli
            free = max(0, int(self.gpu_total_milli[slot, device]) - used)
            self.gpu_used_milli[slot, device] = used
            self.gpu_free_sum_milli[slot] += free - self.gpu_free_milli[slot, device]
            self.gpu_free_milli[slot, device] = free
            if shape.gpu_memory_mib:
                self.gpu_memory_used_mib[slot, device] += sign * shape.gpu_memory_mib
                if self.gpu_memory_total_mib[slot, device] != UNKNOWN_MIB:
                    self.gpu_memory_free_mib[slot, device] -= sign * shape.gpu_memory_mib

    def _match(self, row: int) -> None:
        admission = self.shapes.admissions[row]
        for slot, node in enumerate(self._nodes):
            if node is not None:
                self.refusals[row, slot] = refusal(node, admission)
        self._matched.add(row)

    # -- datasets ------------------------------------------------------------------------------

    def define_dataset(self, name: str, size_bytes: int) -> int:
        """The number of a dataset; its size may be corrected by defining it again."""
        known = self._dataset_ids.get(name)
        if known is not None:
            self.dataset_bytes[known] = size_bytes
            return known
        self._dataset_ids[name] = len(self.dataset_names)
        self.dataset_names.append(name)
        self.dataset_bytes = np.append(self.dataset_bytes, size_bytes)
        if len(self.dataset_names) > self.held.shape[1]:
            self.held = np.concatenate((self.held, np.zeros_like(self.held)), axis=1)
        return len(self.dataset_names) - 1

    def dataset(self, name: str) -> int | None:
        """The number of a dataset, or None if nobody defined it."""
        return self._dataset_ids.get(name)

    def hold(self, slot: int, dataset: int, *, held: bool = True) -> None:
        """A node now holds a whole, verified copy of a dataset, or no longer does."""
        if self.held[slot, dataset] != held:
            self.held[slot, dataset] = held
            self._note(slot)

    # -- change feed ---------------------------------------------------------------------------

    def changes_since(self, change: int) -> NDArray[np.int64] | None:
        """Columns changed since the view's version was `change`, or None: too long ago."""
        behind = self.changes - change
        if behind > _FEED:
            return None
        first, last = change % _FEED, self.changes % _FEED
        if first < last or behind == 0:
            return self.feed[first : first + behind]
        return np.concatenate((self.feed[first:], self.feed[:last]))

    def _note(self, slot: int) -> None:
        changes = self.changes
        self.feed[changes % _FEED] = slot
        self.changes = changes + 1
        self.version[slot] = changes + 1

    # -- totals --------------------------------------------------------------------------------

    @property
    def gpu_capacity_milli(self) -> int:
        """All healthy GPU of the fleet, in thousandths."""
        return int(self.gpu_total_milli.sum())

    @property
    def gpu_allocated_milli(self) -> int:
        """All GPU that is taken, in thousandths."""
        return int(self.gpu_used_milli.sum())

    # -- snapshot ------------------------------------------------------------------------------

    def snapshot(self) -> ClusterSnapshot:
        """The whole view as values that nothing can change."""
        held = (
            (self.node(int(slot)).name, name)
            for number, name in enumerate(self.dataset_names)
            for slot in np.flatnonzero(self.held[:, number])
        )
        return ClusterSnapshot(
            nodes=tuple(self.nodes()),
            pods=tuple(
                (pod, self.shapes[at.shape_id], self.node(at.slot).name, at.devices)
                for pod, at in self._placements.items()
            ),
            dataset_bytes=tuple(
                (name, int(size))
                for name, size in zip(self.dataset_names, self.dataset_bytes, strict=True)
            ),
            held=tuple(held),
        )

    @classmethod
    def restore(cls, snapshot: ClusterSnapshot) -> ClusterView:
        """A view that answers as the one the snapshot was taken of."""
        view = cls.of(snapshot.nodes)
        for pod, shape, node, devices in snapshot.pods:
            # What runs, runs, also where the node has shrunk or a device has fallen sick since.
            view.seat(pod, view.intern(shape), view.slot(node), devices)
        sizes = dict(snapshot.dataset_bytes)
        for name, size in snapshot.dataset_bytes:
            view.define_dataset(name, size)
        for node, name in snapshot.held:
            view.hold(view.slot(node), view.define_dataset(name, sizes[name]))
        return view

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> ClusterView:
        """A view of these nodes, all empty."""
        view = cls()
        for node in nodes:
            view.add_node(node)
        return view


_SLOT_COLUMNS = (
    "cpu_free_milli",
    "cpu_total_milli",
    "memory_free_mib",
    "memory_total_mib",
    "gpu_free_milli",
    "gpu_total_milli",
    "gpu_used_milli",
    "gpu_free_sum_milli",
    "gpu_memory_free_mib",
    "gpu_memory_total_mib",
    "gpu_memory_used_mib",
    "device_kind",
    "device_count",
    "model_id",
    "order_key",
    "tag_count",
    "version",
)
