"""Common random numbers: what a policy does changes nothing about what comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulations.agents.demand import demand_for, draw_tasks
from simulations.recipes.agents import agents
from tests.simulations.agents.small import run, scenario


def test_arrivals_and_work_are_the_same_for_all_policies() -> None:
    """So differences between policies are theirs and not chance's."""
    met = [
        [(p.arrived_ns, p.work_ns, p.gpu_milli) for p in run(policy=policy, load=1.0).passages]
        for policy in ("least-loss", "random", "fgd")
    ]

    assert met[0] == met[1] == met[2]


def test_another_seed_brings_other_tasks() -> None:
    """Otherwise ten seeds would be one."""
    first, second = run(seed=1).passages, run(seed=2).passages

    assert [p.work_ns for p in first] != [p.work_ns for p in second]


def test_load_stretches_arrivals_and_keeps_the_work() -> None:
    """Half the load is the same tasks at twice the distances."""
    made = scenario()
    calm, busy = (
        draw_tasks(made, demand_for(made, load).rate_per_s, 100, seed=3) for load in (0.4, 0.8)
    )

    assert calm.work_ns.tolist() == busy.work_ns.tolist()
    assert calm.kind.tolist() == busy.kind.tolist()
    assert calm.arrival_ns[-1] / busy.arrival_ns[-1] == pytest.approx(2.0)


def test_work_of_one_kind_does_not_depend_on_the_others() -> None:
    """A kind's stream is its own: renaming one agent leaves the work of the others as it was."""
    made = scenario()
    head, *rest = made.kinds
    renamed = replace(head, agent=replace(head.agent, name="renamed"))
    other = replace(made, kinds=(renamed, *rest))
    before, after = (draw_tasks(it, 1.0, 200, seed=5) for it in (made, other))

    assert before.work_ns[before.kind > 0].tolist() == after.work_ns[after.kind > 0].tolist()
    assert before.work_ns[before.kind == 0].tolist() != after.work_ns[after.kind == 0].tolist()


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_the_load_is_what_a_blind_policy_is_busy_with(load: float) -> None:
    """Spread over all models and without fetching, a fleet is about as busy as the load says."""
    made = replace(agents(), dataset_bytes={})
    busy = run(made, policy="random", load=load, tasks=1_500).busy_percent

    assert busy == pytest.approx(100 * load, rel=0.15)


def test_no_choice_of_models_beats_the_perfect_one() -> None:
    """The linear program's load lies below that of mean speeds, and grows with it."""
    low, high = (demand_for(agents(), load) for load in (0.4, 0.8))

    assert low.perfect_load < low.load
    assert high.perfect_load == pytest.approx(2 * low.perfect_load)
