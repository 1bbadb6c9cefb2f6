"""FGD-S: fragmentation gradient descent that also sees GPUs without CPU beside them.

The strongest baseline we know how to build out of published parts: FGD's fragmentation F plus
`beta * max(0, gpu_free - cpu_free / c)`, where c is `CPU_SHARE_PERMILLE` of the vCPU that the mix
asks for with each GPU; the same int(100 * sigmoid), then nodes in use before empty ones, then the
host's order. It exists to be measured against, so it must not learn anything from `least-loss`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.compiled import kernel
from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.placement.fgd import Fgd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.pod_mix import PodMix

__all__ = ["FgdS", "fgd_s_totals"]

BETA = 1
CPU_SHARE_PERMILLE = 800
_NEVER_LIMITS = 1
"""A milli-CPU for each GPU: what a mix without GPUs makes of c."""


class FgdS(Fgd):
    """Prefers the node where fragmentation and GPU without CPU grow least; used before empty."""

    name = "fgd-s"

    def __init__(self, mix: PodMix, *, kernels: bool | None = None) -> None:
        super().__init__(mix, kernels=kernels)
        gpu = sum(entry.count * entry.shape.total_gpu_milli for entry in mix.classes)
        cpu = sum(entry.count * entry.shape.cpu_milli for entry in mix.classes)
        needs = cpu * WHOLE_GPU_MILLI // gpu if gpu else 0
        cpu_milli = needs * CPU_SHARE_PERMILLE // 1_000
        self._cpu_per_gpu_milli = max(_NEVER_LIMITS, cpu_milli)
        self._stranded_weight = BETA * int(self._weights.sum())

    def points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Twice FGD's points on the extended fragmentation, and one for a node in use."""
        in_use = view.tag_count[columns].any(axis=1)
        return np.asarray(2 * super().points(view, shape_id, columns) + in_use)

    def _fragmentation(
        self, free: NDArray[np.int64], cpu: NDArray[np.int64], allowed: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        kept = cpu * WHOLE_GPU_MILLI // self._cpu_per_gpu_milli
        without_cpu = np.maximum(0, free.sum(axis=1) - kept)
        broken = super()._fragmentation(free, cpu, allowed)
        return np.asarray(broken + self._stranded_weight * without_cpu)

    def _compiled_totals(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        classes = self._bind(view)
        shapes = view.shapes
        request = np.array(
            (
                shapes.cpu_milli[shape_id],
                shapes.memory_mib[shape_id],
                shapes.gpu_count[shape_id],
                shapes.gpu_milli[shape_id],
                shapes.gpu_memory_mib[shape_id],
                view.device_width,
                self._stranded_weight,
                self._cpu_per_gpu_milli,
            )
        )
        totals, devices = np.empty(len(columns), np.int64), np.zeros(len(columns), np.int64)
        fgd_s_totals.compiled(
            columns,
            request,
            view.refusals[shapes.admission_id[shape_id]],
            view.refusals,
            classes,
            self._weights,
            self._steps,
            view.cpu_free_milli,
            view.memory_free_mib,
            view.gpu_free_milli,
            view.gpu_memory_free_mib,
            view.tag_count,
            totals,
            devices,
        )
        return totals, devices


@kernel
def fgd_s_totals(  # noqa: C901, PLR0912, PLR0915 - a compiled loop is one story
    columns: NDArray[np.int64],
    request: NDArray[np.int64],
    refusals: NDArray[np.uint8],
    class_refusals: NDArray[np.uint8],
    classes: NDArray[np.int64],
    weights: NDArray[np.int64],
    steps: NDArray[np.int64],
    cpu_free: NDArray[np.int64],
    memory_free: NDArray[np.int64],
    gpu_free: NDArray[np.int64],
    gpu_memory_free: NDArray[np.int64],
    tag_count: NDArray[np.int64],
    out: NDArray[np.int64],
    device_out: NDArray[np.int64],
) -> None:
    """Totals of `FgdS`, as `fgd_totals` has them for `Fgd`."""
    cpu, memory, count, milli, device_memory, width, stranded_weight, cpu_per_gpu = request
    for index in range(len(columns)):
        at = columns[index]
        out[index] = INFEASIBLE
        if refusals[at] != 0 or cpu_free[at] < cpu or memory_free[at] < memory:
            continue
        open_count = 0
        total = 0
        for device in range(width):
            total += gpu_free[at, device]
            if gpu_free[at, device] >= milli and (
                device_memory == 0 or gpu_memory_free[at, device] >= device_memory
            ):
                open_count += 1
        if open_count < count:
            continue
        best = -1
        last_free = -1
        share = count == 1 and milli < 1000
        before = 0
        # One pass says what fragmentation is before; then one for each choice of device.
        for choice in range(-1, width if share else 1):
            if choice >= 0 and share:
                free = gpu_free[at, choice]
                if free < milli or free == last_free:
                    continue
                if device_memory > 0 and gpu_memory_free[at, choice] < device_memory:
                    continue
                last_free = free
            cpu_left = cpu_free[at] if choice < 0 else cpu_free[at] - cpu
            total_left = total if choice < 0 else total - count * milli
            fragmentation = stranded_weight * max(0, total_left - cpu_left * 1000 // cpu_per_gpu)
            for c in range(len(weights)):
                need = classes[2, c]
                if (
                    classes[1, c] == 0
                    or cpu_left < classes[0, c]
                    or class_refusals[classes[3, c], at] != 0
                ):
                    fragmentation += weights[c] * total_left
                    continue
                enough = 0
                too_small = 0
                opened = 0
                for device in range(width):
                    free = gpu_free[at, device]
                    if choice >= 0:
                        if share:
                            if device == choice:
                                free -= milli
                        elif (
                            opened < count
                            and free >= milli
                            and (device_memory == 0 or gpu_memory_free[at, device] >= device_memory)
                        ):
                            free -= milli
                            opened += 1
                    if free >= need:
                        enough += 1
                    else:
                        too_small += free
                fragmentation += weights[c] * (too_small if enough >= classes[1, c] else total_left)
            if choice < 0:
                before = fragmentation
                continue
            gain = before - fragmentation
            low, high = 0, len(steps)
            while low < high:
                middle = (low + high) // 2
                if steps[middle] <= gain:
                    low = middle + 1
                else:
                    high = middle
            if low > best:
                best = low
                device_out[index] = choice
        in_use = 0
        for tag in range(tag_count.shape[1]):
            if tag_count[at, tag] > 0:
                in_use = 1
        out[index] = -(2 * best + in_use)
