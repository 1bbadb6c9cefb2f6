"""Told about speeds and data, least-loss is done sooner; the same objects as the live extender."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.pod_mix import PodMix
from scheduler_extender.placement.terms.capability import Capability
from simulations.agents.rows import gather, verdict
from simulations.agents.world import AgentTrial, expectations, pod_mix, run_agents
from simulations.recipes.agents import agents
from tests.simulations.agents.small import GB, kind, node, one_kind, run, scenario

if TYPE_CHECKING:
    from scheduler_extender.placement.terms.expectations import Expectations


def test_it_prefers_the_model_on_which_the_agent_is_fast() -> None:
    """An empty fleet, one task: it goes where it works at full speed."""
    made = one_kind(
        kind("picky", {"FAST": 1_000, "SLOW": 100}),
        *(node(f"s{n}", "SLOW") for n in range(8)),
        node("f", "FAST"),
    )
    run_ = run(made, load=0.01, tasks=20)

    assert run_.losses.by_term["specialisation"] == 0


def test_it_prefers_the_node_that_holds_the_data() -> None:
    """Twenty quiet tasks on eight equal nodes fetch 100 GB once or twice, not eight times."""
    made = one_kind(
        kind("reader", {"ONE": 1_000}, data=("w",)),
        *(node(f"n{n}", "ONE") for n in range(8)),
        sizes={"w": 100 * GB},
    )
    informed = run(made, load=0.01, tasks=20, warm_up_percent=0)
    blind = run(made, policy="least-allocated", load=0.01, tasks=20, warm_up_percent=0)

    assert informed.moved_bytes < blind.moved_bytes


def test_a_term_that_is_told_nothing_changes_the_run() -> None:
    """Without expectations the same policy object knows neither agents nor speeds."""
    told = run(load=0.9)
    untold = run(load=0.9, build=lambda mix, _: LeastLoss(mix))

    assert told.losses.by_term["specialisation"] < untold.losses.by_term["specialisation"]


def test_expectations_say_how_long_each_shape_works() -> None:
    """Lifetimes come from the scenario's work, profiles and throughput with them."""
    made = scenario()
    expect = expectations(made)

    assert [expect.lifetime_s(entry.shape) for entry in pod_mix(made).classes] == [60, 60, 60]
    assert set(expect.agents) == {"part", "whole", "pair"}
    assert expect.fetch_bytes_per_s == made.fetch_bytes_per_s


@pytest.mark.parametrize("other", ["fgd", "best-fit"])
def test_it_is_ahead_on_the_bundled_agents(other: str) -> None:
    """A small form of the proof: two seeds, 600 tasks."""
    runs = [
        run_agents(AgentTrial(agents(), policy, seed, tasks=600))
        for policy in ("least-loss", other)
        for seed in (1, 2)
    ]
    ours, theirs = gather(runs)

    assert ours.completion_s().mean < 0.9 * theirs.completion_s().mean
    assert verdict([ours, theirs]).startswith("least-loss completes a task in")


def test_prices_of_models_shorten_waits_on_the_bundled_agents() -> None:
    """The same policy without prices fills the A100s with agents that are merely faster there."""

    def without_prices(mix: PodMix, expect: Expectations) -> LeastLoss:
        policy = LeastLoss(mix, expect)
        policy.replace_term(Capability(PodMix(), expect))
        return policy

    priced, plain = (
        gather(
            [
                run_agents(AgentTrial(agents(), "least-loss", seed, tasks=600, build=build))
                for seed in (1, 2)
            ]
        )[0]
        for build in (None, without_prices)
    )

    assert priced.mean("mean_wait_s") < 0.8 * plain.mean("mean_wait_s")
    assert sum(priced.lost_gpu_s_per_task().values()) < sum(plain.lost_gpu_s_per_task().values())


@pytest.mark.prove
def test_it_is_ahead_with_confidence_on_ten_seeds() -> None:
    """Must-show 5: paired 95 % intervals over seeds 42..51 exclude no gain."""
    runs = [
        run_agents(AgentTrial(agents(), policy, seed))
        for policy in ("least-loss", "fgd", "best-fit", "least-allocated")
        for seed in range(42, 52)
    ]
    ours, *others = gather(runs)
    lowest = {other.policy: ours.sooner_than(other).lo for other in others}
    lost = {result.policy: sum(result.lost_gpu_s_per_task().values()) for result in (ours, *others)}

    assert all(lo is not None and lo > 0 for lo in lowest.values()), lowest
    assert lost["least-loss"] == min(lost.values()), lost
