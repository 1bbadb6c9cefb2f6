"""PodTopologySpread: pods that belong together are spread over hosts, zones or other labels.

A hard constraint refuses nodes that would lean too far; a soft one costs points for every pod that
is there already. Pods without constraints of their own are spread by the profile's, over what
their Services and their controller select. This module must not know which plugin runs first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulations.kube.go_math import go_log, go_round
from simulations.kube.labels import PodSet
from simulations.kube.objects import HOSTNAME
from simulations.kube.plugins import node_affinity
from simulations.kube.plugins.normalise import MAX_NODE_SCORE
from simulations.kube.plugins.taint_toleration import tolerated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.kube.cluster import KubeCluster
    from simulations.kube.objects import KubePod, SpreadConstraint
    from simulations.kube.profile import Profile

__all__ = ["constraints", "fits", "score"]

_NO_DOMAIN = np.iinfo(np.int32).max


def constraints(pod: KubePod, profile: Profile, *, hard: bool) -> tuple[SpreadConstraint, ...]:
    """The pod's own constraints of one kind, or the profile's where it has none of any kind."""
    if pod.spread:
        return tuple(each for each in pod.spread if each.hard is hard)
    if pod.default_spread is None or not pod.default_spread.lines:
        return ()
    return tuple(
        each.over(pod.default_spread) for each in profile.default_spread if each.hard is hard
    )


def fits(cluster: KubeCluster, pod: KubePod, profile: Profile) -> NDArray[np.bool_]:
    """Slots where no hard constraint would lean further than it may."""
    hard = constraints(pod, profile, hard=True)
    result = np.ones(cluster.capacity, np.bool_)
    if not hard:
        return result
    labelled = _with_all_labels(cluster, hard)
    for each in hard:
        result &= cluster.topology(each.topology_key).present
        result &= _skew(cluster, pod, profile, each, labelled) <= each.max_skew
    return result


def score(
    cluster: KubeCluster, pod: KubePod, at: NDArray[np.int64], profile: Profile
) -> NDArray[np.int64] | None:
    """100 for the emptiest place, less the more matching pods there are where a node is."""
    soft = constraints(pod, profile, hard=False)
    if not soft:
        return None
    # The system's own defaults also spread over hosts where nodes have no zone.
    needs_all = bool(pod.spread) or not profile.system_default_spread
    labelled = _with_all_labels(cluster, soft)
    scored = labelled[at] if needs_all else np.ones(len(at), np.bool_)
    raw = np.zeros(len(at))
    for each in soft:
        raw += _cost(cluster, pod, profile, each, at, scored, labelled if needs_all else None)
    return _normalised(go_round(raw), scored)


def _normalised(raw: NDArray[np.int64], scored: NDArray[np.bool_]) -> NDArray[np.int64]:
    result = np.zeros(len(raw), np.int64)
    costs = raw[scored]
    if not len(costs):
        return result
    most = int(costs.max())
    if most == 0:
        result[scored] = MAX_NODE_SCORE
    else:
        result[scored] = MAX_NODE_SCORE * (most + int(costs.min()) - costs) // most
    return result


def _cost(
    cluster: KubeCluster,
    pod: KubePod,
    profile: Profile,
    each: SpreadConstraint,
    at: NDArray[np.int64],
    scored: NDArray[np.bool_],
    labelled: NDArray[np.bool_] | None,
) -> NDArray[np.float64]:
    """Matching pods x log(domains + 2) + max skew - 1, for candidates that have the label."""
    topology = cluster.topology(each.topology_key)
    pods = _matching(cluster, pod, each)
    if each.topology_key == HOSTNAME:
        size = int(scored.sum())
        counts = pods[at]
    else:
        codes = topology.code[at]
        size = len(np.unique(codes[scored]))
        counted = pods * _included(cluster, pod, profile, each)
        if labelled is not None:
            counted = counted * labelled
        counts = _by_domain(topology.code, counted, topology.values)[codes]
    cost = counts * go_log(float(size + 2)) + float(each.max_skew - 1)
    return np.where(topology.present[at] & scored, cost, 0.0)


def _skew(
    cluster: KubeCluster,
    pod: KubePod,
    profile: Profile,
    each: SpreadConstraint,
    labelled: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """By slot: matching pods in its domain with this one, less those in the emptiest domain."""
    topology = cluster.topology(each.topology_key)
    eligible = labelled & _included(cluster, pod, profile, each)
    codes = topology.code
    counts = _by_domain(codes, _matching(cluster, pod, each) * eligible, topology.values)
    domains = np.unique(codes[eligible])
    least = int(counts[domains].min(initial=_NO_DOMAIN))
    if len(domains) < each.min_domains:
        least = 0
    itself = each.selector is not None and each.selector.matches(pod.labels)
    return np.asarray(counts[codes] + int(itself) - least)


def _matching(cluster: KubeCluster, pod: KubePod, each: SpreadConstraint) -> NDArray[np.int64]:
    """Pods of the same namespace that the selector means; an empty selector counts none."""
    if each.selector is None or not each.selector.lines:
        return np.zeros(cluster.capacity, np.int64)
    return cluster.count(PodSet(each.selector, frozenset({pod.namespace})))


def _included(
    cluster: KubeCluster, pod: KubePod, profile: Profile, each: SpreadConstraint
) -> NDArray[np.bool_]:
    """Slots whose pods count: the node inclusion policies, on nodes that are there."""
    result = cluster.kept("there", lambda: _there(cluster)).copy()
    if each.honor_affinity:
        result &= node_affinity.fits(cluster, pod, profile)
    if each.honor_taints:
        result &= tolerated(cluster, pod.tolerations)
    return result


def _there(cluster: KubeCluster) -> NDArray[np.bool_]:
    result = np.zeros(cluster.capacity, np.bool_)
    result[cluster.order()] = True
    return result


def _with_all_labels(
    cluster: KubeCluster, several: tuple[SpreadConstraint, ...]
) -> NDArray[np.bool_]:
    result = np.ones(cluster.capacity, np.bool_)
    for each in several:
        result &= cluster.topology(each.topology_key).present
    return result


def _by_domain(
    codes: NDArray[np.int64], counts: NDArray[np.int64], domains: int
) -> NDArray[np.int64]:
    """Sums by domain; the numbers are far below 2**53, so a float carries them exactly."""
    return np.bincount(codes, weights=counts, minlength=domains).astype(np.int64)
