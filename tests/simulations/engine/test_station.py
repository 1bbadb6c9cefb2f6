"""A station serves in order of arrival, loses nobody, and its three counters agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_fleet.errors import SimulationError
from simulations import queues
from simulations.durations import Exponential, Fixed, HyperExponential
from simulations.queues import Station, visit
from simulations.streams import Streams

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Recorded:
    """Durations as a list, so that a run can be worked out by hand; it repeats its list."""

    times_s: tuple[int, ...]

    @property
    def mean_s(self) -> float:
        """The mean of one round."""
        return sum(self.times_s) / len(self.times_s)

    @property
    def squared_cv(self) -> float:
        """Not used by a run."""
        raise NotImplementedError

    def sample_ns(self, _rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """The list, from its beginning."""
        return np.resize(np.array(self.times_s, dtype=np.int64) * 1_000_000_000, count)


def waits_by_recursion(arrivals_ns: list[int], services_ns: list[int], servers: int) -> list[int]:
    """Kiefer and Wolfowitz: each customer takes the server that is free first; no event list."""
    free_ns = [0] * servers
    waits = []
    for arrived_ns, service_ns in zip(arrivals_ns, services_ns, strict=True):
        first = free_ns.index(min(free_ns))
        begun_ns = max(arrived_ns, free_ns[first])
        free_ns[first] = begun_ns + service_ns
        waits.append(begun_ns - arrived_ns)
    return waits


def test_one_server_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrivals at 1 2 3 4 s, services 3 1 1 5 s: begun at 1 4 5 6, left at 4 5 6 11."""
    monkeypatch.setattr(queues, "Exponential", lambda _mean_s: Recorded((1,)))
    station = Station(1, 1.0, Recorded((3, 1, 1, 5)))
    seen = visit(station, customers=4, seed=0)

    assert (seen.waits_ns / 1e9).tolist() == [0, 2, 2, 2]
    assert (seen.arrivals, seen.departures) == (4, 4)
    assert seen.span_ns == 11_000_000_000
    # 1..2 one, 2..3 two, 3..4 three, 4..5 three, 5..6 two, 6..11 one
    assert seen.number_area_ns == 16_000_000_000
    assert seen.sojourns_ns == (3 + 3 + 3 + 7) * 1_000_000_000


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 5), st.integers(1, 200), st.integers(0, 10_000), st.floats(0.3, 1.2))
def test_waits_are_those_of_the_recursion_without_events(
    servers: int, customers: int, seed: int, utilisation: float
) -> None:
    """Two programs that share only their draws agree to the nanosecond, overload included."""
    service = HyperExponential(1.0, 3.0)
    station = Station(servers, utilisation * servers, service)
    streams = Streams(seed)
    gaps_ns = Exponential(1 / station.arrival_rate_per_s).sample_ns(
        streams.generator("arrivals"), customers
    )
    arrivals_ns = np.cumsum(gaps_ns).tolist()
    # Services are drawn when a service begins, which is in order of arrival.
    services_ns = service.sample_ns(streams.generator("services"), customers).tolist()

    seen = visit(station, customers=customers, seed=seed)

    assert seen.waits_ns.tolist() == waits_by_recursion(arrivals_ns, services_ns, servers)
    assert seen.arrivals == seen.departures == customers
    assert seen.littles_law.holds()


def test_one_seed_gives_one_run() -> None:
    """To the last nanosecond; another seed gives another."""
    station = Station(2, 1.5, Exponential(1.0))
    first, again, other = (visit(station, customers=500, seed=seed) for seed in (1, 1, 2))

    assert first.waits_ns.tolist() == again.waits_ns.tolist()
    assert first.span_ns == again.span_ns != other.span_ns


def test_stations_of_other_sizes_meet_the_same_customers() -> None:
    """Common random numbers: one more server can then only shorten each wait."""
    small, large = (
        visit(Station(servers, 1.8, Exponential(1.0)), customers=2000, seed=3) for servers in (2, 3)
    )

    assert (large.waits_ns <= small.waits_ns).all()
    assert large.waits_ns.sum() < small.waits_ns.sum()


def test_littles_law_catches_a_departure_that_is_counted_twice_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted bugs: the check bites."""
    station = Station(1, 0.5, Fixed(1.0))

    for slip in (-1, 1):

        class Sloppy(queues._Floor):
            def _depart(self, time_ns: int, server: int, b: int) -> int | None:
                again_ns = super()._depart(time_ns, server, b)
                if self._departures == 50:
                    self._number += slip  # noqa: B023 - the class lives for one round
                return again_ns

        assert visit(station, customers=200, seed=1).littles_law.holds()
        with monkeypatch.context() as planted:
            planted.setattr(queues, "_Floor", Sloppy)
            assert not visit(station, customers=200, seed=1).littles_law.holds()


def test_a_station_that_cannot_be_is_refused() -> None:
    """Each complaint names the field."""
    with pytest.raises(SimulationError, match="servers is 0"):
        Station(0, 1.0, Fixed(1.0))
    with pytest.raises(SimulationError, match="arrival_rate_per_s is 0"):
        Station(1, 0.0, Fixed(1.0))
    with pytest.raises(SimulationError, match="customers is 0"):
        visit(Station(1, 0.5, Fixed(1.0)), customers=0, seed=1)


def test_utilisation_is_the_load_of_each_server() -> None:
    """9 arrivals a second of 1 s each on 10 servers."""
    assert Station(10, 9.0, Fixed(1.0)).utilisation == pytest.approx(0.9)
