"""When pods come and how long they stay: a trace's own times, or its pods at Poisson times.

The streams are keyed by the seed, so every policy sees the same arrivals.
This module must not place anything, and must not invent a pod: all are the trace's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import DAY_S, NS_PER_S
from gpu_fleet.errors import InputError
from simulations.streams import Streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.workload import Workload

__all__ = ["Arrivals", "PoissonArrivals", "TraceArrivals", "lifetimes_s"]


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Pods by time of arrival. `index` says which pod of the workload each one is."""

    index: NDArray[np.int64]
    at_ns: NDArray[np.int64]
    stays_ns: NDArray[np.int64]
    offered_load: float
    """GPU-time asked for over GPU-time there is, within the span of the arrivals."""

    @property
    def end_ns(self) -> int:
        """The last arrival: what comes after it is only emptying."""
        return int(self.at_ns[-1])


@dataclass(frozen=True, slots=True)
class TraceArrivals:
    """The trace's creation and deletion times.

    `scale` copies of each pod, moved by up to `jitter_s` when there is more than one;
    `speedup` divides the gaps between arrivals and keeps how long pods stay;
    `load`, if given, chooses the speedup that offers this load instead.
    """

    scale: int = 1
    speedup: float = 1.0
    load: float | None = None
    jitter_s: int = 2 * DAY_S
    skip_s: int = 0

    def draw(
        self, workload: Workload, gpu_milli: NDArray[np.int64], capacity_milli: int, seed: int
    ) -> Arrivals:
        """The arrivals of one replication."""
        created, stays = _times_s(workload)
        kept = np.flatnonzero(created - created.min() >= self.skip_s)
        if len(kept) == 0:
            raise InputError(
                "no pod is left",
                remedy="skip fewer days",
                field="--skip-days",
                file=workload.file or workload.name,
            )
        index = np.tile(kept, self.scale)
        at_s = created[index].astype(np.float64)
        if self.scale > 1:
            at_s += Streams(seed).generator("jitter").uniform(0, self.jitter_s, len(index))
        at_s -= at_s.min()
        span_s = max(1.0, float(at_s.max()))
        asked = float((gpu_milli[index] * stays[index]).sum())
        offered = asked / (capacity_milli * span_s)
        speedup = self.speedup
        if self.load is not None:
            if offered == 0:
                raise _no_gpu(workload)
            speedup = self.load / offered
        return _sorted(index, at_s / speedup, stays[index], offered * speedup)


@dataclass(frozen=True, slots=True)
class PoissonArrivals:
    """The trace's pods, each with its own lifetime, at Poisson times: a stationary load.

    The run begins with the pods that would be there already, each somewhere in its life.
    """

    load: float
    days: float = 4.0
    skip_s: int = 0

    def draw(
        self, workload: Workload, gpu_milli: NDArray[np.int64], capacity_milli: int, seed: int
    ) -> Arrivals:
        """The arrivals of one replication; those that are there from the start come at time 0."""
        created, stays = _times_s(workload)
        kept = np.flatnonzero(created - created.min() >= self.skip_s)
        work = gpu_milli[kept] * stays[kept]
        if len(kept) == 0 or work.sum() == 0:
            raise _no_gpu(workload)
        per_s = self.load * capacity_milli / float(work.mean())
        span_s = self.days * DAY_S
        arriving = Streams(seed).generator("poisson-arrivals")
        count = int(arriving.poisson(per_s * span_s))
        if count == 0:
            raise InputError(
                "nobody arrives within the days that are simulated",
                remedy="raise --days or --load",
                field="--days",
                file=workload.file or workload.name,
            )
        new = kept[arriving.integers(len(kept), size=count)]
        new_at_s = arriving.uniform(0, span_s, count)
        # Who is there at time 0 (M/G/infinity): as many as arrive in a mean lifetime, chosen in
        # proportion to their lifetimes, with a uniform part of it left.
        present = Streams(seed).generator("present-at-start")
        there = int(present.poisson(per_s * float(stays[kept].mean())))
        old = kept[present.choice(len(kept), size=there, p=stays[kept] / stays[kept].sum())]
        left = np.maximum(1, stays[old] * present.uniform(0, 1, there))
        return _sorted(
            np.concatenate((old, new)),
            np.concatenate((np.zeros(there), new_at_s)),
            np.concatenate((left, stays[new])),
            float((gpu_milli[new] * stays[new]).sum()) / (capacity_milli * span_s),
        )


def lifetimes_s(workload: Workload) -> NDArray[np.int64]:
    """How long each pod of the trace stays: deletion less creation, at least a second."""
    return _times_s(workload)[1]


def _times_s(workload: Workload) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if not workload.has_times:
        raise InputError(
            "the pods have no creation and deletion times",
            remedy="replay needs both columns; without them use simulate placement",
            file=workload.file or workload.name,
        )
    created = np.array([traced.created_s for traced in workload.pods], np.int64)
    ended = [traced.deleted_s for traced in workload.pods if traced.deleted_s is not None]
    last = max(*ended, int(created.max()))
    deleted = np.array(
        [last if traced.deleted_s is None else traced.deleted_s for traced in workload.pods],
        np.int64,
    )
    return created, np.maximum(1, deleted - created)


def _sorted(
    index: NDArray[np.int64],
    at_s: NDArray[np.float64],
    stays_s: NDArray[np.int64] | NDArray[np.float64],
    offered_load: float,
) -> Arrivals:
    at_ns = np.rint(at_s * NS_PER_S).astype(np.int64)
    order = np.lexsort((index, at_ns))
    return Arrivals(
        index=index[order],
        at_ns=at_ns[order],
        stays_ns=np.rint(np.asarray(stays_s, np.float64) * NS_PER_S).astype(np.int64)[order],
        offered_load=offered_load,
    )


def _no_gpu(workload: Workload) -> InputError:
    return InputError(
        "the pods ask for no GPU, so no load can be set",
        remedy="leave --load out, or give pods with GPUs",
        field="--load",
        file=workload.file or workload.name,
    )
