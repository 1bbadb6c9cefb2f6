"""The cheapest set of nodes that holds a workload, and how cheap any such set can be.

Two packings are made. The first lets the policy place the largest pods first on the nodes that the
relaxation suggests, and buys what is missing, as an autoscaler does: it tells what that policy
needs when it is left to itself. The second looks for better node fillings (`capacity_patterns`).
The cheaper one is the answer, checked by placing every pod again on an empty fleet. The bound says
how far from the cheapest possible it can be.
This module must not read files or a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.errors import InputError, InvariantBroken, Oversubscribed
from simulations.capacity.bound import BoundSettings, lower_bound
from simulations.capacity.market import Market, node_of
from simulations.capacity.packing import Packing, largest_first
from simulations.capacity.patterns import Patterns, PatternSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gpu_fleet.pods import Pod
    from gpu_fleet.pools import Offering
    from simulations.workload import Workload

__all__ = ["PlannedNode", "PlannedPod", "Size", "SizeSettings", "Sizing", "size"]

_ROUNDING = 1e-5
"""HiGHS keeps each limit to 1e-6 of a node, and a workload needs a few nodes of each offering."""


@dataclass(frozen=True, slots=True)
class SizeSettings:
    """How hard to try."""

    bound: BoundSettings = field(default_factory=BoundSettings)
    patterns: PatternSettings = field(default_factory=PatternSettings)


@dataclass(frozen=True, slots=True)
class Sizing:
    """A question: what to buy for this workload."""

    workload: Workload
    offerings: tuple[Offering, ...]
    policy: str = "least-loss"
    settings: SizeSettings = field(default_factory=SizeSettings)


@dataclass(frozen=True, slots=True)
class PlannedPod:
    """A pod's place on its node."""

    pod: Pod
    devices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A node to buy, and what it will hold."""

    name: str
    offering: Offering
    pods: tuple[PlannedPod, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """The answer. Costs are per hour, in the offerings' currency."""

    plan: tuple[PlannedNode, ...]
    """Proof that the set holds the workload: a place for every pod."""
    cost_per_hour: float
    lower_bound_cost_per_hour: float
    """No set that holds the workload costs less."""
    policy_counts: dict[str, int]
    """What the policy needs when it places the largest pods first and buys as it goes."""
    policy_cost_per_hour: float
    looked_at: int
    """Offerings that no other one beats at everything; the rest cannot be part of a better set."""
    ended: bool
    """Whether the search came to its end, or was stopped by its budget."""

    @property
    def counts(self) -> dict[str, int]:
        """Nodes by offering, those that are bought, in the order of the offerings' first use."""
        counts: dict[str, int] = {}
        for node in self.plan:
            counts[node.offering.name] = counts.get(node.offering.name, 0) + 1
        return counts


def size(sizing: Sizing, may_go_on: Callable[[], bool], step: Callable[[], None]) -> Size:
    """The answer; the search ends early when `may_go_on` turns False. `step` tells of progress."""
    pods = [traced.pod for traced in sizing.workload.pods]
    market = Market.of(sizing.offerings, [pod.shape for pod in pods])
    _check_homes(sizing, market)
    market = market.only(market.undominated())
    bound = lower_bound(market, sizing.settings.bound)
    step()
    by_policy = _by_policy(market, bound.counts, pods, sizing.policy)
    step()
    patterns = Patterns(market, pods, sizing.settings.patterns)
    patterns.learn(by_policy)
    ended = patterns.improve(may_go_on)
    step()
    packings = (by_policy, *patterns.packings(sizing.policy))
    best = min(packings, key=lambda packing: packing.cost_per_hour)
    plan = _plan(best, pods)
    _check_plan(plan, pods)
    step()
    return Size(
        plan=plan,
        cost_per_hour=best.cost_per_hour,
        lower_bound_cost_per_hour=_least(bound.cost_per_hour, best.cost_per_hour),
        policy_counts=_named(by_policy),
        policy_cost_per_hour=by_policy.cost_per_hour,
        looked_at=len(market.offerings),
        ended=ended,
    )


STEPS = 4
"""How often `size` calls `step`: bound, policy, fillings, check."""


def _by_policy(market: Market, counts: Sequence[int], pods: Sequence[Pod], policy: str) -> Packing:
    packing = Packing(market, policy)
    for offering, many in enumerate(counts):
        packing.buy(offering, many)
    packing.complete(largest_first(pods))
    return packing


def _check_homes(sizing: Sizing, market: Market) -> None:
    """Every pod must fit on an empty node of some offering."""
    homeless = market.homeless()
    if homeless is None:
        return
    shape, refusal = homeless
    workload = sizing.workload
    index = next(i for i, traced in enumerate(workload.pods) if traced.pod.shape == shape)
    raise InputError(
        f"no offering can hold pod {workload.pods[index].pod.name} ({shape.describe()}): "
        f"{refusal.phrase}",
        remedy="add an offering that can",
        file=workload.file,
        line=workload.lines[index] if index < len(workload.lines) else None,
    )


def _plan(packing: Packing, pods: Sequence[Pod]) -> tuple[PlannedNode, ...]:
    """Each node with what it holds."""
    by_name = {pod.name: pod for pod in pods}
    nodes = []
    for name, offering in packing.offering_of.items():
        placed = [(pod, packing.view.placement(pod)) for pod in packing.view.pods_on(name)]
        planned = tuple(PlannedPod(by_name[pod], at.devices) for pod, at in placed if at)
        nodes.append(PlannedNode(name, packing.market.offerings[offering], planned))
    return tuple(nodes)


def _check_plan(plan: Sequence[PlannedNode], pods: Sequence[Pod]) -> None:
    """Place every pod again, on a fleet that is built from the plan alone."""
    view = ClusterView.of(node_of(node.offering, node.name) for node in plan)
    try:
        for node in plan:
            for planned in node.pods:
                shape_id = view.intern(planned.pod.shape)
                view.place(planned.pod.name, shape_id, view.slot(node.name), planned.devices)
    except Oversubscribed as error:
        raise InvariantBroken(f"the plan does not hold: {error}") from error
    lost = [pod.name for pod in pods if view.placement(pod.name) is None]
    if lost:
        raise InvariantBroken(f"the plan has no place for {len(lost)} pods, the first is {lost[0]}")


def _least(bound: float, cost: float) -> float:
    """The bound, less the solver's rounding where the set reaches it."""
    if bound > cost * (1 + _ROUNDING) + _ROUNDING:
        raise InvariantBroken(f"a set costs {cost}, which is under the lower bound {bound}")
    return min(bound, cost)


def _named(packing: Packing) -> dict[str, int]:
    offerings = zip(packing.market.offerings, packing.counts, strict=True)
    return {offering.name: count for offering, count in offerings if count}
