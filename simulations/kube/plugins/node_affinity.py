"""NodeAffinity: the labels and names of nodes that a pod demands, and those that it would like.

Demands are the node selector and one of the required terms; likes add up by weight.
This module must not look at pods on nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulations.kube.plugins.normalise import by_maximum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.admission import SelectorTerm
    from simulations.kube.cluster import KubeCluster
    from simulations.kube.objects import KubeNode, KubePod
    from simulations.kube.profile import Profile

__all__ = ["fits", "named_nodes", "score"]

_NAME_FIELD = "metadata.name"


def fits(cluster: KubeCluster, pod: KubePod, _profile: Profile) -> NDArray[np.bool_]:
    """Slots that match the node selector and one of the required terms."""

    def compute() -> NDArray[np.bool_]:
        result = np.zeros(cluster.capacity, np.bool_)
        for slot, node in cluster.nodes():
            result[slot] = _is_wanted(node, pod)
        return result

    return cluster.kept(("node affinity", pod.node_selector, pod.node_terms), compute)


def named_nodes(pod: KubePod) -> frozenset[str] | None:
    """The only nodes that are looked at, where every required term says `metadata.name In`.

    An empty answer means that the terms contradict themselves; None that all nodes are looked at.
    """
    if not pod.node_terms:
        return None
    named: frozenset[str] = frozenset()
    for term in pod.node_terms:
        values = [
            frozenset(line.values)
            for line in term.fields
            if line.key == _NAME_FIELD and line.operator == "In"
        ]
        if not values:
            return None
        named |= frozenset.intersection(*values)
    return named


def score(
    cluster: KubeCluster, pod: KubePod, at: NDArray[np.int64], _profile: Profile
) -> NDArray[np.int64] | None:
    """The weights of the preferences that a node meets, the most of them becoming 100."""
    preferred = tuple(each for each in pod.preferred_nodes if each.weight)
    if not pod.preferred_nodes:
        return None

    def compute() -> NDArray[np.int64]:
        result = np.zeros(cluster.capacity, np.int64)
        for slot, node in cluster.nodes():
            result[slot] = sum(each.weight for each in preferred if _matches(each.term, node))
        return result

    return by_maximum(cluster.kept(("preferred nodes", preferred), compute)[at])


def _is_wanted(node: KubeNode, pod: KubePod) -> bool:
    if any(node.labels.get(key) != value for key, value in pod.node_selector):
        return False
    return pod.node_terms is None or any(_matches(term, node) for term in pod.node_terms)


def _matches(term: SelectorTerm, node: KubeNode) -> bool:
    """An empty term matches nothing."""
    if not term.labels and not term.fields:
        return False
    return all(line.holds(node.labels.get(line.key)) for line in term.labels) and all(
        line.key == _NAME_FIELD and line.holds(node.name) for line in term.fields
    )
