"""Pods as a shared GPU cluster sees them: mostly parts of a GPU or one, now and then eight.

Shares of classes, the sizes that pods ask for parts of a GPU in, CPU and memory beside them, the
daily wave and the spread of lifetimes are those of the cluster in Weng et al., Beware of
Fragmentation (USENIX ATC 2023); every pod is drawn. Creation times are a Poisson process with a
daily wave, given the number of pods; lifetimes are lognormal.
This module must not know any fleet: how full a fleet gets is the experiment's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import InputError
from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.pods import Pod, PodShape
from simulations.streams import Streams
from simulations.workload import TracedPod, Workload

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["POD_CLASSES", "Arrivals", "Lifetimes", "PodClass", "pods"]

_MIB_PER_GIB = 1_024
_MOST_PODS = 1_000_000


@dataclass(frozen=True, slots=True)
class PodClass:
    """Pods that ask for the same, and how many of ten thousand pods are of the class."""

    gpus: int
    gpu_milli: int
    cpu_milli: int
    memory_gib: int
    per_10_000: int

    @property
    def shape(self) -> PodShape:
        """What such a pod asks for."""
        return PodShape(
            cpu_milli=self.cpu_milli,
            memory_mib=self.memory_gib * _MIB_PER_GIB,
            gpu_count=self.gpus,
            gpu_milli=self.gpu_milli,
        )


_ONE = WHOLE_GPU_MILLI

POD_CLASSES = (
    # No GPU: 13.3 % of pods, 17.6 vCPU and 48 GiB on average.
    PodClass(0, 0, 8_000, 40, 230),
    PodClass(0, 0, 12_500, 56, 450),
    PodClass(0, 0, 16_000, 48, 290),
    PodClass(0, 0, 32_000, 48, 360),
    # Part of a GPU: 37.8 %, clustered at 0.81 (35 % of them), 0.47 (29 %), 0.32, 0.65 and 0.23;
    # 6 vCPU and 21 GiB on average, the 0.81 with little CPU.
    PodClass(1, 810, 3_200, 6, 1_320),
    PodClass(1, 470, 12_000, 46, 510),
    PodClass(1, 470, 8_000, 30, 450),
    PodClass(1, 470, 6_000, 6, 120),
    PodClass(1, 320, 4_000, 22, 270),
    PodClass(1, 320, 8_000, 30, 150),
    PodClass(1, 650, 12_000, 46, 310),
    PodClass(1, 230, 4_000, 30, 250),
    PodClass(1, 580, 4_000, 8, 180),
    PodClass(1, 160, 4_000, 16, 120),
    PodClass(1, 370, 4_200, 10, 100),
    # One whole GPU: 48.0 %, 11 vCPU and 41 GiB on average.
    PodClass(1, _ONE, 3_200, 6, 620),
    PodClass(1, _ONE, 8_000, 32, 800),
    PodClass(1, _ONE, 11_400, 48, 1_880),
    PodClass(1, _ONE, 12_000, 24, 560),
    PodClass(1, _ONE, 15_800, 64, 520),
    PodClass(1, _ONE, 18_800, 63, 310),
    PodClass(1, _ONE, 24_000, 90, 110),
    # Several GPUs: 0.9 %, most of them eight.
    PodClass(2, _ONE, 17_000, 80, 20),
    PodClass(4, _ONE, 38_000, 160, 18),
    PodClass(8, _ONE, 64_000, 256, 26),
    PodClass(8, _ONE, 88_000, 320, 26),
)
"""In thousandths of a GPU for each GPU asked for; `per_10_000` adds up to 10,000."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When pods come: a rate that swings once a day around its mean."""

    span_s: int = DAY_S
    swing: float = 0.55
    """The rate's peak is 1 + swing times its mean; published, the busiest hour has 3.6 times the
    arrivals of the quietest one."""
    peak_s: int = 22 * 3_600
    """Of the day, on the trace's own clock."""

    def times_s(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`count` times in order.

        Given their number, the points of a Poisson process are independent draws from its rate, so
        the inverse of the rate's distribution turns uniform draws into them.
        """
        grid_s = np.linspace(0, self.span_s, 1 + max(1, self.span_s // 60))
        angle = 2 * np.pi / DAY_S
        phase = np.sin(angle * (grid_s - self.peak_s)) + np.sin(angle * self.peak_s)
        expected = grid_s + self.swing / angle * phase
        drawn = np.sort(rng.random(count)) * expected[-1]
        return np.asarray(np.interp(drawn, expected, grid_s).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long pods stay: lognormal, so that few pods hold most of the GPU-time."""

    median_s: float = 600.0
    sigma: float = 2.3
    """Of the logarithm. With the median it gives a 99th percentile of 35 hours; published, medians
    are 438 to 633 s by class and 99th percentiles 8 to 46 hours."""
    most_s: int = 3 * DAY_S
    """The published tail reaches 145 days; a day's demo should not be ruled by one such pod."""

    def draw_s(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`count` lifetimes in whole seconds, at least one."""
        drawn = rng.lognormal(log(self.median_s), self.sigma, count)
        return np.clip(np.rint(drawn), 1, self.most_s).astype(np.int64)


def pods(
    count: int = 5_000,
    seed: int = 1,
    arrivals: Arrivals | None = None,
    lifetimes: Lifetimes | None = None,
) -> Workload:
    """`count` pods in order of creation; the same for the same arguments."""
    if not 1 <= count <= _MOST_PODS:
        raise InputError(f"{count} pods are not possible", remedy=f"give 1 to {_MOST_PODS}")
    streams = Streams(seed)
    weights = np.array([entry.per_10_000 for entry in POD_CLASSES], np.int64)
    ticket = streams.generator("pod-classes").integers(int(weights.sum()), size=count)
    chosen = np.searchsorted(np.cumsum(weights), ticket, side="right")
    created = (arrivals or Arrivals()).times_s(count, streams.generator("pod-arrivals"))
    stays = (lifetimes or Lifetimes()).draw_s(count, streams.generator("pod-lifetimes"))
    shapes = [entry.shape for entry in POD_CLASSES]
    return Workload(
        name=f"bundled-pods-{count}",
        pods=tuple(
            TracedPod(Pod(f"pod-{number:05d}", shapes[entry]), at, at + stay)
            for number, (entry, at, stay) in enumerate(
                zip(chosen.tolist(), created.tolist(), stays.tolist(), strict=True)
            )
        ),
        notes=("the pods are generated: shapes, daily wave and lifetimes as published",),
    )
