"""What the answers about capacity say: rows, a verdict, what each offering's nodes are used for.

This module must not search, print or draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.nodes import WHOLE_GPU_MILLI

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpu_fleet.pods import PodShape
    from gpu_fleet.pools import Offering
    from simulations.capacity.fit import Fit
    from simulations.capacity.size import PlannedNode, Size

__all__ = [
    "Usage",
    "fit_row",
    "fit_verdict",
    "gap_percent",
    "policy_remark",
    "size_row",
    "size_verdict",
    "usage",
]

_OPTIMAL_PERCENT = 1e-4
"""A gap below it is the solver's rounding."""


# -- fit -----------------------------------------------------------------------------------------


def fit_row(policy: str, shape: PodShape, fit: Fit) -> dict[str, object]:
    """The row that stays stable; see docs/reference/formats.md."""
    return {
        "policy": policy,
        "shape": shape.describe(),
        "pods": fit.pods,
        "stops_by_reason": fit.stops_by_reason,
        "only_reason": {only.refusal.phrase: only.nodes for only in fit.only_things},
        "also_placed": fit.also_placed,
        "also_unplaced": fit.also_unplaced,
    }


def fit_verdict(shape: PodShape, fit: Fit) -> str:
    """The answer in a sentence or two."""
    many = {0: "No pod", 1: "1 more pod"}.get(fit.pods, f"{fit.pods:,} more pods")
    fits = "fits" if fit.pods <= 1 else "fit"
    answer = f"{many} of this shape ({shape.describe()}) {fits}."
    if not fit.only_things:
        return f"{answer} On every node several things stop the next one."
    only = str(fit.only_things[0])
    return f"{answer} {only[:1].upper()}{only[1:]}."


# -- size ----------------------------------------------------------------------------------------


def size_row(policy: str, size: Size) -> dict[str, object]:
    """The row that stays stable; see docs/reference/formats.md."""
    return {
        "policy": policy,
        "offerings": size.counts,
        "cost_per_hour": size.cost_per_hour,
        "lower_bound_cost_per_hour": size.lower_bound_cost_per_hour,
        "policy_offerings": size.policy_counts,
        "policy_cost_per_hour": size.policy_cost_per_hour,
        "search_ended": size.ended,
    }


def size_verdict(pods: int, size: Size) -> str:
    """The answer, and how good it is."""
    nodes = len(size.plan)
    gap = gap_percent(size)
    proof = (
        "no set can cost less"
        if gap < _OPTIMAL_PERCENT
        else f"no set can cost less than {size.lower_bound_cost_per_hour:,.2f}, "
        f"so at most {_percent(gap)} % could be saved"
    )
    return (
        f"{nodes:,} {'node' if nodes == 1 else 'nodes'} hold all {pods:,} pods for "
        f"{size.cost_per_hour:,.2f} an hour; {proof}."
    )


def gap_percent(size: Size) -> float:
    """How much more the set costs than the bound, in percent of its own cost."""
    if size.cost_per_hour <= 0:
        return 0.0
    return 100 * (1 - size.lower_bound_cost_per_hour / size.cost_per_hour)


def policy_remark(policy: str, size: Size) -> str:
    """What it takes to fill the nodes like that."""
    if size.policy_cost_per_hour <= size.cost_per_hour:
        return f"{policy} fills them like that by itself, largest pods first."
    more = 100 * (size.policy_cost_per_hour / size.cost_per_hour - 1)
    return (
        f"That packing is made with all pods in view; {policy}, placing them one by one, largest "
        f"first, needs {size.policy_cost_per_hour:,.2f} ({_percent(more)} % more)."
    )


def _percent(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.1g}"  # noqa: PLR2004 - two places


@dataclass(frozen=True, slots=True)
class Usage:
    """How the nodes of one offering are filled, in percent of what they have."""

    offering: Offering
    nodes: int
    pods: int
    cpu_percent: float
    memory_percent: float
    gpu_percent: float | None
    """None where there is no GPU."""

    @property
    def cost_per_hour(self) -> float:
        """Of all these nodes."""
        return self.nodes * self.offering.cost_per_hour


def usage(size: Size) -> tuple[Usage, ...]:
    """By offering, the one that costs most in all first."""
    by_offering: dict[str, list[PlannedNode]] = {}
    for node in size.plan:
        by_offering.setdefault(node.offering.name, []).append(node)
    found = (_usage(nodes) for nodes in by_offering.values())
    return tuple(sorted(found, key=lambda used: -used.cost_per_hour))


def _usage(nodes: Sequence[PlannedNode]) -> Usage:
    offering, many = nodes[0].offering, len(nodes)
    shapes = [planned.pod.shape for node in nodes for planned in node.pods]
    gpus = len(offering.devices) * WHOLE_GPU_MILLI
    return Usage(
        offering=offering,
        nodes=many,
        pods=len(shapes),
        cpu_percent=_share(sum(s.cpu_milli for s in shapes), many * offering.cpu_milli),
        memory_percent=_share(sum(s.memory_mib for s in shapes), many * offering.memory_mib),
        gpu_percent=_share(sum(s.total_gpu_milli for s in shapes), many * gpus) if gpus else None,
    )


def _share(used: int, there_is: int) -> float:
    return 100 * used / there_is if there_is else 0.0
