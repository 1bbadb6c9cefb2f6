"""A cheaper packing out of node fillings: column generation, as in the cutting-stock problem.

Which fillings, how often each, so that all pods have a place and the nodes cost least? That is a
linear program over all fillings there are (Gilmore, Gomory 1961), far too many to write down. So it
starts with those of a packing that exists. Its duals say what a pod of each class is worth at the
margin; fillings that are worth more than their node costs are added; and again, until no such
filling is found. Fillings are found greedily, so the end is good, not proven: the proof of how good
is `capacity_bound`. This module must not touch the bound.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.errors import SimulationError
from simulations.capacity.fillings import Filler, Filling
from simulations.capacity.packing import Packing, largest_first
from simulations.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.pods import Pod
    from simulations.capacity.market import Market

__all__ = ["PatternSettings", "Patterns"]

_WORTH_ADDING = 1 + 1e-4
"""A filling must be worth this much of its node's price."""
_SURE = 1e-9


@dataclass(frozen=True, slots=True)
class PatternSettings:
    """How long to look for better fillings."""

    fewest: int = 24
    """Fillings tried for each offering and round; doubled when a round brings little."""
    most: int = 384
    little: int = 3
    """New fillings in a round that count as little."""
    patience: int = 20
    """Rounds after which the cost must have fallen by `least_gain`, or the search ends."""
    least_gain: float = 5e-4
    offerings_each_round: int = 8
    """Those that did best; all of them are looked at again every `full_look` rounds."""
    full_look: int = 10
    whole_seconds: float = 5.0
    """For the whole-number problem over the fillings that were found."""
    dear: float = 0.1
    """Fillings dearer than this share of their node's price are left out of it."""


