"""What a node keeps of datasets and weights, and how long a pod waits for the rest.

A node has one link: fetches come one after the other at its throughput, and a pod that needs what
is already on its way waits for that and fetches nothing twice. The disk keeps what was used last;
what running pods read is never thrown away, and what finds no room is fetched and not kept.
This module must not know pods, policies or GPUs.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Fetch", "NodeDisk"]


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a pod's start costs on one node."""

    ready_ns: int
    """When all that it needs is there."""
    moved_bytes: int
    arriving: tuple[tuple[int, int], ...]
    """(dataset, time in ns) of each copy that will then be kept."""
    evicted: tuple[int, ...]
    """Datasets that the node no longer holds."""
    pinned: tuple[int, ...]
    """To be given to `release` when the pod ends."""


class NodeDisk:
    """One node's disk and link. Datasets are numbers, as the view numbers them."""

    __slots__ = ("_bytes_per_s", "_free_bytes", "_kept", "_link_free_ns", "_pins")

    def __init__(self, capacity_bytes: int, bytes_per_s: int) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_bytes = capacity_bytes
        self._link_free_ns = 0
        self._kept: OrderedDict[int, tuple[int, int]] = OrderedDict()
        """Dataset -> (bytes, ready_ns), the least recently used first."""
        self._pins: Counter[int] = Counter()

    def fetch(self, now_ns: int, needed: Sequence[tuple[int, int]]) -> Fetch:
        """Bring what is missing of these (dataset, bytes), and keep it all until `release`."""
        ready_ns, moved = now_ns, 0
        arriving: list[tuple[int, int]] = []
        evicted: list[int] = []
        pinned = [dataset for dataset, _ in needed if dataset in self._kept]
        self._pins.update(pinned)
        for dataset, size in needed:
            if dataset in self._kept:
                self._kept.move_to_end(dataset)
                ready_ns = max(ready_ns, self._kept[dataset][1])
                continue
            there_ns = self._transfer(now_ns, size)
            ready_ns, moved = max(ready_ns, there_ns), moved + size
            if self._make_room(size, evicted):
                self._kept[dataset] = (size, there_ns)
                self._free_bytes -= size
                self._pins[dataset] += 1
                pinned.append(dataset)
                arriving.append((dataset, there_ns))
        return Fetch(ready_ns, moved, tuple(arriving), tuple(evicted), tuple(pinned))

    def release(self, pinned: Iterable[int]) -> None:
        """A pod no longer reads these."""
        self._pins.subtract(pinned)

    def _transfer(self, now_ns: int, size: int) -> int:
        """Put a transfer on the link; returns when it ends."""
        start_ns = max(now_ns, self._link_free_ns)
        self._link_free_ns = start_ns + size * NS_PER_S // self._bytes_per_s
        return self._link_free_ns

    def _make_room(self, size: int, evicted: list[int]) -> bool:
        """Throw away what was not used for longest until `size` fits; False: it never will now."""
        loose = [dataset for dataset in self._kept if self._pins[dataset] == 0]
        if size > self._free_bytes + sum(self._kept[dataset][0] for dataset in loose):
            return False
        for dataset in loose:
            if size <= self._free_bytes:
                break
            self._free_bytes += self._kept.pop(dataset)[0]
            evicted.append(dataset)
        return True
