"""TaintToleration and NodeUnschedulable: who keeps pods away, and who would rather not have them.

NoSchedule and NoExecute taints refuse pods that do not tolerate them, and so does a cordon;
PreferNoSchedule taints cost points, the most of them the most points.
This module must not look at anything but taints, tolerations and the cordon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import Taint
from simulations.kube.plugins.normalise import by_maximum

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gpu_fleet.admission import Toleration
    from simulations.kube.cluster import KubeCluster
    from simulations.kube.objects import KubePod
    from simulations.kube.profile import Profile

__all__ = ["fits", "is_open", "score", "tolerated"]

_REFUSING = frozenset({"NoSchedule", "NoExecute"})
_PREFERRING = "PreferNoSchedule"
_CORDON = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


def is_open(cluster: KubeCluster, pod: KubePod, _profile: Profile) -> NDArray[np.bool_]:
    """Slots that are not cordoned, unless the pod tolerates a cordon's taint."""

    def compute() -> NDArray[np.bool_]:
        if _tolerates(pod.tolerations, _CORDON):
            return np.ones(cluster.capacity, np.bool_)
        result = np.zeros(cluster.capacity, np.bool_)
        for slot, node in cluster.nodes():
            result[slot] = not node.unschedulable
        return result

    return cluster.kept(("cordon", pod.tolerations), compute)


def fits(cluster: KubeCluster, pod: KubePod, _profile: Profile) -> NDArray[np.bool_]:
    """Slots whose refusing taints are all tolerated."""
    return tolerated(cluster, pod.tolerations)


def tolerated(cluster: KubeCluster, tolerations: tuple[Toleration, ...]) -> NDArray[np.bool_]:
    """The same for tolerations alone: topology spread asks this too."""
    key = ("taints", tolerations)
    return cluster.kept(
        key, lambda: _by_taints(cluster, lambda taints: _unmet(taints, tolerations) == 0) > 0
    )


def score(
    cluster: KubeCluster, pod: KubePod, at: NDArray[np.int64], _profile: Profile
) -> NDArray[np.int64]:
    """100 for nodes without a PreferNoSchedule taint that the pod does not tolerate."""
    softly = tuple(each for each in pod.tolerations if each.effect in ("", _PREFERRING))
    unwelcome = cluster.kept(
        ("soft taints", softly),
        lambda: _by_taints(cluster, lambda taints: _disliked(taints, softly)),
    )
    return by_maximum(unwelcome[at], reverse=True)


def _unmet(taints: tuple[Taint, ...], tolerations: tuple[Toleration, ...]) -> int:
    return sum(each.effect in _REFUSING and not _tolerates(tolerations, each) for each in taints)


def _disliked(taints: tuple[Taint, ...], tolerations: tuple[Toleration, ...]) -> int:
    return sum(each.effect == _PREFERRING and not _tolerates(tolerations, each) for each in taints)


def _tolerates(tolerations: tuple[Toleration, ...], taint: Taint) -> bool:
    return any(each.tolerates(taint) for each in tolerations)


def _by_taints(
    cluster: KubeCluster, answer: Callable[[tuple[Taint, ...]], int]
) -> NDArray[np.int64]:
    """One answer for each set of taints: fleets have few of them and many nodes."""
    known: dict[tuple[Taint, ...], int] = {}
    result = np.zeros(cluster.capacity, np.int64)
    for slot, node in cluster.nodes():
        if node.taints not in known:
            known[node.taints] = int(answer(node.taints))
        result[slot] = known[node.taints]
    return result
