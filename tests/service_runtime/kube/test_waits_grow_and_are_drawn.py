"""Back-off: the ceiling doubles to a cap, the wait is drawn below it, the budget ends it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_runtime.kube.retry import Backoff, Retry

POLICY = Backoff(base_s=0.5, cap_s=30.0)


@pytest.mark.parametrize(
    ("failures", "ceiling_s"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (10_000, 30.0)]
)
def test_the_ceiling_doubles_up_to_the_cap(failures: int, ceiling_s: float) -> None:
    """Each failure in a row doubles the longest wait, however many there are."""
    assert ceiling_s == POLICY.ceiling_s(failures)


@given(st.integers(1, 100), st.floats(0.0, 1.0, exclude_max=True))
def test_the_wait_is_drawn_below_the_ceiling(failures: int, draw: float) -> None:
    """Full jitter: from nothing up to the ceiling, in proportion to the draw."""
    assert Retry(failures, draw * POLICY.ceiling_s(failures)) == POLICY.after(
        failures, lambda: draw
    )


def test_what_the_server_asked_for_is_the_least() -> None:
    """A server that names a time is not asked before, and the jitter comes on top."""
    assert Retry(1, 10.25) == POLICY.after(1, lambda: 0.5, asked_s=10.0)


def test_a_budget_ends() -> None:
    """After as many retries as the budget allows there is no further wait."""
    bounded = Backoff(base_s=1.0, cap_s=1.0, budget=2)

    assert [bounded.after(n, lambda: 0.5).given_up for n in (1, 2, 3)] == [False, False, True]
