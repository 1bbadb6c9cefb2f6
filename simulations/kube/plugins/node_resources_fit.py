"""NodeResourcesFit: what is asked for must be free, and the emptiest (or the fullest) is best.

Filters look at real requests; scores count containers that asked for nothing with defaults, so a
node full of such pods does not look empty. Integer division at each step, as in the source.
This module must not know which pods are on a node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulations.kube.objects import CPU, MEMORY
from simulations.kube.plugins.normalise import MAX_NODE_SCORE
from simulations.kube.profile import Allocation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.kube.cluster import KubeCluster
    from simulations.kube.objects import KubePod
    from simulations.kube.profile import Profile

__all__ = ["fits", "score"]


def fits(cluster: KubeCluster, pod: KubePod, profile: Profile) -> NDArray[np.bool_]:
    """Slots with room for one more pod and for everything that it asks for."""
    result = cluster.room_for_pods()
    for resource, amount in pod.requests.items():
        if amount > 0 and resource not in profile.ignored_resources:
            result &= amount <= cluster.offered(resource) - cluster.taken(resource)
    return result


def score(
    cluster: KubeCluster, pod: KubePod, at: NDArray[np.int64], profile: Profile
) -> NDArray[np.int64]:
    """The weighted mean over resources of the share that is left, or that is used, afterwards."""
    points = np.zeros(len(at), np.int64)
    weights = np.zeros(len(at), np.int64)
    for resource, weight in profile.fit_resources:
        asked = _asked(pod, resource)
        if asked == 0 and resource not in (CPU, MEMORY):
            continue
        offered = cluster.offered(resource)[at]
        wanted = cluster.scored(resource)[at] + asked
        there = offered > 0
        points += np.where(there, _percent(wanted, offered, profile.allocation) * weight, 0)
        weights += np.where(there, weight, 0)
    return np.asarray(points // np.maximum(1, weights))


def _asked(pod: KubePod, resource: str) -> int:
    if resource == CPU:
        return pod.scored_cpu_milli
    return pod.scored_memory_bytes if resource == MEMORY else pod.requests.get(resource, 0)


def _percent(
    wanted: NDArray[np.int64], offered: NDArray[np.int64], allocation: Allocation
) -> NDArray[np.int64]:
    used = np.minimum(wanted, offered)
    part = used if allocation is Allocation.MOST else offered - used
    return np.asarray(part * MAX_NODE_SCORE // np.maximum(1, offered))
