"""Closed forms for the waits of single stations: what a simulated queue must agree with.

It exists to be the other side of the proof: formulas from the literature, sharing no code with the
engine or the station model.
It must not simulate, and it must not approximate: every formula here is exact.

Rates are per second, times in seconds.
"""

from __future__ import annotations

from gpu_fleet.errors import SimulationError


def erlang_c(servers: int, offered_load: float) -> float:
    """Return the probability that an arrival at an M/M/c station has to wait (Erlang 1917).

    `offered_load` is arrival rate x mean service time, in busy servers.
    Raises SimulationError unless there is a server and the load is below their number.
    """
    _check_stable(servers, offered_load)
    # Erlang B by its recursion in the number of servers: no factorials, so no overflow.
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = offered_load * blocked / (count + offered_load * blocked)
    idle_share = 1 - offered_load / servers
    return blocked / (blocked + idle_share * (1 - blocked))


def mm1_mean_wait_s(arrival_rate_per_s: float, mean_service_s: float) -> float:
    """Return the mean wait before service at an M/M/1 station."""
    load = arrival_rate_per_s * mean_service_s
    _check_stable(1, load)
    return load * mean_service_s / (1 - load)


def mmc_mean_wait_s(servers: int, arrival_rate_per_s: float, mean_service_s: float) -> float:
    """Return the mean wait before service at an M/M/c station; raises as erlang_c() does."""
    load = arrival_rate_per_s * mean_service_s
    return erlang_c(servers, load) * mean_service_s / (servers - load)


def mg1_mean_wait_s(
    arrival_rate_per_s: float, mean_service_s: float, service_squared_cv: float
) -> float:
    """Return the mean wait before service at an M/G/1 station (Pollaczek 1930, Khinchine 1932).

    `service_squared_cv` is the variance of the service time over its squared mean:
    0 for a fixed time, 1 for an exponential one.
    Raises SimulationError unless the load is below 1 and `service_squared_cv` is 0 or more.
    """
    load = arrival_rate_per_s * mean_service_s
    _check_stable(1, load)
    if service_squared_cv < 0:
        raise SimulationError(f"service_squared_cv is {service_squared_cv}: it is 0 or more")
    return load * mean_service_s * (1 + service_squared_cv) / (2 * (1 - load))


def _check_stable(servers: int, offered_load: float) -> None:
    if servers < 1:
        raise SimulationError(f"servers is {servers}: a station has at least one")
    if not 0 < offered_load < servers:
        raise SimulationError(
            f"an offered load of {offered_load} on {servers} servers has no steady state:"
            " it must lie above 0 and below the number of servers"
        )
