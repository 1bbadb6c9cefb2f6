"""No set of nodes that holds this workload can cost less than this, and here is why.

The relaxation: buy a whole number of nodes of each offering and give each pod class, in any
fractions, to offerings whose empty node holds it, such that every limit of `capacity_cuts` holds
for each offering as a whole. Every real packing obeys that: count its nodes, count its pods by
class and offering, and add each limit up over the nodes of an offering. So the cheapest solution of
the relaxation costs at most as much as the cheapest real set, and so does the dual bound at which
the solver (HiGHS) stops, however early it is stopped.

Limits are stated when they are broken: solve in fractions, state the limits that the solution
breaks, solve again. That is as strong as stating all of them and keeps the problem small.
This module must not claim that its node counts hold the workload: they are where a search starts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gpu_fleet.errors import InputError, SimulationError
from gpu_fleet.nodes import WHOLE_GPU_MILLI
from simulations.capacity.cuts import bins_of, cutting_stock, plain, stepped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from simulations.capacity.market import Market

__all__ = ["Bound", "BoundSettings", "lower_bound"]

_BROKEN = 1e-6
"""Of a node. HiGHS allows itself as much, so a smaller breach is none."""
_INFEASIBLE = 2
"""The status by which scipy says that there is no solution."""

Mix: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class BoundSettings:
    """How hard to try."""

    rounds: int = 12
    """Of stating broken limits; most workloads need three to eight."""
    deepest_step: int = 9
    """Largest k of `stepped`: it sees that at most nine pods of a kind fit into a bin."""
    seconds: float = 10.0
    """For the whole-number problem. Stopped early, its bound is lower and still true."""
    relative_gap: float = 1e-4


@dataclass(frozen=True, slots=True)
class Bound:
    """What the relaxation says."""

    cost_per_hour: float
    counts: tuple[int, ...]
    """Nodes of each offering in the best whole-number solution that was found."""


def lower_bound(market: Market, settings: BoundSettings | None = None) -> Bound:
    """The bound; raises `InputError` where even the relaxation does not fit within the limits."""
    return _Relaxation(market, settings or BoundSettings()).solve()


class _Relaxation:
    """Variables: nodes of each offering, then pods of each (class, offering) that fits."""

    def __init__(self, market: Market, settings: BoundSettings) -> None:
        self._market = market
        self._settings = settings
        self._offerings = len(market.offerings)
        self._classes, self._homes = np.nonzero(market.fits)
        self._width = self._offerings + len(self._classes)
        self._price = np.concatenate((market.prices, np.zeros(len(self._classes))))
        self._demand = np.array([entry.count for entry in market.classes], np.float64)
        self._bins = [bins_of(offering, market.classes) for offering in market.offerings]
        self._cuts: dict[Mix, NDArray[np.float64]] = {}
        self._stated: dict[tuple[int, str], NDArray[np.float64]] = {
            (home, f"plain {place}"): plain(bins)
            for home, all_bins in enumerate(self._bins)
            for place, bins in enumerate(all_bins)
        }

    def solve(self) -> Bound:
        for _ in range(self._settings.rounds):
            fluid = self._fluid()
            if not self._state_broken(fluid):
                break
        return self._whole(fluid)

    # -- limits --------------------------------------------------------------------------------

    def _state_broken(self, values: NDArray[np.float64]) -> int:
        """State every limit that a solution breaks; returns how many there were."""
        nodes, held = values[: self._offerings], self._held(values)
        used = np.flatnonzero(nodes > _BROKEN).tolist()
        mixes = sorted({self._mix(held[:, home]) for home in used})
        before = len(self._stated)
        for home in used:
            for name, worths in self._limits_of(home, mixes):
                if worths @ held[:, home] > nodes[home] + _BROKEN:
                    self._stated[home, name] = worths
        return len(self._stated) - before

    def _limits_of(self, home: int, mixes: list[Mix]) -> Iterator[tuple[str, NDArray[np.float64]]]:
        for place, bins in enumerate(self._bins[home]):
            for k in range(1, self._settings.deepest_step + 1):
                yield f"stepped {place} {k}", stepped(bins, k)
        offering = self._market.offerings[home]
        if offering.devices and all(d.gpu_milli == WHOLE_GPU_MILLI for d in offering.devices):
            for mix in mixes:
                yield f"cut {mix}", self._cut(mix) / len(offering.devices)

    def _cut(self, mix: Mix) -> NDArray[np.float64]:
        if mix not in self._cuts:
            self._cuts[mix] = cutting_stock(self._market.classes, dict(mix))
        return self._cuts[mix]

    def _mix(self, held: NDArray[np.float64]) -> Mix:
        """How often each part of a GPU is asked for on an offering."""
        sizes: Counter[int] = Counter()
        for entry, count in zip(self._market.classes, held, strict=True):
            if entry.shape.is_share and round(count) > 0:
                sizes[entry.shape.gpu_milli] += round(count)
        return tuple(sorted(sizes.items()))

    def _held(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pods of each class (row) that a solution gives to each offering (column)."""
        held = np.zeros(self._market.fits.shape)
        held[self._classes, self._homes] = values[self._offerings :]
        return held

    # -- solving -------------------------------------------------------------------------------

    def _fluid(self) -> NDArray[np.float64]:
        """The cheapest solution in fractions of nodes."""
        from scipy.optimize import linprog  # noqa: PLC0415 - heavy, and only a sizing needs it

        answer = linprog(  # type: ignore[call-overload] # sparse is fine, the stubs do not know
            self._price,
            A_ub=self._matrix_of_limits(),
            b_ub=np.zeros(len(self._stated)),
            A_eq=self._matrix_of_demand(),
            b_eq=self._demand,
            bounds=np.column_stack((np.zeros(self._width), self._most())),
            method="highs",
        )
        self._check(answer.status, answer.message, found=answer.x is not None)
        return np.asarray(answer.x)

    def _whole(self, fluid: NDArray[np.float64]) -> Bound:
        """The cheapest solution in whole nodes, or as near to it as the time allows."""
        from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - as above

        answer = milp(
            self._price,
            integrality=(np.arange(self._width) < self._offerings).astype(np.int64),
            bounds=Bounds(np.zeros(self._width), self._most()),
            constraints=[
                LinearConstraint(self._matrix_of_limits(), -np.inf, 0),
                LinearConstraint(self._matrix_of_demand(), self._demand, self._demand),
            ],
            options={
                "time_limit": self._settings.seconds,
                "mip_rel_gap": self._settings.relative_gap,
            },
        )
        self._check(answer.status, answer.message, found=True)
        least = float(self._price @ fluid)
        if answer.mip_dual_bound is not None and np.isfinite(answer.mip_dual_bound):
            least = max(least, float(answer.mip_dual_bound))
        # Without a solution in time, the fractions rounded up are as good a start as any.
        nodes = fluid if answer.x is None else np.round(answer.x)
        up = np.ceil(nodes[: self._offerings] - _BROKEN)
        return Bound(least, tuple(int(count) for count in np.minimum(up, self._most()[: len(up)])))

    def _check(self, status: int, message: str, *, found: bool) -> None:
        if status == _INFEASIBLE:
            raise InputError(
                "the workload does not fit within the offerings' limits",
                remedy="raise a limit, or add an offering",
                field="limit",
            )
        if not found:
            raise SimulationError(f"the bound could not be computed: {message}")

    def _matrix_of_limits(self) -> csr_array:
        """Each row: worth of the pods on an offering, less its nodes, is at most nothing."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - as above

        row, column, value = [], [], []
        for at, ((home, _), worths) in enumerate(self._stated.items()):
            here = np.flatnonzero((self._homes == home) & (worths[self._classes] > 0))
            row.append(np.full(len(here) + 1, at))
            column.append(np.append(self._offerings + here, home))
            value.append(np.append(worths[self._classes[here]], -1.0))
        places = (np.concatenate(row), np.concatenate(column))
        return csr_array((np.concatenate(value), places), shape=(len(row), self._width))

    def _matrix_of_demand(self) -> csr_array:
        """Each row: all pods of a class are somewhere."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - as above

        places = (self._classes, self._offerings + np.arange(len(self._classes)))
        shape = (len(self._demand), self._width)
        return csr_array((np.ones(len(self._classes)), places), shape=shape)

    def _most(self) -> NDArray[np.float64]:
        limits = [np.inf if o.limit is None else o.limit for o in self._market.offerings]
        return np.concatenate((limits, np.full(len(self._classes), np.inf)))
