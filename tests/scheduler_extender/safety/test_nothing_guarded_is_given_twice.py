"""No share of a GPU is given out twice, whatever happens in whatever order.

The interleavings are Hypothesis's; the judge is a reality that shares no code with the ledger.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.scheduler_extender.safety.interleavings import Interleavings

FEW = settings(
    max_examples=500,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_nothing_guarded_is_given_twice_in_500_interleavings() -> None:
    """Binds, deletions, late and repeated watches, restarts and takeovers: 500 times 40 steps."""
    run_state_machine_as_test(Interleavings, settings=FEW)


@pytest.mark.prove
def test_nothing_guarded_is_given_twice_in_10_000_interleavings() -> None:
    """The same, drawn anew on each run, 10,000 times 60 steps."""
    many = settings(FEW, max_examples=10_000, stateful_step_count=60, derandomize=False)
    run_state_machine_as_test(Interleavings, settings=many)
