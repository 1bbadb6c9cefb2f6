"""Which forecaster is believed: the best naive one, unless another has earned it.

Every candidate is judged by what it lost lately on this very series. A challenger is used only
while it beats the best naive forecaster by a margin, and is demoted as soon as it stops; a change
of mind needs the same margin, so that two equals do not take turns.
This module must not know how a forecast was made, nor see an outcome before its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]
    Flags = NDArray[np.bool_]

__all__ = ["Selection", "SelectionSettings"]


@dataclass(frozen=True, slots=True)
class SelectionSettings:
    """Settings of `Selection`."""

    margin: float = 0.02
    """A challenger must lose this share less than the best naive one, and a change of mind must
    promise as much."""
    least_independent: float = 15.0
    """Until so many outcomes that do not overlap could be known, nobody is proven, and a bound is
    at least as wide as every naive one: a day ahead, for the first two weeks."""


class Selection:
    """Chooses for each target and level among candidates, step by step."""

    def __init__(
        self, naive: Flags, targets: int, levels: int, settings: SelectionSettings
    ) -> None:
        self._naive = naive[:, np.newaxis, np.newaxis]
        self._margin = settings.margin
        self._current = np.full((targets, levels), int(np.argmax(naive)), dtype=np.int64)

    def choose(self, losses: Floats, able: Flags) -> Indices:
        """The candidate for each target and level, [k, l].

        `losses` is what each lost lately, [m, k, l], infinite while unknown; `able` says who can
        answer now. Without any evidence the first naive forecaster that can answer is chosen.
        """
        losses = np.where(able, losses, np.inf)
        naive_losses = np.where(self._naive, losses, np.inf)
        naive: Indices = naive_losses.argmin(axis=0)
        best: Indices = losses.argmin(axis=0)
        of_naive, of_best = _of(naive_losses, naive), _of(losses, best)
        unproven = np.isinf(of_naive)
        naive = np.where(unproven, (able & self._naive).argmax(axis=0), naive)
        wanted: Indices = np.where(of_best < (1.0 - self._margin) * of_naive, best, naive)
        self._current = np.where(self._stays(losses, wanted, of_naive), self._current, wanted)
        return self._current.copy()

    def _stays(self, losses: Floats, wanted: Indices, of_naive: Floats) -> Flags:
        """Whether what is used now is nearly as good as what is wanted, and still earns its use."""
        of_current = _of(losses, self._current)
        earns = self._naive[self._current, 0, 0] | (of_current <= of_naive)
        near = of_current * (1.0 - self._margin) <= _of(losses, wanted)
        return np.asarray(np.isfinite(of_current) & earns & near)


def _of(losses: Floats, index: Indices) -> Floats:
    """The loss of one candidate for each target and level."""
    found: Floats = np.take_along_axis(losses, index[np.newaxis], axis=0)[0]
    return found
