"""What usually arrives: pod classes with how often each comes and how long it stays.

Fragmentation has no meaning without it: a free tenth of a GPU is worth something only where pods
ask for tenths. The mix is an input (given by a file, learned from the latest arrivals, later a
forecast). This module must not know which of these it was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gpu_fleet.nodes import WHOLE_GPU_MILLI

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpu_fleet.pods import PodShape

__all__ = ["DEFAULT_LIFETIME_S", "MixClass", "PodMix"]

DEFAULT_LIFETIME_S = 3_600
"""Expected lifetime where nobody states one; with one term in play it cancels out of the order."""
_EXACT = 1_000_000
"""Ratios are whole numbers of millionths."""


@dataclass(frozen=True, slots=True)
class MixClass:
    """Pods of one shape: how many were seen, and how long one is expected to stay."""

    shape: PodShape
    count: int
    lifetime_s: int | None = None
    """None: nobody knows, as where nothing ever departs."""

    @property
    def stay_s(self) -> int:
        """The expected lifetime, or the default where nobody knows."""
        return DEFAULT_LIFETIME_S if self.lifetime_s is None else self.lifetime_s

    @property
    def pod_seconds(self) -> int:
        """What a class weighs where pods come and go: arrivals times how long each stays.

        Little's law: of what arrives often and leaves at once, few are there at any time.
        """
        return self.count * self.stay_s

    @property
    def gpu_milli_seconds(self) -> int:
        """The GPU-time that a class asks for."""
        return self.pod_seconds * self.shape.total_gpu_milli


@dataclass(frozen=True, slots=True)
class PodMix:
    """Classes, the most frequent first; equal counts in order of first appearance."""

    classes: tuple[MixClass, ...] = ()

    @classmethod
    def of(
        cls, shapes: Iterable[PodShape], lifetimes_s: dict[PodShape, int] | None = None
    ) -> PodMix:
        """The mix of these pods."""
        known = lifetimes_s or {}
        return cls(
            tuple(
                MixClass(shape, count, known.get(shape))
                for shape, count in Counter(shapes).most_common()
            )
        )

    def without_memory(self) -> PodMix:
        """The mix with memory left out, so that classes that differ in nothing else are one."""
        merged: dict[PodShape, int] = {}
        for entry in self.classes:
            shape = replace(entry.shape, memory_mib=0)
            merged[shape] = merged.get(shape, 0) + entry.count
        return PodMix(
            tuple(MixClass(s, n) for s, n in sorted(merged.items(), key=lambda item: -item[1]))
        )

    @property
    def total(self) -> int:
        """How many pods were seen."""
        return sum(entry.count for entry in self.classes)

    def typical(self, share_percent: int = 95) -> tuple[MixClass, ...]:
        """The most frequent classes that make up this share of all pods (FGD paper, 4.1)."""
        wanted = self.total * share_percent
        taken: list[MixClass] = []
        seen = 0
        for entry in self.classes:
            if seen * 100 >= wanted:
                break
            taken.append(entry)
            seen += entry.count
        return tuple(taken)

    def share_sizes(self) -> dict[int, int]:
        """Pod-seconds asked for by part of a GPU, the parts in thousandths."""
        sizes: Counter[int] = Counter()
        for entry in self.classes:
            if entry.shape.is_share:
                sizes[entry.shape.gpu_milli] += entry.pod_seconds
        return dict(sorted(sizes.items()))

    def lifetimes_s(self) -> dict[PodShape, int]:
        """Expected lifetime by shape, where it is known."""
        return {
            entry.shape: entry.lifetime_s for entry in self.classes if entry.lifetime_s is not None
        }

    def memory_per_gpu_mib(self) -> int:
        """MiB that the mix asks for with each GPU, CPU-only pods included; 0 without GPU."""
        gpu = sum(entry.gpu_milli_seconds for entry in self.classes)
        memory = sum(entry.pod_seconds * entry.shape.memory_mib for entry in self.classes)
        return memory * WHOLE_GPU_MILLI // gpu if gpu else 0

    def cpu_per_gpu_milli(self, parts: int) -> tuple[int, ...]:
        """Milli-CPU beside each GPU: the mean of each of `parts` equal shares of the GPU-time.

        The shares are cut by what pods ask for, least first, so that the mix's spread is kept. What
        CPU-only pods ask for is added in proportion. Empty where the mix asks for no GPU.
        """
        of_gpu_pods = [entry for entry in self.classes if entry.shape.total_gpu_milli]
        gpu = sum(entry.gpu_milli_seconds for entry in of_gpu_pods)
        cpu = sum(entry.pod_seconds * entry.shape.cpu_milli for entry in of_gpu_pods)
        if gpu == 0:
            return ()
        if cpu == 0:
            return (0,) * parts
        every_cpu = sum(entry.pod_seconds * entry.shape.cpu_milli for entry in self.classes)
        means = _means_of_equal_parts(
            sorted(
                (entry.shape.cpu_milli * _EXACT // entry.shape.total_gpu_milli, weight)
                for entry in of_gpu_pods
                if (weight := entry.gpu_milli_seconds)
            ),
            parts,
        )
        return tuple(mean * WHOLE_GPU_MILLI * every_cpu // (cpu * _EXACT) for mean in means)


def _means_of_equal_parts(values: list[tuple[int, int]], parts: int) -> list[int]:
    """Means of the sorted (value, weight) pairs, cut into parts of equal weight; whole numbers."""
    whole = sum(weight for _, weight in values)
    means: list[int] = []
    filled = total = 0
    for value, weight in values:
        left = weight * parts  # in units of 1 / parts, so that every part weighs `whole` exactly
        while left:
            taken = min(left, whole - filled)
            total += value * taken
            filled += taken
            left -= taken
            if filled == whole:
                means.append(total // whole)
                filled = total = 0
    return means
