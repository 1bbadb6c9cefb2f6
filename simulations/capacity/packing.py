"""A fleet that is being bought for a workload: nodes as they are added, pods as they are placed.

Pods are placed by the same policy object that the extender runs. What fits nowhere is bought for as
an autoscaler would do it: ask the relaxation for the cheapest nodes for the pods that are left, buy
them, place again. Whatever way a packing came about, it is a real one: `ClusterView` refuses
anything that does not fit. This module must not try to be cheap; `capacity.size` compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.draws import draw
from gpu_fleet.errors import InputError
from scheduler_extender.placement.choice import choose
from scheduler_extender.placement.pod_mix import PodMix
from scheduler_extender.placement.registry import build_policy
from scheduler_extender.placement.score_cache import ScoreCache
from simulations.capacity.bound import BoundSettings, lower_bound
from simulations.capacity.market import node_of

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable, Mapping

    from gpu_fleet.pods import Pod, PodShape
    from simulations.capacity.fillings import Filling
    from simulations.capacity.market import Market

__all__ = ["Packing", "largest_first"]

_QUICK = BoundSettings(rounds=4, seconds=1.0)
"""For the pods that are left over: few, and only a start is wanted."""


def largest_first(pods: Iterable[Pod]) -> list[Pod]:
    """More GPUs first, then more CPU, then more memory; equals keep their order."""
    return sorted(pods, key=lambda pod: _size(pod.shape), reverse=True)


def _size(shape: PodShape) -> tuple[int, int, int, int]:
    return shape.gpu_count, shape.total_gpu_milli, shape.cpu_milli, shape.memory_mib


class Packing:
    """Nodes bought from a market and the pods on them."""

    def __init__(self, market: Market, policy: str) -> None:
        self.market = market
        self.view = ClusterView()
        self.offering_of: dict[str, int] = {}
        """By node name, in order of purchase."""
        mix = PodMix(market.classes)
        self._policy = build_policy(policy, mix)
        self._cache = ScoreCache(self._policy, self.view)
        self._decisions = 0
        self._bought = 0

    @property
    def counts(self) -> tuple[int, ...]:
        """Nodes bought of each offering."""
        counts = [0] * len(self.market.offerings)
        for offering in self.offering_of.values():
            counts[offering] += 1
        return tuple(counts)

    @property
    def cost_per_hour(self) -> float:
        """Of all nodes together."""
        offerings = zip(self.market.offerings, self.counts, strict=True)
        return sum(offering.cost_per_hour * count for offering, count in offerings)

    def buy(self, offering: int, many: int = 1) -> list[str]:
        """Add empty nodes; returns their names."""
        kind = self.market.offerings[offering]
        names = [f"{kind.name}-{self._bought + more}" for more in range(many)]
        self._bought += many
        for name in names:
            self.view.add_node(node_of(kind, name))
            self.offering_of[name] = offering
        return names

    def fill(self, filling: Filling, waiting: Mapping[int, deque[Pod]]) -> None:
        """Buy a node and put pods of the filling's classes on it, as far as any wait."""
        slot = self.view.slot(self.buy(filling.offering)[0])
        for pod_class, devices in filling.pods:
            if waiting[pod_class]:
                pod = waiting[pod_class].popleft()
                self.view.place(pod.name, self.view.intern(pod.shape), slot, devices)

    def place(self, pods: Iterable[Pod]) -> list[Pod]:
        """Place pods in this order where the policy wants them; returns those that fit nowhere."""
        return [pod for pod in pods if not self._place(pod)]

    def complete(self, pods: Iterable[Pod]) -> None:
        """Place pods, buy what is missing until all have a place, give back what stayed empty."""
        left = self.place(pods)
        while left:
            self._buy_for(left)
            left = self.place(left)
        for name in [name for name in self.offering_of if not self.view.pods_on(name)]:
            self.view.remove_node(name)
            del self.offering_of[name]

    def _place(self, pod: Pod) -> bool:
        shape_id = self.view.intern(pod.shape)
        self._decisions += 1
        slot = choose(self._cache.totals(shape_id), None, 0, self._decisions)
        if slot is None:
            return False
        key = draw(0, self._decisions)
        devices = self._policy.devices(self.view, shape_id, slot, key)
        self.view.place(pod.name, shape_id, slot, devices)
        return True

    def _buy_for(self, pods: list[Pod]) -> None:
        try:
            counts = lower_bound(self.market.left(self.counts, pods), _QUICK).counts
        except InputError:
            raise InputError(
                f"no set within the offerings' limits was found: {len(pods)} pods fit nowhere, "
                f"the largest is {pods[0].name} ({pods[0].shape.describe()})",
                remedy="raise a limit, or add an offering",
                field="limit",
            ) from None
        for offering, many in enumerate(counts):
            self.buy(offering, many)
