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
        """How often each part of a GPU is asked for, by its size in thousandths."""
        sizes: Counter[int] = Counter()
        for entry in self.classes:
            if entry.shape.is_share:
                sizes[entry.shape.gpu_milli] += entry.count
        return dict(sorted(sizes.items()))

    def lifetimes_s(self) -> dict[PodShape, int]:
        """Expected lifetime by shape, where it is known."""
        return {
            entry.shape: entry.lifetime_s for entry in self.classes if entry.lifetime_s is not None
        }

    def per_gpu(self) -> tuple[int, int] | None:
        """(milli-CPU, MiB) that the mix asks for with each GPU, CPU-only pods included.

        None when the mix asks for no GPU at all.
        """
        gpu_milli = sum(c.count * c.shape.total_gpu_milli for c in self.classes)
        if gpu_milli == 0:
            return None
        cpu = sum(c.count * c.shape.cpu_milli for c in self.classes)
        memory = sum(c.count * c.shape.memory_mib for c in self.classes)
        return cpu * WHOLE_GPU_MILLI // gpu_milli, memory * WHOLE_GPU_MILLI // gpu_milli
