"""Who is believed, and how much: the best naive forecaster, unless others have earned it.

Every candidate is judged by what it lost lately on this very series. A challenger has a part in the
answer only while it beats the best naive forecaster, and loses it as soon as it stops. Several that
do share it, whoever lost more having less: which of two good ones is better is mostly chance, and
their mean is steadier than either (exponentially weighted forecasts: Vovk, 1990).
This module must not know how a forecast was made, nor see an outcome before its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = ["SelectionSettings", "parts"]


@dataclass(frozen=True, slots=True)
class SelectionSettings:
    """Settings of `parts`."""

    least_independent: float = 15.0
    """Until so many outcomes that do not overlap could be known, nobody is proven, and a bound is
    at least as wide as every naive one: a day ahead, for the first two weeks."""
    unproven_margin: float = 0.2
    """Until then a challenger has to lose this share less than the best naive one; after that it
    is enough to lose less."""


_HOPELESS = 1e6
"""Having lost more than so many times as much as the best counts as this: ratios have no end."""


def parts(
    losses: Floats,
    able: Flags,
    naive: Flags,
    independent: Floats,
    remembered: Floats,
    settings: SelectionSettings,
) -> Floats:
    """The part of each candidate in the answer to each target and level, [m, k, l]; they add to 1.

    `losses` is what each lost lately, [m, k, l], infinite while unknown; `able` says who can answer
    now; `naive` who is a naive one, [m]. `independent` is how many outcomes of a target that do not
    overlap could be known by now, and `remembered` how many of them losses still tell of, [k].
    Without any evidence the first naive forecaster that can answer is believed.
    """
    losses = np.where(able, losses, np.inf)
    is_naive = naive[:, np.newaxis, np.newaxis]
    least = np.where(is_naive, losses, np.inf).min(axis=0)
    margin = np.where(independent < settings.least_independent, settings.unproven_margin, 0.0)
    beats = ~is_naive & np.isfinite(least) & (losses < (1.0 - margin)[:, np.newaxis] * least)
    weights = _weights(losses, beats, remembered)
    total = weights.sum(axis=0)
    shared: Floats = weights / np.where(total > 0, total, 1.0)
    answer: Floats = np.where(total > 0, shared, _best_naive(losses, able, is_naive))
    return answer


def _weights(losses: Floats, beats: Flags, remembered: Floats) -> Floats:
    """1 for the best, less for who lost a larger share more; 0 for who did not beat the naive ones.

    A difference weighs more the surer it is that it is no chance: how much two losses differ by
    chance shrinks with the root of how many outcomes they tell of.
    """
    best = np.where(beats, losses, np.inf).min(axis=0)
    with np.errstate(over="ignore"):
        more = np.divide(losses, best, out=np.ones_like(losses), where=beats & (best > 0))
    surer = np.sqrt(remembered)[:, np.newaxis]
    weights = np.exp(-surer * (np.minimum(more, _HOPELESS) - 1.0))
    return np.where(beats & ((best > 0) | (losses <= best)), weights, 0.0)


def _best_naive(losses: Floats, able: Flags, is_naive: Flags) -> Floats:
    """All of it to the naive one that lost least; before there is evidence, the first that can."""
    of_naive = np.where(is_naive, losses, np.inf)
    first = (able & is_naive).argmax(axis=0)
    best = np.where(np.isinf(of_naive.min(axis=0)), first, of_naive.argmin(axis=0))
    whole: Floats = (np.arange(len(losses))[:, np.newaxis, np.newaxis] == best).astype(np.float64)
    return whole
