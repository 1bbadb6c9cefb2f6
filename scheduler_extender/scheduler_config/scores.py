"""What an extender's score is up against: the in-tree score plugins of a profile, and sampling.

It follows how kube-scheduler 1.37.2 merges a profile with its defaults (default_plugins.go and
framework.go, which adds up weights) and picks how many nodes to look at (schedule_one.go). This
module must not know any extender but through its weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler_extender.scheduler_config.document import Plugin, PluginSet, Profile

__all__ = [
    "EXTENDER_STEPS",
    "KNOWN_PLUGINS",
    "SCORING",
    "nodes_looked_at",
    "score_weights",
    "weight_to_decide",
    "weight_to_outweigh",
]

SCORING: Mapping[str, int] = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "VolumeBinding": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "DynamicResources": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}
"""The plugins that score, with their default weights; VolumeBinding has none, which means 1."""

KNOWN_PLUGINS = frozenset(SCORING) | {
    "DefaultBinder",
    "DefaultPreemption",
    "DeferredPodScheduling",
    "GangScheduling",
    "NodeDeclaredFeatures",
    "NodeName",
    "NodePorts",
    "NodeUnschedulable",
    "NodeVolumeLimits",
    "PodGroupPodsCount",
    "PrioritySort",
    "SchedulingGates",
    "TopologyPlacementGenerator",
    "VolumeRestrictions",
    "VolumeZone",
}
"""Everything that upstream's kube-scheduler 1.37.2 can be told to run."""

EXTENDER_STEPS = 10
"""An extender answers 0 to 10, and one step is worth 10 x weight: a tenth of a plugin's range."""

_ALWAYS_LOOKED_AT = 100
_LEAST_PERCENT = 5


def score_weights(profile: Profile) -> dict[str, int]:
    """The plugins that score in a profile, each with its weight; one weight is worth 100 points."""
    shared, own = profile.plugins.multi_point, profile.plugins.score
    everywhere = _merged(SCORING, shared)
    off = {plugin.name for plugin in own.disabled}
    spread = {} if "*" in off else {n: w for n, w in everywhere.items() if n not in off}
    return spread | _named(own.enabled)


def _merged(defaults: Mapping[str, int], change: PluginSet) -> dict[str, int]:
    """The defaults as one PluginSet changes them; what it enables wins over what it disables."""
    off = {plugin.name for plugin in change.disabled}
    kept = {} if "*" in off else {n: w for n, w in defaults.items() if n not in off}
    return kept | _named(change.enabled)


def _named(plugins: Iterable[Plugin]) -> dict[str, int]:
    # A name outside the list is a plugin of somebody's own build: it scores if it has a weight.
    return {
        plugin.name: plugin.weight or 1
        for plugin in plugins
        if plugin.name in SCORING or (plugin.name not in KNOWN_PLUGINS and plugin.weight)
    }


def weight_to_decide(rivals: int) -> int:
    """The least weight at which our best beats our worst whatever all others say.

    `rivals` is the sum of the others' weights.
    """
    return rivals + 1


def weight_to_outweigh(rivals: int) -> int:
    """The least weight at which one rank of ours outweighs everything that all others say."""
    return EXTENDER_STEPS * rivals + 1


def nodes_looked_at(nodes: int, percent: int) -> int:
    """How many feasible nodes kube-scheduler collects before it stops looking; 0 % adapts."""
    if nodes < _ALWAYS_LOOKED_AT:
        return nodes
    adapted = percent or max(_LEAST_PERCENT, 50 - nodes // 125)
    return max(_ALWAYS_LOOKED_AT, nodes * adapted // 100)
