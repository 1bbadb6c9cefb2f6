"""Scores: what a policy says about nodes, as arrays, and about one node, as a value that explains.

Every total is a whole number and the lowest wins. For `least-loss` it is micro-GPU-seconds lost;
for a baseline it is the published score, negated. This module must not compute any score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.refusals import Refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["INFEASIBLE", "MICRO", "Score", "Scores", "TermLoss"]

INFEASIBLE = np.iinfo(np.int64).max
"""Total of a node that cannot take the pod: it loses to every other."""
MICRO = 1_000_000
"""Micro-GPU in a GPU; losses are counted in micro-GPU-seconds so that they stay whole numbers."""


@dataclass(frozen=True, slots=True)
class TermLoss:
    """One term of one node's score."""

    name: str
    loss: int
    why: str


@dataclass(frozen=True, slots=True)
class Score:
    """One node's score, taken apart. `str()` is what logs, reports and `/explain` print."""

    node: str
    refusal: Refusal
    total: int
    terms: tuple[TermLoss, ...]

    def __str__(self) -> str:
        if self.refusal is not Refusal.NONE:
            return f"{self.node}: refused, {self.refusal.phrase}"
        named = [f"{term.loss / MICRO:.0f} {term.why}" for term in self.terms if term.loss]
        return f"{self.node}: {self.total / MICRO:.0f} GPU-s: {', '.join(named) or 'nothing lost'}"


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of some columns for one shape: row k of `terms` belongs to `names[k]`."""

    columns: NDArray[np.int64]
    reasons: NDArray[np.uint8]
    """A `Refusal` for each column."""
    names: tuple[str, ...]
    terms: NDArray[np.int64]
    total: NDArray[np.int64]
    """`INFEASIBLE` where the reason is not `Refusal.NONE`."""

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """Which columns can take the pod."""
        return np.asarray(self.reasons == Refusal.NONE)
