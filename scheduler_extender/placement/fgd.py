"""`fgd`: fragmentation gradient descent (Weng et al., Beware of Fragmentation, USENIX ATC 2023).

The fragmentation of a node is the free GPU that the next typical pod could not use, averaged over
typical pods; a pod goes where fragmentation grows least. The published score,
int(100 * sigmoid(decrease of fragmentation in GPUs)), is a threshold table here, so that whole
numbers decide and every machine agrees. This module must not know about CPU that is stranded.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet import compiled
from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.refusals import Refusal
from scheduler_extender.placement.feasibility import open_devices
from scheduler_extender.placement.kernels import fgd_totals
from scheduler_extender.placement.policy import Baseline, first_free_devices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.pod_mix import PodMix

__all__ = ["Fgd"]

_POINTS = 100


class Fgd(Baseline):
    """Prefers the node, and in it the device, where fragmentation grows least."""

    name = "fgd"

    def __init__(self, mix: PodMix, *, kernels: bool | None = None) -> None:
        # The study groups pods by CPU, GPUs and model, not by memory (91 types on openb default).
        self._typical = mix.without_memory().typical()
        self._compiled = compiled.is_available() if kernels is None else kernels
        self._weights = np.array([entry.count for entry in self._typical], np.int64)
        self._steps = _thresholds(int(self._weights.sum()) * WHOLE_GPU_MILLI)
        self._classes: NDArray[np.int64] = np.zeros((4, 0), np.int64)
        self._bound: ClusterView | None = None

    def points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The published score, of the best device for a pod that asks for part of a GPU."""
        return np.asarray(self._device_points(view, shape_id, columns).max(axis=1))

    def totals(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `PlacementPolicy.totals`."""
        if not self._compiled:
            return super().totals(view, shape_id, columns)
        return self._compiled_totals(view, shape_id, columns)[0]

    def devices(
        self,
        view: ClusterView,
        shape_id: int,
        slot: int,
        draw: int,  # noqa: ARG002 - nothing is drawn here
    ) -> tuple[int, ...]:
        """The device with the most points for a part of a GPU, the first free for whole ones."""
        shape = view.shapes[shape_id]
        if not shape.is_share:
            return () if shape.gpu_count == 0 else first_free_devices(view, shape_id, slot)
        column = np.array([slot])
        if self._compiled:
            return (int(self._compiled_totals(view, shape_id, column)[1][0]),)
        return (int(np.argmax(self._device_points(view, shape_id, column)[0])),)

    def _compiled_totals(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Totals and best devices."""
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
            )
        )
        totals, devices = np.empty(len(columns), np.int64), np.zeros(len(columns), np.int64)
        fgd_totals.compiled(
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
            totals,
            devices,
        )
        return totals, devices

    def _bind(self, view: ClusterView) -> NDArray[np.int64]:
        """The typical classes as columns of this view: CPU, GPUs, milli, admission row."""
        if self._bound is not view:
            classes = [
                (s.cpu_milli, s.gpu_count, s.gpu_milli, view.admission_row(s.admission))
                for s in (entry.shape for entry in self._typical)
            ]
            self._classes = np.array(classes, np.int64).reshape(-1, 4).T.copy()
            self._bound = view
        return self._classes

    def _device_points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Points by (column, device); one device column when the choice of devices is given."""
        classes = self._bind(view)
        shape = view.shapes[shape_id]
        free = view.gpu_free_milli[columns, : view.device_width]
        cpu = view.cpu_free_milli[columns]
        allowed = view.refusals[classes[3]][:, columns] == Refusal.NONE
        before = self._fragmentation(free, cpu, allowed)
        left = cpu - shape.cpu_milli
        open_ = open_devices(view, shape_id, columns)
        if not shape.is_share:
            taken = open_ & (np.cumsum(open_, axis=1) <= shape.gpu_count)
            after_free = np.where(taken, free - shape.gpu_milli, free) if shape.gpu_count else free
            after = self._fragmentation(after_free, left, allowed)
            return self._score(before - after)[:, np.newaxis]
        points = np.full(free.shape, -1, np.int64)
        for device in range(free.shape[1]):
            after_free = free.copy()
            after_free[:, device] = np.maximum(0, after_free[:, device] - shape.gpu_milli)
            gain = self._score(before - self._fragmentation(after_free, left, allowed))
            points[:, device] = np.where(open_[:, device], gain, -1)
        return points

    def _fragmentation(
        self, free: NDArray[np.int64], cpu: NDArray[np.int64], allowed: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Weighted thousandths of a GPU that typical pods cannot use, for each column."""
        total = free.sum(axis=1)
        result = np.zeros(len(cpu), np.int64)
        for index, (need_cpu, count, milli, _) in enumerate(self._classes.T.tolist()):
            enough = free >= milli
            runs = (cpu >= need_cpu) & (enough.sum(axis=1) >= count) & allowed[index] & (count > 0)
            too_small = np.where(enough, 0, free).sum(axis=1)
            result += self._weights[index] * np.where(runs, too_small, total)
        return result

    def _score(self, decrease: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(self._steps, decrease, side="right"))


def _thresholds(one_gpu: int) -> NDArray[np.int64]:
    """Where int(100 * sigmoid(decrease / one GPU)) steps up: to 1, 2, .. 99 points."""
    logits = [math.log(p / (_POINTS - p)) for p in range(1, _POINTS)]
    return np.array([math.ceil(one_gpu * logit) for logit in logits], np.int64)
