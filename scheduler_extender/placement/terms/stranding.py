"""Capacity that nothing can use: GPUs in pieces, and GPUs without CPU or memory beside them.

A node's useful room is what its free GPU parts are worth for the mix (`hole_value`), less the GPU
that has no CPU or memory left to go with it. A pod strands the room it destroys beyond what it
uses itself, for as long as it stays. The design and its worked examples: docs/design/002.
This module must not know which pods wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.scores import MICRO
from scheduler_extender.placement.hole_value import hole_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.device_choice import DeviceChoice
    from scheduler_extender.placement.pod_mix import PodMix
    from scheduler_extender.placement.terms.expectations import Expectations

__all__ = [
    "RATE_BITS",
    "RoomTable",
    "Stranding",
    "StrandingSettings",
    "own_cpu_rates",
    "useful_room",
]

RATE_BITS = 20
"""Rates are fixed-point numbers with this many binary places: exact, and the same everywhere."""
_MICRO_PER_MILLI = MICRO // WHOLE_GPU_MILLI


CPU_PARTS = 8
"""Equal parts of the mix's GPU-time, cut by the CPU that pods want beside a GPU."""


@dataclass(frozen=True, slots=True)
class StrandingSettings:
    """How much CPU and memory a free GPU needs beside it to count as useful.

    Chosen on openb default, gpuspec20 and gpushare40 with seeds 52..61; a CPU share of 0.65 to 1.0
    changes inflation by less than 0.06 points and the replay at 1.3 by less than 0.1.
    """

    cpu_share_permille: int = 750
    """Of the milli-CPU for each GPU, in each part of the mix. Below 1000, as the next pod to come
    may need less."""
    memory_share_permille: int = 600
    """Of the mix's MiB for each GPU."""


@dataclass(frozen=True)
class RoomTable:
    """The numbers by which free parts, CPU and memory become useful room, for one mix."""

    hole: NDArray[np.int64]
    """Micro-GPU by free thousandths, 0..1000."""
    per_cpu_milli: NDArray[np.int64]
    """For each part of the mix, micro-GPU that a free milli-CPU can keep useful, times
    2**RATE_BITS; 0 = CPU never limits such pods."""
    per_memory_mib: int
    """The same for a free MiB and the mix as a whole."""

    @classmethod
    def of(cls, mix: PodMix, settings: StrandingSettings) -> RoomTable:
        """The table for a mix. Solves a small linear program: below 0.5 s, once per mix."""
        cpu = mix.cpu_per_gpu_milli(CPU_PARTS)
        return cls(
            hole=hole_values(mix.share_sizes()),
            per_cpu_milli=np.array(
                [_rate(needed * settings.cpu_share_permille) for needed in cpu], np.int64
            ),
            per_memory_mib=_rate(mix.memory_per_gpu_mib() * settings.memory_share_permille),
        )


def _rate(needed_permille: int) -> int:
    """Micro-GPU per unit, fixed point, when a whole GPU needs this many thousandths of the unit."""
    return 0 if needed_permille == 0 else (MICRO * 1_000 << RATE_BITS) // needed_permille


def own_cpu_rates(view: ClusterView, columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Micro-GPU that a node has for each milli-CPU when it is empty, times 2**RATE_BITS."""
    cpu = view.cpu_total_milli.take(columns)
    gpu = view.device_count.take(columns) * MICRO << RATE_BITS
    return np.where(cpu > 0, gpu // np.maximum(cpu, 1), 0)


def useful_room(
    table: RoomTable,
    own_rates: NDArray[np.int64],
    holes: NDArray[np.int64],
    free_milli: NDArray[np.int64],
    cpu_milli: NDArray[np.int64],
    memory_mib: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Micro-GPU of a node that the mix can still use.

    `holes` is the summed worth of its free parts, `free_milli` their sum, both for each node. Each
    part of the mix says how much GPU it would find without CPU; the mean of that is not useful.
    No part counts more than the node itself has beside a GPU (`own_cpu_rates`): what it never had,
    nobody can strand.
    """
    free = free_milli * _MICRO_PER_MILLI
    room = holes.copy()
    if len(table.per_cpu_milli):
        without_cpu = np.zeros_like(free)
        for rate in table.per_cpu_milli[table.per_cpu_milli > 0]:
            kept = cpu_milli * np.maximum(rate, own_rates) >> RATE_BITS
            without_cpu += np.maximum(0, free - kept)
        room -= without_cpu // len(table.per_cpu_milli)
    if table.per_memory_mib:
        room -= np.maximum(0, free - (memory_mib * table.per_memory_mib >> RATE_BITS))
    return room


class Stranding:
    """The term: useful room before, less useful room after, less what the pod itself uses."""

    name = "stranding"

    def __init__(self, table: RoomTable, choice: DeviceChoice, expect: Expectations) -> None:
        self.table = table
        self.choice = choice
        self._expect = expect

    def applies(self, view: ClusterView, shape_id: int) -> bool:  # noqa: ARG002 - part of the seam
        """Every pod takes something, so every pod can strand something."""
        return True

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `ScoreTerm.losses`."""
        shape = view.shapes[shape_id]
        free = view.gpu_free_milli.take(columns, axis=0)[:, : view.device_width]
        holes = self.table.hole[free].sum(axis=1)
        free_milli = view.gpu_free_sum_milli.take(columns)
        cpu, memory = view.cpu_free_milli.take(columns), view.memory_free_mib.take(columns)
        own_rates = own_cpu_rates(view, columns)
        before = useful_room(self.table, own_rates, holes, free_milli, cpu, memory)
        after = useful_room(
            self.table,
            own_rates,
            holes + self.choice.worth_change(view, shape_id, columns),
            free_milli - shape.total_gpu_milli,
            cpu - shape.cpu_milli,
            memory - shape.memory_mib,
        )
        stranded = before - after - self.own_use(shape_id, view)
        return stranded * self._expect.lifetime_s(shape)

    def own_use(self, shape_id: int, view: ClusterView) -> int:
        """Micro-GPU that such a pod is worth: what it takes where it fits perfectly."""
        shape = view.shapes[shape_id]
        return shape.gpu_count * int(self.table.hole[shape.gpu_milli]) if shape.gpu_count else 0

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:  # noqa: ARG002
        """See `ScoreTerm.why`."""
        return "stranded"
