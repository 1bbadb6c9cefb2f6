"""NodeResourcesBalancedAllocation: prefers nodes whose CPU and memory fill up evenly.

Since 1.37 the score tells how much more or less even a node becomes: 75 is no change, 100 the most
even, 50 the most uneven. It looks at real requests, and not at pods that ask for nothing.
This module must not count defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulations.kube.objects import CPU, MEMORY
from simulations.kube.plugins.normalise import MAX_NODE_SCORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.kube.cluster import KubeCluster
    from simulations.kube.objects import KubePod
    from simulations.kube.profile import Profile

__all__ = ["score"]

_HALF = MAX_NODE_SCORE // 2
_PAIR = 2


def score(
    cluster: KubeCluster, pod: KubePod, at: NDArray[np.int64], profile: Profile
) -> NDArray[np.int64] | None:
    """50 + (50 + evenness after - evenness before) / 2."""
    asked = {name: pod.requests.get(name, 0) for name in profile.balanced_resources}
    if not any(asked.values()):
        return None
    looked_at = [name for name in asked if asked[name] or name in (CPU, MEMORY)]
    offered = [cluster.offered(name)[at] for name in looked_at]
    before = [cluster.taken(name)[at] for name in looked_at]
    after = [taken + asked[name] for taken, name in zip(before, looked_at, strict=True)]
    return np.asarray(_HALF + (_HALF + _evenness(after, offered) - _evenness(before, offered)) // 2)


def _evenness(
    taken: list[NDArray[np.int64]], offered: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """100 x (1 - standard deviation of the shares in use), over resources that a node has."""
    nodes = len(offered[0])
    there = np.array([amount > 0 for amount in offered]).reshape(len(offered), nodes)
    share = np.array(
        [
            np.minimum(used / np.maximum(1, amount), 1.0)
            for used, amount in zip(taken, offered, strict=True)
        ]
    ).reshape(len(offered), nodes)
    number = there.sum(axis=0)
    spread = _spread_of_many(share, there, number)
    for first in range(len(share)):
        for second in range(first + 1, len(share)):
            pair = (number == _PAIR) & there[first] & there[second]
            spread = np.where(pair, np.abs((share[first] - share[second]) / 2), spread)
    return np.asarray((1 - spread) * MAX_NODE_SCORE, np.int64)


def _spread_of_many(
    share: NDArray[np.float64], there: NDArray[np.bool_], number: NDArray[np.int64]
) -> NDArray[np.float64]:
    """For three resources and more; the sums run in the order of the resources."""
    many = number > _PAIR
    if not many.any():
        return np.zeros(len(number))
    total, squares = np.zeros(len(number)), np.zeros(len(number))
    for row, is_there in zip(share, there, strict=True):
        total = np.where(is_there, total + row, total)
    mean = total / np.maximum(1, number)
    for row, is_there in zip(share, there, strict=True):
        squares = np.where(is_there, squares + (row - mean) * (row - mean), squares)
    return np.where(many, np.sqrt(squares / np.maximum(1, number)), 0.0)