class Patterns:
    """The fillings that are known for a market, and the linear program over them."""

    def __init__(
        self, market: Market, pods: Sequence[Pod], settings: PatternSettings | None = None
    ) -> None:
        self._market = market
        self._pods = pods
        self._settings = settings or PatternSettings()
        self._fillings: dict[Filling, NDArray[np.float64]] = {}
        self._known: set[tuple[int, bytes]] = set()
        self._class_of = {entry.shape: place for place, entry in enumerate(market.classes)}
        self._demand = np.array([entry.count for entry in market.classes], np.float64)

    def learn(self, packing: Packing) -> None:
        """Take over the fillings of a packing that holds the workload."""
        for name, offering in packing.offering_of.items():
            placed = (packing.view.placement(pod) for pod in packing.view.pods_on(name))
            self._add(
                Filling(
                    offering,
                    tuple(
                        (self._class_of[packing.view.shapes[at.shape_id]], at.devices)
                        for at in placed
                        if at is not None
                    ),
                )
            )

    def improve(self, may_go_on: Callable[[], bool]) -> bool:
        """Look for better fillings; False when it was stopped before it came to an end."""
        settings, random = self._settings, Streams(0).generator("node-fillings")
        fillers = [Filler(self._market, j) for j in range(len(self._market.offerings))]
        best = list(range(min(len(fillers), settings.offerings_each_round)))
        costs: list[float] = []
        many = settings.fewest
        while may_go_on():
            cost, worths, fees, _ = self._solve()
            costs.append(cost)
            if self._is_stuck(costs):
                return True
            full = len(fillers) <= len(best) or len(costs) % settings.full_look == 1
            looked_at = list(range(len(fillers))) if full else best
            found = {
                j: self._best_value(fillers[j].fill(worths, many, random), worths, fees)
                for j in looked_at
            }
            new = sum(count for _, count in found.values())
            if full:
                ranked = sorted(found, key=lambda j: -found[j][0])
                best = ranked[: settings.offerings_each_round]
            if new < settings.little:
                if many == settings.most and new == 0 and full:
                    return True
                many = min(settings.most, many * 2)
        return False

    def packings(self, policy: str) -> Iterator[Packing]:
        """Packings that the fillings make: the program's fractions, and its whole numbers."""
        _, worths, fees, shares = self._solve()
        yield self._realise(np.floor(shares + _SURE), policy)
        whole = self._whole(worths, fees)
        if whole is not None:
            yield self._realise(whole, policy)

    # -- the program ---------------------------------------------------------------------------

    def _solve(
        self,
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Cost, worth of each class, fee for each offering's limit, times of each filling."""
        from scipy.optimize import linprog  # noqa: PLC0415 - heavy, and only a sizing needs it

        limited, most = self._limits()
        answer = linprog(
            self._prices(),
            A_ub=np.vstack((-self._matrix(), limited)),
            b_ub=np.concatenate((-self._demand, most)),
            method="highs",
        )
        if answer.x is None:  # the fillings of a packing hold everything, so there is a solution
            raise SimulationError(f"the node fillings could not be combined: {answer.message}")
        duals = np.maximum(0.0, -answer.ineqlin.marginals)
        fees = np.zeros(len(self._market.offerings))
        fees[self._limited()] = duals[len(self._demand) :]
        cost = float(self._prices() @ answer.x)
        return cost, duals[: len(self._demand)], fees, np.asarray(answer.x)

    def _whole(
        self, worths: NDArray[np.float64], fees: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        from scipy.optimize import LinearConstraint, milp  # noqa: PLC0415 - as above

        prices, matrix = self._prices(), self._matrix()
        loss = prices + fees[self._offerings()] - worths @ matrix
        kept = loss <= self._settings.dear * prices + _SURE
        limited, most = self._limits()
        rows = [LinearConstraint(matrix[:, kept], self._demand, np.inf)]
        if len(most):
            rows.append(LinearConstraint(limited[:, kept], -np.inf, most))
        answer = milp(
            prices[kept],
            integrality=np.ones(int(kept.sum()), np.int64),
            constraints=rows,
            options={"time_limit": self._settings.whole_seconds},
        )
        if answer.x is None:
            return None
        whole = np.zeros(len(prices))
        whole[kept] = np.round(answer.x)
        return whole

    def _prices(self) -> NDArray[np.float64]:
        return self._market.prices[self._offerings()]

    def _offerings(self) -> NDArray[np.int64]:
        return np.array([filling.offering for filling in self._fillings], np.int64)

    def _matrix(self) -> NDArray[np.float64]:
        """Class by filling: pods held."""
        return np.column_stack(list(self._fillings.values()))

    def _limited(self) -> list[int]:
        return [j for j, kind in enumerate(self._market.offerings) if kind.limit is not None]

    def _limits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Offering by filling: whether it is one of that offering; and how many there can be."""
        offerings, limited = self._offerings(), self._limited()
        rows = np.array([offerings == j for j in limited], np.float64)
        most = [self._market.offerings[j].limit or 0 for j in limited]
        return rows.reshape(len(limited), len(offerings)), np.array(most, np.float64)

    # -- fillings ------------------------------------------------------------------------------

    def _best_value(
        self, fillings: Sequence[Filling], worths: NDArray[np.float64], fees: NDArray[np.float64]
    ) -> tuple[float, int]:
        """Add what is worth its price; returns the best worth for the price, and how many."""
        best, new = 0.0, 0
        for filling in fillings:
            price = self._market.offerings[filling.offering].cost_per_hour + fees[filling.offering]
            worth = float(worths @ filling.counts(len(worths)))
            best = max(best, worth / max(price, _SURE))
            if worth > price * _WORTH_ADDING:
                new += self._add(filling)
        return best, new

    def _add(self, filling: Filling) -> bool:
        counts = filling.counts(len(self._demand))
        key = (filling.offering, counts.tobytes())
        if key in self._known or not filling.pods:
            return False
        self._known.add(key)
        self._fillings[filling] = counts
        return True

    def _is_stuck(self, costs: Sequence[float]) -> bool:
        patience = self._settings.patience
        if len(costs) <= patience:
            return False
        return costs[-1 - patience] - costs[-1] < self._settings.least_gain * costs[-1]

    def _realise(self, times: NDArray[np.float64], policy: str) -> Packing:
        """Fill nodes so often, and let the policy place and buy for what is left."""
        waiting: defaultdict[int, deque[Pod]] = defaultdict(deque)
        for pod in self._pods:
            waiting[self._class_of[pod.shape]].append(pod)
        packing = Packing(self._market, policy)
        for filling, many in zip(self._fillings, times, strict=True):
            for _ in range(int(many)):
                if any(waiting[pod_class] for pod_class, _ in filling.pods):
                    packing.fill(filling, waiting)
        packing.complete(largest_first(pod for queue in waiting.values() for pod in queue))
        return packing
