"""Counters as rates: what was counted between two samples, also over a restart.

A counter that falls began anew, and what it shows was counted since then; Prometheus reads it the
same way. This module must not fill gaps: what was counted over a gap is its mean rate.
"""

from __future__ import annotations

import numpy as np

from autoscaler.history.marks import Noticed
from autoscaler.history.ordering import Track
from gpu_fleet.clock import NS_PER_S
from gpu_fleet.series import MarkKind

__all__ = ["rates_of"]


def rates_of(counter: Track) -> tuple[Track, Noticed]:
    """The rate a second up to each sample but the first, and the samples that follow a restart.

    A rate stands at the later of its two samples: earlier it was not known.
    """
    rise = np.diff(counter.values)
    fallen = np.flatnonzero(rise < 0)
    counted = np.where(rise < 0, counter.values[1:], rise)
    times_ns = counter.times_ns[1:]
    rates = counted / (np.diff(counter.times_ns) / NS_PER_S)

    def say(index: int) -> str:
        before, after = counter.values[fallen[index]], counter.values[fallen[index] + 1]
        return f"fell from {before:g} to {after:g}; counted from 0"

    return Track(times_ns, rates), Noticed(MarkKind.RESET, times_ns[fallen], say)
