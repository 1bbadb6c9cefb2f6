"""One scheduling cycle: from a pod and a cluster to a node, with everything that led there.

Filters, sampling, extenders, scores, the winner: in the order of schedule_one.go, as one function
of its arguments. The caller keeps the place in the node list where the next search starts, and
puts the pod on the node. This module must not change the cluster.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.draws import draw_below
from simulations.kube.extender_entry import contribution
from simulations.kube.plugins import (
    balanced_allocation,
    image_locality,
    inter_pod_affinity,
    node_affinity,
    node_resources_fit,
    pod_topology_spread,
    taint_toleration,
)
from simulations.kube.profile import DEFAULT, FILTERS
from simulations.kube.sampling import enough_nodes, scan
from simulations.kube.selection import best, heap_root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    from simulations.kube.cluster import KubeCluster
    from simulations.kube.extender_entry import ExtenderEntry
    from simulations.kube.objects import KubePod
    from simulations.kube.profile import Profile

    Fits: TypeAlias = Callable[[KubeCluster, KubePod, Profile], NDArray[np.bool_]]
    Scores: TypeAlias = Callable[
        [KubeCluster, KubePod, NDArray[np.int64], Profile], NDArray[np.int64] | None
    ]

__all__ = ["Cycle", "refusals", "schedule"]

_FITS: Mapping[str, Fits] = {
    "NodeUnschedulable": taint_toleration.is_open,
    "TaintToleration": taint_toleration.fits,
    "NodeAffinity": node_affinity.fits,
    "NodeResourcesFit": node_resources_fit.fits,
    "PodTopologySpread": pod_topology_spread.fits,
    "InterPodAffinity": inter_pod_affinity.fits,
}
_SCORES: Mapping[str, Scores] = {
    "TaintToleration": taint_toleration.score,
    "NodeAffinity": node_affinity.score,
    "NodeResourcesFit": node_resources_fit.score,
    "PodTopologySpread": pod_topology_spread.score,
    "InterPodAffinity": inter_pod_affinity.score,
    "NodeResourcesBalancedAllocation": balanced_allocation.score,
    "ImageLocality": image_locality.score,
}


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle did. Arrays run over `candidates`."""

    node: str | None
    """None: the pod fits nowhere now."""
    next_start: int
    """Where in the node list the next search starts."""
    candidates: tuple[str, ...]
    """Nodes that were found feasible and that no extender took away, in the order of the search."""
    scores: Mapping[str, NDArray[np.int64]]
    """By plugin with the profile's weight, and `extenders`; empty when nothing was scored."""
    totals: NDArray[np.int64]
    ties: tuple[str, ...]
    """The nodes with the highest total; the winner is one of them."""
    is_drawn: bool
    """Whether the winner came from a draw among several, so that another run may differ."""

    def table(self) -> str:
        """The scores as text, the best first, for a person who looks into a mismatch."""
        lines = ["  ".join(("node", *self.scores, "total"))]
        for place in np.argsort(-self.totals, kind="stable").tolist():
            parts = (str(int(column[place])) for column in self.scores.values())
            lines.append("  ".join((self.candidates[place], *parts, str(self.totals[place]))))
        return "\n".join(lines)


