"""Samples as a source has them, and what a source is: the raw side of every series.

Nothing is judged here: samples may be unsorted, doubled or absent, and say where they came from, so
that a complaint can name the file and the line. This module must not repair or read anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gpu_fleet.errors import FleetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HistorySource", "Samples"]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What was measured of one thing, in the order in which it was found."""

    name: str
    times_ns: NDArray[np.int64]
    """Nanoseconds since 1970 UTC; where there are no dates, since day 0 of the source."""
    values: NDArray[np.float64]
    """Not-a-number where the source has a moment without a value."""
    unit: str = ""
    utc_offset_s: int = 0
    """Local time less UTC where the samples come from, as the first of them says."""
    source: str = ""
    """The file or query, as complaints name it."""
    column: str = ""
    """The column or series in it, as complaints name it."""
    places: NDArray[np.int64] | None = None
    """The line or row of each sample; None where a source has none."""
    place_word: str = "line"
    """What a place is."""
    notes: tuple[str, ...] = ()
    """What the source took for granted, in words for the person who reads the result."""

    def __post_init__(self) -> None:
        shapes = {self.times_ns.shape, self.values.shape}
        if self.places is not None:
            shapes.add(self.places.shape)
        if len(shapes) > 1 or self.times_ns.ndim != 1:
            raise FleetError(f"samples {self.name}: each needs one time, one value and one place")

    def __len__(self) -> int:
        return len(self.times_ns)

    def place(self, index: int) -> int | None:
        """The line or row of a sample, for a complaint about it."""
        return None if self.places is None else int(self.places[index])


class HistorySource(Protocol):
    """Anything that history can be read from: a file, a server."""

    def read(self) -> tuple[Samples, ...]:
        """All series that it has; an `InputError` that says what to do where it cannot."""
        ...
