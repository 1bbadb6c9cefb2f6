"""An extender as the scheduler sees it: who is asked, what it keeps, what it adds to scores.

Replies come from a recording, from a policy at work in the simulator or from a test; the model
only knows the names and numbers. This module must not speak HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simulations.kube.objects import KubePod

__all__ = ["SCORE_FACTOR", "ExtenderEntry", "contribution"]

SCORE_FACTOR = 10
"""Scores of extenders go to 10 and those of plugins to 100."""


class ExtenderEntry(Protocol):
    """One entry of `extenders:` in a scheduler's configuration, with whoever answers."""

    @property
    def weight(self) -> int:
        """What its scores are multiplied with; 0 without a prioritizeVerb."""
        ...

    def is_interested(self, pod: KubePod) -> bool:
        """Whether it is asked about such a pod (`managedResources`)."""
        ...

    def keep(self, pod: KubePod, names: Sequence[str]) -> Sequence[str]:
        """The nodes that it leaves of these, in the order of its answer."""
        ...

    def prioritize(self, pod: KubePod, names: Sequence[str]) -> Mapping[str, int] | None:
        """Scores by node; None when it failed or has none to give, which the scheduler ignores."""
        ...


def contribution(
    replies: Sequence[tuple[int, Mapping[str, int]]], names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """What (weight, scores) replies add to each node, and which nodes any of them named."""
    added = np.zeros(len(names), np.int64)
    named = np.zeros(len(names), np.bool_)
    for weight, scores in replies:
        factor = weight * SCORE_FACTOR
        added += np.array([scores.get(name, 0) * factor for name in names], np.int64)
        named |= np.array([name in scores for name in names], np.bool_)
    return added, named