def schedule(
    cluster: KubeCluster,
    pod: KubePod,
    profile: Profile = DEFAULT,
    start: int = 0,
    extenders: Sequence[ExtenderEntry] = (),
    key: tuple[int, int] = (0, 0),
    also: NDArray[np.bool_] | None = None,
) -> Cycle:
    """One cycle for one pod. `key` is (seed, sequence) for the draw that an extender brings.

    `also` refuses further slots, for a host that counts what the scheduler cannot see.
    """
    places = _places(cluster, pod)
    order = cluster.order()[places]
    if not len(order):
        return _nowhere(start)
    feasible = _feasible(cluster, pod, profile)[order]
    if also is not None:
        feasible &= also[order]
    search = scan(
        feasible,
        start % len(order),
        enough_nodes(len(order), profile.percentage_of_nodes_to_score),
        profile.parallelism,
    )
    next_start = (start + search.processed) % len(cluster)
    found = order[search.found]
    interested = [each for each in extenders if each.is_interested(pod)]
    candidates = _after_extenders(cluster, pod, found, interested)
    if not len(candidates):
        return _nowhere(next_start)
    names = tuple(cluster.node(int(slot)).name for slot in candidates)
    if len(names) == 1:
        return Cycle(names[0], next_start, names, {}, np.zeros(1, np.int64), names, is_drawn=False)
    scores = _scores(cluster, pod, candidates, profile)
    replies = [(each.weight, each.prioritize(pod, names)) for each in interested]
    added, named = contribution([(w, r) for w, r in replies if r is not None], names)
    if interested:
        scores["extenders"] = added
    totals = np.sum([np.zeros(len(names), np.int64), *scores.values()], axis=0)
    return _won(names, next_start, scores, totals, named, key)


def refusals(cluster: KubeCluster, pod: KubePod, profile: Profile = DEFAULT) -> Counter[str]:
    """How many nodes each filter plugin refuses; a node counts with the first that does."""
    left = np.zeros(cluster.capacity, np.bool_)
    left[cluster.order()] = True
    counts: Counter[str] = Counter()
    for name in FILTERS:
        if name in profile.filters:
            allowed = _FITS[name](cluster, pod, profile)
            counts[name] += int((left & ~allowed).sum())
            left &= allowed
    return +counts


def _feasible(cluster: KubeCluster, pod: KubePod, profile: Profile) -> NDArray[np.bool_]:
    result = np.ones(cluster.capacity, np.bool_)
    for name in FILTERS:
        if name in profile.filters:
            result &= _FITS[name](cluster, pod, profile)
    return result


def _places(cluster: KubeCluster, pod: KubePod) -> NDArray[np.int64]:
    """Places in the node list that are looked at: all, unless the pod names its nodes."""
    named = node_affinity.named_nodes(pod)
    if named is None:
        return np.arange(len(cluster))
    slots = cluster.order().tolist()
    chosen = [place for place, slot in enumerate(slots) if cluster.node(slot).name in named]
    return np.array(chosen, np.int64)


def _after_extenders(
    cluster: KubeCluster,
    pod: KubePod,
    found: NDArray[np.int64],
    interested: Sequence[ExtenderEntry],
) -> NDArray[np.int64]:
    """Extenders are asked one after the other, each about what the one before it left."""
    for each in interested:
        if not len(found):
            break
        names = [cluster.node(int(slot)).name for slot in found]
        found = np.array([cluster.slot(name) for name in each.keep(pod, names)], np.int64)
    return found


def _scores(
    cluster: KubeCluster, pod: KubePod, candidates: NDArray[np.int64], profile: Profile
) -> dict[str, NDArray[np.int64]]:
    scores = {}
    for name, weight in profile.weights.items():
        points = _SCORES[name](cluster, pod, candidates, profile)
        if points is not None:
            scores[name] = points * weight
    return scores


def _won(
    names: tuple[str, ...],
    next_start: int,
    scores: Mapping[str, NDArray[np.int64]],
    totals: NDArray[np.int64],
    named: NDArray[np.bool_],
    key: tuple[int, int],
) -> Cycle:
    ties = best(totals)
    drawn = ties[named[ties]]
    return Cycle(
        node=names[_winner(ties, drawn, len(names), key)],
        next_start=next_start,
        candidates=names,
        scores=scores,
        totals=totals,
        ties=tuple(names[place] for place in ties),
        is_drawn=len(drawn) > 1,
    )


def _winner(
    ties: NDArray[np.int64], drawn: NDArray[np.int64], candidates: int, key: tuple[int, int]
) -> int:
    """A draw among the tied nodes that an extender named, or else the root of the heap."""
    if len(drawn):
        return int(drawn[draw_below(*key, len(drawn))])
    return heap_root(ties, candidates)


def _nowhere(next_start: int) -> Cycle:
    return Cycle(None, next_start, (), {}, np.zeros(0, np.int64), (), is_drawn=False)
