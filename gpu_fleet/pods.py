"""Pods, and the shapes that make thousands of pods look alike.

A `PodShape` is all that placement may look at; pods of one shape are interchangeable, and real
clusters have few (151 in 8,152 pods of openb), so scores are kept by shape (KEP-5598 calls it a
scheduling signature). This module must not know about time, queues or where pods come from.
"""

from __future__ import annotations

from dataclasses import dataclass

from gpu_fleet.admission import ANYWHERE, Admission
from gpu_fleet.errors import InputError
from gpu_fleet.nodes import MAX_DEVICES, WHOLE_GPU_MILLI

__all__ = ["Pod", "PodShape"]


@dataclass(frozen=True, slots=True)
class PodShape:
    """What a pod asks for: amounts, where it may go, and what it will work on.

    `gpu_milli` and `gpu_memory_mib` are for each of the `gpu_count` devices.
    """

    cpu_milli: int
    memory_mib: int
    gpu_count: int = 0
    gpu_milli: int = WHOLE_GPU_MILLI
    gpu_memory_mib: int = 0
    admission: Admission = ANYWHERE
    agent: str | None = None
    datasets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        limits = (
            ("cpu_milli", self.cpu_milli, 0, 2**40),
            ("memory_mib", self.memory_mib, 0, 2**40),
            ("gpu_count", self.gpu_count, 0, MAX_DEVICES),
            ("gpu_milli", self.gpu_milli, 0 if self.gpu_count == 0 else 1, WHOLE_GPU_MILLI),
            ("gpu_memory_mib", self.gpu_memory_mib, 0, 2**40),
        )
        for name, amount, least, most in limits:
            if not least <= amount <= most:
                raise InputError(
                    f"{amount} is not possible",
                    remedy=f"ask for {least} to {most}",
                    field=name,
                )

    @property
    def total_gpu_milli(self) -> int:
        """All the GPU it asks for, in thousandths."""
        return self.gpu_count * self.gpu_milli if self.gpu_count else 0

    @property
    def is_share(self) -> bool:
        """It asks for part of one GPU."""
        return self.gpu_count == 1 and self.gpu_milli < WHOLE_GPU_MILLI

    def describe(self) -> str:
        """One line for people."""
        gpus = {
            True: "no GPU",
            False: f"{self.gpu_count} x {self.gpu_milli / WHOLE_GPU_MILLI:g} GPU",
        }[self.gpu_count == 0]
        where = f" on {'|'.join(self.admission.gpu_models)}" if self.admission.gpu_models else ""
        return f"{gpus}{where}, {self.cpu_milli / 1000:g} CPU, {self.memory_mib / 1024:g} GiB"


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod by its unique name (`namespace/name` when it comes from a cluster)."""

    name: str
    shape: PodShape
    priority: int = 0
