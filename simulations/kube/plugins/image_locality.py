"""ImageLocality: prefers nodes that hold the pod's images already, if many nodes do.

An image counts by its size times the share of nodes that have it, so that the first node that
pulls an image does not attract everybody. This module must not know how fast an image is pulled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulations.kube.plugins.normalise import MAX_NODE_SCORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.kube.cluster import KubeCluster
    from simulations.kube.objects import KubePod
    from simulations.kube.profile import Profile

__all__ = ["score"]

_MIB = 1024 * 1024
_LEAST_BYTES = 23 * _MIB
_MOST_BYTES = 1000 * _MIB
"""For each container."""


def score(
    cluster: KubeCluster, pod: KubePod, at: NDArray[np.int64], _profile: Profile
) -> NDArray[np.int64] | None:
    """Where the weighted bytes lie between 23 MiB and 1000 MiB for each container, in percent."""
    if not pod.images:
        return None
    return cluster.kept(("images", pod.images), lambda: _of_all(cluster, pod.images))[at]


def _of_all(cluster: KubeCluster, images: tuple[str, ...]) -> NDArray[np.int64]:
    held = np.zeros(cluster.capacity, np.int64)
    for name in images:
        state = cluster.images.get(name)
        if state is None:
            continue
        share = len(state.holders) / len(cluster)
        held[sorted(state.holders)] += int(float(state.size_bytes) * share)
    most = _MOST_BYTES * len(images)
    clipped = np.clip(held, _LEAST_BYTES, most)
    return np.asarray(MAX_NODE_SCORE * (clipped - _LEAST_BYTES) // (most - _LEAST_BYTES))
