"""A scheduler profile: which plugins score with which weight, and how candidates are sampled.

The defaults are those of Kubernetes 1.37.2. DynamicResources (weight 2) and VolumeBinding (1) score
only pods with claims and volumes; they are not modelled and have no weight here.
This module must not read configuration files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from simulations.kube.objects import CPU, HOSTNAME, MEMORY, ZONE, SpreadConstraint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulations.kube.labels import LabelSelector

__all__ = [
    "DEFAULT",
    "DEFAULT_WEIGHTS",
    "FILTERS",
    "SYSTEM_SPREAD",
    "Allocation",
    "Profile",
    "SpreadDefault",
]


class Allocation(Enum):
    """What NodeResourcesFit likes."""

    LEAST = "LeastAllocated"
    MOST = "MostAllocated"


DEFAULT_WEIGHTS: Mapping[str, int] = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}
"""Scoring plugins in the order in which the source lists them."""

FILTERS = (
    "NodeUnschedulable",
    "TaintToleration",
    "NodeAffinity",
    "NodeResourcesFit",
    "PodTopologySpread",
    "InterPodAffinity",
)
"""Filter plugins in the order in which they are asked; the first that refuses a node is told."""


@dataclass(frozen=True, slots=True)
class SpreadDefault:
    """A constraint of the profile, for pods that have none of their own."""

    topology_key: str
    max_skew: int
    hard: bool = False

    def over(self, selector: LabelSelector) -> SpreadConstraint:
        """The constraint for the pods that a selector means."""
        return SpreadConstraint(self.topology_key, self.max_skew, self.hard, selector)


SYSTEM_SPREAD = (SpreadDefault(HOSTNAME, 3), SpreadDefault(ZONE, 5))
"""What kube-scheduler spreads by unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile of a scheduler's configuration."""

    weights: Mapping[str, int] = field(default_factory=lambda: DEFAULT_WEIGHTS)
    """Plugins that are left out do not score."""
    filters: frozenset[str] = frozenset(FILTERS)
    percentage_of_nodes_to_score: int = 0
    """0 adapts to the cluster's size."""
    parallelism: int = 16
    allocation: Allocation = Allocation.LEAST
    fit_resources: tuple[tuple[str, int], ...] = ((CPU, 1), (MEMORY, 1))
    balanced_resources: tuple[str, ...] = (CPU, MEMORY)
    ignored_resources: frozenset[str] = frozenset()
    """Resources that an extender counts in the filter's stead (`ignoredByScheduler`)."""
    default_spread: tuple[SpreadDefault, ...] = SYSTEM_SPREAD
    system_default_spread: bool = True
    """Whether `default_spread` is the system's own, which works on nodes without a zone."""
    hard_pod_affinity_weight: int = 1
    ignore_preferred_terms_of_others: bool = False


DEFAULT = Profile()
"""kube-scheduler without a configuration."""
