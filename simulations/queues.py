"""A station with servers and one line: the smallest model that has a closed form to answer to.

It exists to prove the engine, the streams and the statistics together against queueing theory,
and to be the first example of a model written on the engine.
It must not know the theory: the formulas live in `queueing_theory`, and the two share nothing.

Arrivals are Poisson, the line is first come first served, and the run ends when everybody has left,
so that Little's law must hold exactly.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.errors import SimulationError
from simulations.durations import Duration, Exponential
from simulations.engine import Engine
from simulations.statistics import Estimate, LittlesLaw, batch_means
from simulations.streams import Block, Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ARRIVE = 0
DEPART = 1

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Station:
    """An M/G/c station and its load."""

    servers: int
    arrival_rate_per_s: float
    service: Duration

    def __post_init__(self) -> None:
        if self.servers < 1:
            raise SimulationError(f"servers is {self.servers}: a station has at least one")
        if not self.arrival_rate_per_s > 0:
            raise SimulationError(
                f"arrival_rate_per_s is {self.arrival_rate_per_s}: it must be above 0"
            )

    @property
    def utilisation(self) -> float:
        """The long-run share of time that a server is busy; from 1 on the line grows for ever."""
        return self.arrival_rate_per_s * self.service.mean_s / self.servers


@dataclass(frozen=True, slots=True)
class Visit:
    """What one run of a station saw, from the first arrival until the last departure.

    The three counters behind Little's law are kept apart from each other on purpose:
    the line's area, the heads counted at the door, and each customer's own times.
    """

    waits_ns: NDArray[np.int64]
    """Wait before service, customer by customer in order of arrival."""
    arrivals: int
    departures: int
    number_area_ns: int
    """Integral over time of the number of customers in the system, in customers x ns."""
    sojourns_ns: int
    """Sum over those who departed of departure - arrival."""
    span_ns: int
    """From the first instant to the last departure."""

    @property
    def littles_law(self) -> LittlesLaw:
        """L, lambda and W, each from its own counter."""
        return LittlesLaw(
            mean_number=self.number_area_ns / self.span_ns,
            arrival_rate_per_s=self.arrivals / self.span_ns * _NS_PER_S,
            mean_sojourn_s=self.sojourns_ns / self.departures / _NS_PER_S,
        )

    def mean_wait_s(self, *, warm_up: int, batches: int) -> Estimate:
        """Return the steady-state mean wait in s by batch means; raises as batch_means() does."""
        return batch_means(self.waits_ns / _NS_PER_S, warm_up=warm_up, batches=batches)


def visit(station: Station, *, customers: int, seed: int) -> Visit:
    """Let `customers` arrive at an empty station and run until the last one has left.

    Arrivals and services are streams of their own,
    so stations of different sizes meet the same customers on the same seed.
    Raises SimulationError when there are no customers.
    """
    if customers < 1:
        raise SimulationError(f"customers is {customers}: somebody has to come")
    streams = Streams(seed)
    gaps = Exponential(1 / station.arrival_rate_per_s)
    arrivals, services = streams.generator("arrivals"), streams.generator("services")
    engine = Engine()
    floor = _Floor(
        engine,
        station.servers,
        customers,
        gap_ns=Block[int](lambda count: gaps.sample_ns(arrivals, count)).next,
        service_ns=Block[int](lambda count: station.service.sample_ns(services, count)).next,
    )
    engine.run()
    return floor.tally()


class _Floor:
    """The moving parts of one run: who waits, who is served, and the counters."""

    __slots__ = (
        "_area",
        "_arrivals",
        "_changed_ns",
        "_departures",
        "_engine",
        "_expected",
        "_gap_ns",
        "_idle",
        "_line",
        "_number",
        "_service_ns",
        "_serving",
        "_sojourns_ns",
        "_waits_ns",
    )

    def __init__(
        self,
        engine: Engine,
        servers: int,
        customers: int,
        gap_ns: Callable[[], int],
        service_ns: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._expected = customers
        self._gap_ns = gap_ns
        self._service_ns = service_ns
        self._idle = list(range(servers))
        self._serving = [0] * servers
        """By server: when the customer in service arrived."""
        self._line: deque[int] = deque()
        """Arrival times of those who wait."""
        self._waits_ns: list[int] = []
        self._arrivals = 0
        self._departures = 0
        self._number = 0
        self._area = 0
        self._changed_ns = 0
        self._sojourns_ns = 0
        engine.on(ARRIVE, self._arrive)
        engine.on(DEPART, self._depart)
        engine.schedule(gap_ns(), ARRIVE)

    def tally(self) -> Visit:
        """Close the books of a run that has ended."""
        return Visit(
            waits_ns=np.array(self._waits_ns, dtype=np.int64),
            arrivals=self._arrivals,
            departures=self._departures,
            number_area_ns=self._area,
            sojourns_ns=self._sojourns_ns,
            span_ns=self._engine.now_ns,
        )

    # The area is kept inline, not in a TimeAverage: a method call at each step would cost a fifth
    # of the run, and the benchmark against SimPy runs this very model.
    def _arrive(self, time_ns: int, _a: int, _b: int) -> int | None:
        self._area += self._number * (time_ns - self._changed_ns)
        self._changed_ns = time_ns
        self._number += 1
        self._arrivals += 1
        if self._idle:
            server = self._idle.pop()
            self._serving[server] = time_ns
            self._waits_ns.append(0)
            self._engine.schedule(time_ns + self._service_ns(), DEPART, server)
        else:
            self._line.append(time_ns)
        return time_ns + self._gap_ns() if self._arrivals < self._expected else None

    def _depart(self, time_ns: int, server: int, _b: int) -> int | None:
        self._area += self._number * (time_ns - self._changed_ns)
        self._changed_ns = time_ns
        self._number -= 1
        self._departures += 1
        self._sojourns_ns += time_ns - self._serving[server]
        if not self._line:
            self._idle.append(server)
            return None
        arrived_ns = self._line.popleft()
        self._serving[server] = arrived_ns
        self._waits_ns.append(time_ns - arrived_ns)
        return time_ns + self._service_ns()
