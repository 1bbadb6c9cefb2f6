"""What the played cloud rents out: instance types with GPU models, zones, spot, and their prices.

Prices follow one small recipe, so that a test can tell which machine is the cheapest without
looking at a file; they are nobody's list prices. Nothing here may start anything.

    python -m tests.cluster.karpenter.instance_types    the file that Karpenter reads
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpu_fleet.names import GPU_MEMORY_LABEL, GPU_MODEL_LABELS, GPU_RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "CAPACITY_TYPE_LABEL",
    "FOR_RENT",
    "INSTANCE_TYPE_LABEL",
    "ON_DEMAND",
    "SPOT",
    "ZONES",
    "ZONE_LABEL",
    "Gpus",
    "InstanceType",
    "file_of",
    "price_usd_h",
]

CAPACITY_TYPE_LABEL = "karpenter.sh/capacity-type"
INSTANCE_TYPE_LABEL = "node.kubernetes.io/instance-type"
ZONE_LABEL = "topology.kubernetes.io/zone"
ON_DEMAND = "on-demand"
SPOT = "spot"

CPU_USD_H = 0.04
MEMORY_GIB_USD_H = 0.005
ZONES: Mapping[str, float] = {"zone-a": 1.0, "zone-b": 1.01, "zone-c": 1.02}
"""And what each multiplies a price by: among equal prices the provider throws dice."""
SPOT_SHARE = 0.4
"""Of the price on demand."""


@dataclass(frozen=True, slots=True)
class Gpus:
    """The GPUs of a machine, all of one model."""

    model: str
    """As GPU feature discovery labels a node."""
    memory_mib: int
    """Of each."""
    usd_h: float
    """Of each."""
    devices: int = 1


@dataclass(frozen=True, slots=True)
class InstanceType:
    """One kind of machine; it is to be had in every zone, on demand and as spot."""

    name: str
    """`FAMILY.SIZE`: Karpenter labels a node with both."""
    cpus: int
    memory_gib: int
    gpus: Gpus | None = None


def _with_gpus(family: str, model: str, memory_mib: int, usd_h: float) -> list[InstanceType]:
    """One, four or eight of a model, and what belongs beside each of them."""
    return [
        InstanceType(f"{family}.{n}", 24 * n, 192 * n, Gpus(model, memory_mib, usd_h, n))
        for n in (1, 4, 8)
    ]


FOR_RENT: tuple[InstanceType, ...] = (
    *(InstanceType(f"plain.{cpus}", cpus, 4 * cpus) for cpus in (4, 16, 64)),
    *_with_gpus("l4", "NVIDIA-L4", 23_034, 0.3),
    *_with_gpus("l40s", "NVIDIA-L40S", 46_068, 0.9),
    *_with_gpus("a100", "NVIDIA-A100-SXM4-80GB", 81_920, 1.9),
    *_with_gpus("h100", "NVIDIA-H100-80GB-HBM3", 81_559, 3.9),
    *_with_gpus("h200", "NVIDIA-H200", 143_771, 4.7),
)


def price_usd_h(machine: InstanceType, zone: str, capacity_type: str) -> float:
    """What an hour costs: the sum of its parts, a little more by zone, less as spot."""
    gpus = machine.gpus
    parts = machine.cpus * CPU_USD_H + machine.memory_gib * MEMORY_GIB_USD_H
    parts += gpus.devices * gpus.usd_h if gpus else 0
    return round(parts * ZONES[zone] * (SPOT_SHARE if capacity_type == SPOT else 1), 6)


def file_of(machines: Iterable[InstanceType]) -> str:
    """The file that the KWOK provider reads as it starts."""
    return json.dumps([_entry(machine) for machine in machines], indent=1)


def _entry(machine: InstanceType) -> dict[str, Any]:
    gpus = machine.gpus
    resources = {
        "cpu": str(machine.cpus),
        "memory": f"{machine.memory_gib}Gi",
        "ephemeral-storage": "1Ti",
        "pods": "110",
    }
    # The keys of an offering become labels that a pod may select by, known before a node exists.
    labels = {}
    if gpus:
        resources[GPU_RESOURCES[0]] = str(gpus.devices)
        labels = {GPU_MODEL_LABELS[0]: gpus.model, GPU_MEMORY_LABEL: str(gpus.memory_mib)}
    return {
        "name": machine.name,
        "architecture": "amd64",
        "operatingSystems": ["linux"],
        "resources": resources,
        "offerings": [
            {
                "Price": price_usd_h(machine, zone, capacity_type),
                "Available": True,
                "Requirements": [
                    {"key": key, "operator": "In", "values": [value]}
                    for key, value in {
                        CAPACITY_TYPE_LABEL: capacity_type,
                        ZONE_LABEL: zone,
                        **labels,
                    }.items()
                ],
            }
            for zone in ZONES
            for capacity_type in (ON_DEMAND, SPOT)
        ],
    }


if __name__ == "__main__":
    sys.stdout.write(file_of(FOR_RENT) + "\n")
