"""Good ways to fill one node, when each pod class has a worth.

A node is filled greedily with the pod that is worth most for the room it takes. What room costs
depends on what else is on the node, so many fillings are made at once, each with its own prices of
CPU, memory and GPU, and its own doubts about the worths. All amounts are whole and every filling
fits, device by device. This module must not decide how many nodes are filled in which way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.readings import Missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.capacity.market import Market

__all__ = ["Filler", "Filling"]

_MOST_DOUBT = 0.6
"""A worth is taken as 40 % to 160 % of itself in the last filling, as it is in the first."""
_TINY = 1e-9
"""Worth or room below this is nothing."""
_NEVER = 1 << 40


@dataclass(frozen=True, slots=True)
class Filling:
    """What is put on a node of an offering, in this order: pod class and devices."""

    offering: int
    pods: tuple[tuple[int, tuple[int, ...]], ...]

    def counts(self, classes: int) -> NDArray[np.float64]:
        """Pods of each class."""
        return np.bincount([pod for pod, _ in self.pods], minlength=classes).astype(np.float64)


class Filler:
    """Fills nodes of one offering."""

    def __init__(self, market: Market, offering: int) -> None:
        kind = market.offerings[offering]
        shapes = [entry.shape for entry in market.classes]
        self._offering = offering
        self._holds = market.fits[:, offering]
        self.most = np.array([entry.count for entry in market.classes], np.int64)
        self.cpu = np.array([shape.cpu_milli for shape in shapes], np.int64)
        self.memory = np.array([shape.memory_mib for shape in shapes], np.int64)
        self.gpus = np.array([shape.gpu_count for shape in shapes], np.int64)
        self.milli = np.array([s.gpu_milli if s.gpu_count else 0 for s in shapes], np.int64)
        self.device_mib = np.array([s.gpu_memory_mib for s in shapes], np.int64)
        self.free_cpu, self.free_memory = kind.cpu_milli, kind.memory_mib
        self.free_milli = np.array([d.gpu_milli for d in kind.devices], np.int64)
        memories = [d.memory_mib for d in kind.devices]
        self.free_mib = np.array([0 if isinstance(m, Missing) else m for m in memories], np.int64)

    def fill(
        self, worths: NDArray[np.float64], many: int, random: np.random.Generator
    ) -> list[Filling]:
        """So many fillings, the first by the worths as they are; some may be the same."""
        classes = np.flatnonzero(self._holds & (worths > _TINY))
        if len(classes) == 0:
            return []
        return _Batch(self, classes, worths[classes], many, random).run(self._offering)

    def room(self, classes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Shares of the node's CPU, memory and GPU that a pod of each class takes: 3 x classes."""
        gpu = max(1, int(self.free_milli.sum()))
        return np.array(
            (
                self.cpu[classes] / max(1, self.free_cpu),
                self.memory[classes] / max(1, self.free_memory),
                (self.gpus * self.milli)[classes] / gpu,
            )
        )


class _Batch:
    """Many nodes of one offering, filled side by side: row = node."""

    def __init__(
        self,
        filler: Filler,
        classes: NDArray[np.int64],
        worths: NDArray[np.float64],
        many: int,
        random: np.random.Generator,
    ) -> None:
        self.classes = classes
        self.cpu, self.memory = filler.cpu[classes], filler.memory[classes]
        self.gpus, self.milli = filler.gpus[classes], filler.milli[classes]
        self.device_mib, self.most = filler.device_mib[classes], filler.most[classes]
        self.free_cpu = np.full(many, filler.free_cpu)
        self.free_memory = np.full(many, filler.free_memory)
        self.free_milli = np.tile(filler.free_milli, (many, 1))
        self.free_mib = np.tile(filler.free_mib, (many, 1))
        self.taken = np.zeros((many, len(classes)), np.int64)
        self.pods: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in range(many)]
        prices = random.dirichlet((1.0, 1.0, 1.0), many)
        prices[0] = 1 / 3
        doubt = np.linspace(0, _MOST_DOUBT, many)[:, np.newaxis]
        believed = worths * random.uniform(1 - doubt, 1 + doubt, (many, len(classes)))
        self.density = believed / (prices @ filler.room(classes) + _TINY)

    def run(self, offering: int) -> list[Filling]:
        rows = np.arange(len(self.pods))
        while True:
            density = np.where(self._fits(), self.density, 0.0)
            best = density.argmax(axis=1)
            going = np.flatnonzero(density[rows, best] > 0)
            if len(going) == 0:
                return [Filling(offering, tuple(pods)) for pods in self.pods]
            for row in going.tolist():
                self._take(row, int(best[row]))

    def _fits(self) -> NDArray[np.bool_]:
        enough = (self.cpu <= self.free_cpu[:, np.newaxis]) & (self.taken < self.most)
        enough &= self.memory <= self.free_memory[:, np.newaxis]
        open_devices = (self.free_milli[:, :, np.newaxis] >= self.milli) & (
            self.free_mib[:, :, np.newaxis] >= self.device_mib
        )
        return np.asarray(enough & (open_devices.sum(axis=1) >= self.gpus))

    def _take(self, row: int, pod: int) -> None:
        devices = self._devices(row, pod)
        self.taken[row, pod] += 1
        self.free_cpu[row] -= self.cpu[pod]
        self.free_memory[row] -= self.memory[pod]
        for device in devices:
            self.free_milli[row, device] -= self.milli[pod]
            self.free_mib[row, device] -= self.device_mib[pod]
        self.pods[row].append((int(self.classes[pod]), devices))

    def _devices(self, row: int, pod: int) -> tuple[int, ...]:
        """The devices with the least that is enough; whole GPUs are all alike."""
        if self.gpus[pod] == 0:
            return ()
        free = self.free_milli[row]
        enough = (free >= self.milli[pod]) & (self.free_mib[row] >= self.device_mib[pod])
        order = np.argsort(np.where(enough, free, _NEVER), kind="stable")
        return tuple(sorted(order[: self.gpus[pod]].tolist()))
