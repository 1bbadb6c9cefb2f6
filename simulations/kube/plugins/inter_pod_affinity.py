"""InterPodAffinity: pods that want each other near, or far, within one value of a node label.

Terms work both ways: those of the pod that comes, and those of pods that are there already.
Required terms refuse, preferred ones add and subtract, required affinity of others adds a little.
This module must not treat a hostname differently from any other label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulations.kube.plugins.normalise import MAX_NODE_SCORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.kube.cluster import KubeCluster
    from simulations.kube.objects import KubePod, PodTerm
    from simulations.kube.profile import Profile

__all__ = ["fits", "score"]


def fits(cluster: KubeCluster, pod: KubePod, _profile: Profile) -> NDArray[np.bool_]:
    """Slots that satisfy the pod's required terms and the anti-affinity of pods there."""
    result = _near_what_it_needs(cluster, pod)
    for term in pod.away_from_pods:
        result &= ~_reached(cluster, term, cluster.count(term.pods))
    for carried, pods in cluster.carried():
        if carried.weight == 0 and pods.any() and cluster.matches(pod, (carried.term.pods,)):
            result &= ~_reached(cluster, carried.term, pods)
    return result


def _near_what_it_needs(cluster: KubeCluster, pod: KubePod) -> NDArray[np.bool_]:
    """Every term needs a pod that matches *all* terms; the first of its kind needs none."""
    result = np.ones(cluster.capacity, np.bool_)
    if not pod.with_pods:
        return result
    query = tuple(term.pods for term in pod.with_pods)
    pods = cluster.count(*query)
    labelled = result.copy()
    known = False
    for term in pod.with_pods:
        topology = cluster.topology(term.topology_key)
        labelled &= topology.present
        known = known or bool(pods[topology.present].any())
        result &= _reached(cluster, term, pods)
    if not known and cluster.matches(pod, query):
        return labelled
    return result


def _reached(cluster: KubeCluster, term: PodTerm, pods: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Slots that share the term's label value with any of these pods."""
    return _sums(cluster, term, pods) > 0


def _sums(cluster: KubeCluster, term: PodTerm, pods: NDArray[np.int64]) -> NDArray[np.int64]:
    """By slot: how many of these pods share its value of the term's label."""
    topology = cluster.topology(term.topology_key)
    counted = pods * topology.present
    sums = np.bincount(topology.code, weights=counted, minlength=topology.values)
    return np.where(topology.present, sums.astype(np.int64)[topology.code], 0)


def score(
    cluster: KubeCluster, pod: KubePod, at: NDArray[np.int64], profile: Profile
) -> NDArray[np.int64] | None:
    """From 0 for the least liked candidate to 100 for the most liked one."""
    if profile.ignore_preferred_terms_of_others and not pod.preferred_pods:
        return None
    raw = np.zeros(cluster.capacity, np.int64)
    for own in pod.preferred_pods:
        raw += own.weight * _sums(cluster, own.term, cluster.count(own.term.pods))
    for carried, pods in cluster.carried():
        weight = carried.weight * (profile.hard_pod_affinity_weight if carried.required else 1)
        if weight and pods.any() and cluster.matches(pod, (carried.term.pods,)):
            raw += weight * _sums(cluster, carried.term, pods)
    liked = raw[at]
    least, span = int(liked.min()), int(liked.max()) - int(liked.min())
    if span == 0:
        return np.zeros(len(at), np.int64)
    return np.asarray(MAX_NODE_SCORE * ((liked - least) / span), np.int64)
