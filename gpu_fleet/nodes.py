"""Nodes and the devices in them, as frozen values.

A `Node` is what the API server says a machine is; what is taken from it lives in `ClusterView`.
This module must not know where nodes come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from gpu_fleet.readings import Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MAX_DEVICES",
    "MOST_CPU_MILLI",
    "MOST_MEMORY_MIB",
    "WHOLE_GPU_MILLI",
    "Device",
    "DeviceKind",
    "Node",
    "Taint",
]

MAX_DEVICES = 16
"""HGX and MI300 boards have 8 GPUs, the widest known nodes 16; arrays are this wide."""
WHOLE_GPU_MILLI = 1_000
"""One whole GPU, in thousandths: the unit in which the openb cluster shares its GPUs."""


MOST_CPU_MILLI = 10_000_000
"""10,000 cores; the widest server known has some 2,000 threads. More than that is a wrong unit."""
MOST_MEMORY_MIB = 1 << 30
"""1 PiB; the largest known servers hold 64 TiB."""


class DeviceKind(IntEnum):
    """How a device may be handed out; new kinds get new numbers."""

    WHOLE = 1
    SHARED = 2
    MIG = 3


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU, or one MIG instance, of a node."""

    gpu_milli: int = WHOLE_GPU_MILLI
    """What it offers, in thousandths of a GPU."""
    memory_mib: int | Missing = Missing("not stated")
    kind: DeviceKind = DeviceKind.SHARED
    healthy: bool = True


@dataclass(frozen=True, slots=True)
class Taint:
    """A reason for pods to stay away; only NoSchedule and NoExecute are requirements."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


@dataclass(frozen=True, slots=True)
class Node:
    """A machine as it was bought: allocatable amounts, not free ones."""

    name: str
    cpu_milli: int
    memory_mib: int
    devices: tuple[Device, ...] = ()
    gpu_model: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    cordoned: bool = False

    def __post_init__(self) -> None:
        if len(self.devices) > MAX_DEVICES:
            raise InputError(
                f"node {self.name} has {len(self.devices)} GPUs",
                remedy=f"split it, the largest node known here has {MAX_DEVICES}",
                field="gpu",
            )
        for what, amount in (("cpu_milli", self.cpu_milli), ("memory_mib", self.memory_mib)):
            if amount < 0:
                raise InputError(
                    f"node {self.name} has {amount}", remedy="give an amount >= 0", field=what
                )
