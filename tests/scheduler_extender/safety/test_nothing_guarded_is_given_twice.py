"""No share of a GPU is given out twice, whatever happens in whatever order.

The interleavings are Hypothesis's; the judge is a reality that shares no code with the ledger.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.figures import record
from tests.scheduler_extender.safety.interleavings import Interleavings

if TYPE_CHECKING:
    from tests.scheduler_extender.safety.reality import Flight

FEW = settings(
    max_examples=500,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Counted(Interleavings):
    """The same, and what was lived through is counted."""

    lived: ClassVar[Counter[str]] = Counter()

    def _bind(self, flight: Flight, where: int) -> None:
        super()._bind(flight, where)
        self.lived["bindings judged"] += 1

    def teardown(self) -> None:
        """One interleaving is over, and was right to the end."""
        super().teardown()
        self.lived["interleavings"] += 1
        self.lived["events of the cluster"] += len(self.reality.log)


def test_nothing_guarded_is_given_twice_in_500_interleavings() -> None:
    """Binds, deletions, late and repeated watches, restarts and takeovers: 500 times 40 steps."""
    run_state_machine_as_test(Interleavings, settings=FEW)


@pytest.mark.prove
def test_nothing_guarded_is_given_twice_in_10_000_interleavings() -> None:
    """The same, drawn anew on each run, 10,000 times 60 steps."""
    many = settings(FEW, max_examples=10_000, stateful_step_count=60, derandomize=False)
    run_state_machine_as_test(Counted, settings=many)

    assert Counted.lived["interleavings"] >= 10_000
    record("extender-interleavings", [{**Counted.lived, "given twice": 0, "not one best": 0}])
