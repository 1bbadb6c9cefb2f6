"""least-loss on the openb variants: random tie-break, one parameter set, every feasible pod placed.

The bars were set before the policy was written; the ceiling on default is about 96.45 %.
"""

from __future__ import annotations

import pytest

from scheduler_extender.placement.choice import TieBreak
from simulations.checker import check_run
from simulations.learned_mix import MixSource
from tests.figures import record
from tests.prove.study import allocated, inflation_runs, row
from tests.traces import openb_fleet, openb_pods

pytestmark = pytest.mark.prove

AT_100_AND_130 = {
    "default": (96.1, 96.2),
    "cpu100": (96.1, 96.2),
    "gpushare40": (94.65, 94.75),
    "gpuspec20": (95.9, 96.1),
    "multigpu30": (97.0, 97.1),
}
CEILING_ON_DEFAULT = 96.5
"""A mean beyond it is a measuring error or a rejected pod that fitted."""


@pytest.mark.parametrize("variant", list(AT_100_AND_130))
def test_least_loss_beats_the_best_published_allocation(variant: str) -> None:
    """At 100 % and at 130 % arrived load the mean over seeds 42..51 is at or above the bar."""
    runs = inflation_runs(variant, "least-loss", TieBreak.RANDOM, keep_log=True)
    for run in runs:
        check_run(openb_fleet(), openb_pods(variant), run.log)
    record(f"least_loss_{variant}", [row(variant, TieBreak.RANDOM, runs)])

    at_100, at_130 = AT_100_AND_130[variant]
    assert allocated(runs, 100) >= at_100
    assert allocated(runs, 130) >= at_130
    assert allocated(runs, 130) <= CEILING_ON_DEFAULT or variant != "default"


def test_500_arrivals_are_enough_to_learn_the_mix() -> None:
    """With the mix learned from its first 500 arrivals it still allocates 96.1 % on default."""
    runs = inflation_runs("default", "least-loss", TieBreak.RANDOM, MixSource(500))
    record("least_loss_learned_mix", [row("default", TieBreak.RANDOM, runs) | {"mix": "first:500"}])

    assert allocated(runs, 130) >= 96.1
