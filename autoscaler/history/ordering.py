"""Samples in the order of time, each moment once: the first two repairs.

Whether a sample is out of order is decided among samples of its time and before, so that later ones
never change what was said of it. This module must not look at what the values are, beyond whether
there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.history.marks import Noticed
from gpu_fleet.series import MarkKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoscaler.history.samples import Samples

__all__ = ["Track", "each_moment_once", "in_time"]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Times that do not fall, and the value at each of them."""

    times_ns: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.times_ns)

    def kept(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Track:
        """Some of it."""
        return Track(self.times_ns[which], self.values[which])


def in_time(samples: Samples) -> tuple[Track, Noticed]:
    """Samples by time, and those which the source has before an earlier one."""
    order = np.argsort(samples.times_ns, kind="stable")
    track = Track(samples.times_ns[order], samples.values[order])
    early = np.flatnonzero(order[1:] < order[:-1]) + 1

    def say(index: int) -> str:
        if samples.places is None:
            return "sorted"
        after, before = (int(samples.places[order[early[index] - back]]) for back in (0, 1))
        return f"sorted: {samples.place_word} {after} is later than {before} below it"

    return track, Noticed(MarkKind.UNORDERED, track.times_ns[early], say)


def each_moment_once(track: Track) -> tuple[Track, Noticed]:
    """The last value of each moment, and the moments that had several samples.

    An absent value gives way to an earlier one of the same moment.
    """
    begins = np.flatnonzero(np.diff(track.times_ns, prepend=track.times_ns[0] - 1))
    ends = np.append(begins[1:], len(track))
    with_value = np.where(np.isfinite(track.values), np.arange(len(track)), -1)
    last = np.maximum.reduceat(with_value, begins)
    several = np.flatnonzero(ends - begins > 1)

    def say(index: int) -> str:
        count = int(ends[several[index]] - begins[several[index]])
        return f"{count} samples of one moment; the last one counts"

    noticed = Noticed(MarkKind.DUPLICATE, track.times_ns[begins[several]], say)
    return track.kept(np.where(last < 0, ends - 1, last)), noticed
