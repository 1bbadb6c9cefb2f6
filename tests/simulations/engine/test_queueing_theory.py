"""The closed forms agree with published values and with each other."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.errors import SimulationError
from simulations.queueing_theory import (
    erlang_c,
    mg1_mean_wait_s,
    mm1_mean_wait_s,
    mmc_mean_wait_s,
)


def erlang_c_by_factorials(servers: int, load: float) -> float:
    """The formula as books print it, good for few servers."""
    waiting = load**servers / math.factorial(servers) * servers / (servers - load)
    return waiting / (sum(load**k / math.factorial(k) for k in range(servers)) + waiting)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.3), (2, 1.0), (10, 9.0), (30, 20.0)])
def test_erlang_c_is_the_formula_of_the_books(servers: int, load: float) -> None:
    """Erlang C of one server is its load, of two at load one it is 1/3."""
    assert erlang_c(servers, load) == pytest.approx(erlang_c_by_factorials(servers, load))
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)


def test_erlang_c_does_not_overflow_with_thousands_of_servers() -> None:
    """5,000! has sixteen thousand digits."""
    assert 0 < erlang_c(5000, 4950.0) < 1


def test_the_benchmark_queue_waits_two_thirds_of_a_service() -> None:
    """M/M/10 at utilisation 0.9 with services of 1 s."""
    assert mmc_mean_wait_s(10, 9.0, 1.0) == pytest.approx(0.66873, abs=1e-5)


@given(st.floats(0.01, 0.99), st.floats(1e-3, 1e3))
def test_the_formulas_meet_where_their_models_do(load: float, mean_service_s: float) -> None:
    """M/M/1 is M/M/c with one server, and M/G/1 with squared variation 1; M/D/1 waits half."""
    rate = load / mean_service_s
    expected = mm1_mean_wait_s(rate, mean_service_s)

    assert mmc_mean_wait_s(1, rate, mean_service_s) == pytest.approx(expected)
    assert mg1_mean_wait_s(rate, mean_service_s, 1.0) == pytest.approx(expected)
    assert mg1_mean_wait_s(rate, mean_service_s, 0.0) == pytest.approx(expected / 2)


def test_a_queue_without_a_steady_state_has_no_mean_wait() -> None:
    """At a load of one the line grows for ever, so any number would be a lie."""
    with pytest.raises(SimulationError, match="no steady state"):
        mm1_mean_wait_s(1.0, 1.0)
    with pytest.raises(SimulationError, match="no steady state"):
        mmc_mean_wait_s(4, 5.0, 1.0)
    with pytest.raises(SimulationError, match="servers is 0"):
        erlang_c(0, 0.5)
    with pytest.raises(SimulationError, match="service_squared_cv is -1"):
        mg1_mean_wait_s(0.5, 1.0, -1.0)
