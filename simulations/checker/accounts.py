"""What each node has left, kept by the checker in its own books.

One account for each node, with plain numbers and lists. An account refuses to go below zero and
says what it lacked. This module must not know about logs, time or the order of events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.readings import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import PodShape

__all__ = ["Account"]


class Account:
    """One node: what is left of its CPU, its memory and each of its devices."""

    __slots__ = ("cpu_milli", "device_mib", "gpu_milli", "memory_mib", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.cpu_milli = node.cpu_milli
        self.memory_mib = node.memory_mib
        self.gpu_milli = [d.gpu_milli if d.healthy else 0 for d in node.devices]
        self.device_mib = [
            None if isinstance(d.memory_mib, Missing) else d.memory_mib for d in node.devices
        ]

    def has_room(self, shape: PodShape) -> bool:
        """Whether all that such a pod asks for is left, on as many devices as it wants."""
        if shape.cpu_milli > self.cpu_milli or shape.memory_mib > self.memory_mib:
            return False
        if shape.gpu_count == 0:
            return True
        return len(self.open_devices(shape)) >= shape.gpu_count

    def open_devices(self, shape: PodShape) -> list[int]:
        """The devices that have enough left for one of the pod's GPUs."""
        wanted = shape.gpu_milli
        found = [at for at, left in enumerate(self.gpu_milli) if left >= wanted]
        if shape.gpu_memory_mib:
            found = [at for at in found if self._device_mib_left(at) >= shape.gpu_memory_mib]
        return found

    def host_choice(self, shape: PodShape) -> tuple[int, ...]:
        """The devices of a pod that is bound already and names none: the tightest, or the first."""
        found = self.open_devices(shape)
        if shape.gpu_count == 1:
            found.sort(key=lambda at: (self.gpu_milli[at], at))
        return tuple(found[: shape.gpu_count])

    def lack(self, shape: PodShape, devices: tuple[int, ...]) -> str | None:
        """What keeps exactly this from being taken, in words, or None."""
        if shape.cpu_milli > self.cpu_milli:
            return f"{shape.cpu_milli} milli-CPU taken, {self.cpu_milli} free"
        if shape.memory_mib > self.memory_mib:
            return f"{shape.memory_mib} MiB of memory taken, {self.memory_mib} free"
        if len(devices) != shape.gpu_count:
            return f"{len(devices)} devices given, {shape.gpu_count} asked for"
        if len(set(devices)) != len(devices):
            return f"the same device given twice in {_words(devices)}"
        return next(filter(None, (self._device_lack(shape, at) for at in devices)), None)

    def take(self, shape: PodShape, devices: tuple[int, ...]) -> None:
        """Book it; ask `lack` first."""
        self._book(shape, devices, 1)

    def give_back(self, shape: PodShape, devices: tuple[int, ...]) -> None:
        """Undo what `take` booked."""
        self._book(shape, devices, -1)

    def _device_lack(self, shape: PodShape, at: int) -> str | None:
        if not 0 <= at < len(self.gpu_milli):
            return f"device {at} does not exist"
        if shape.gpu_milli > self.gpu_milli[at]:
            return (
                f"device {at} oversubscribed: {shape.gpu_milli} thousandths taken, "
                f"{self.gpu_milli[at]} free"
            )
        if shape.gpu_memory_mib and shape.gpu_memory_mib > self._device_mib_left(at):
            return f"device {at} lacks {shape.gpu_memory_mib} MiB of its own memory"
        return None

    def _device_mib_left(self, at: int) -> int:
        left = self.device_mib[at]
        return 0 if left is None else left

    def _book(self, shape: PodShape, devices: tuple[int, ...], sign: int) -> None:
        self.cpu_milli -= sign * shape.cpu_milli
        self.memory_mib -= sign * shape.memory_mib
        for at in devices:
            self.gpu_milli[at] -= sign * shape.gpu_milli
            left = self.device_mib[at]
            if left is not None:
                self.device_mib[at] = left - sign * shape.gpu_memory_mib


def _words(devices: Iterable[int]) -> str:
    return "+".join(map(str, devices))
