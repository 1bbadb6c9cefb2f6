"""Prices of GPU models: the worked example by hand, and what no mix or fleet may do to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_fleet.admission import Admission
from gpu_fleet.agents import AgentProfile
from gpu_fleet.pods import PodShape
from scheduler_extender.placement.model_price import ModelOffer, model_prices
from scheduler_extender.placement.pod_mix import MixClass, PodMix
from scheduler_extender.placement.terms.expectations import Expectations
from scheduler_extender.placement.terms.specialisation import bind

if TYPE_CHECKING:
    from random import Random

GIB = 1_024
LAW = AgentProfile("law", speed_permille={"A100": 1_000, "T4": 250})
CHAT = AgentProfile("chat", speed_permille={"A100": 1_000, "T4": 800})
A100, T4 = ModelOffer("A100", 2, 80 * GIB, 2), ModelOffer("T4", 8, 15 * GIB, 4)


def prices(asked: list[tuple[AgentProfile, int]], *offers: ModelOffer) -> dict[str | None, int]:
    """Prices where tasks of these agents come so often, each for a minute on one GPU."""
    kinds = [(bind(PodShape(1_000, GIB, 1), agent), count) for agent, count in asked]
    mix = PodMix(tuple(MixClass(kind, count, 60) for kind, count in kinds))
    expect = Expectations(mix.lifetimes_s(), agents={agent.name: agent for agent, _ in asked})
    return dict(model_prices(mix, expect, offers))


def test_the_worked_example() -> None:
    """Law takes 4 s on a T4 for each on an A100 and has too few of these: a second saves 3."""
    assert prices([(LAW, 2), (CHAT, 1)], A100, T4) == {"A100": 3_000, "T4": 0}


def test_the_agent_that_gives_way_sets_the_price() -> None:
    """With A100s for all of law and some of chat, a second more moves chat, and saves 0.25."""
    assert prices([(LAW, 1), (CHAT, 1)], A100, T4) == {"A100": 250, "T4": 0}


def test_what_is_not_scarce_costs_nothing() -> None:
    """Everybody finds room on his best model."""
    assert prices([(LAW, 1)], replace(A100, gpus=20), T4) == {"A100": 0, "T4": 0}


def test_without_speeds_no_model_is_better() -> None:
    """Pods that name models, and too few of these, are not agents: openb has no prices."""
    only_a100 = replace(PodShape(1_000, GIB, 1), admission=Admission(gpu_models=("A100",)))
    mix = PodMix((MixClass(only_a100, 9), MixClass(PodShape(1_000, GIB, 1), 1)))

    assert model_prices(mix, Expectations(), (A100, T4)) == {"A100": 0, "T4": 0}


def test_memory_keeps_agents_to_large_gpus() -> None:
    """Agents that fit on nothing else and still find no room: the price is high, and bounded."""
    large = AgentProfile("large", needs_gpu_memory_mib=40 * GIB)

    assert prices([(large, 3), (CHAT, 1)], A100, T4) == {"A100": 9_000, "T4": 0}


def test_gangs_keep_to_wide_nodes() -> None:
    """Four GPUs in one node: there are two A100s on a node, so law has only T4s."""
    four = bind(PodShape(1_000, GIB, 4), LAW)
    mix = PodMix((MixClass(four, 1, 60),))
    expect = Expectations(mix.lifetimes_s(), agents={"law": LAW})

    assert model_prices(mix, expect, (replace(A100, gpus=1_000), T4))["A100"] == 0


@pytest.mark.parametrize(("a100s", "price"), [(9, 0), (8, 9_000)])
def test_of_several_solutions_the_lowest_prices_count(a100s: int, price: int) -> None:
    """Work that fills its model to the last second would do with any price from 0 up."""
    only_a100 = AgentProfile("law", speed_permille={"A100": 1_000})
    others = replace(T4, gpus=10 - a100s)

    assert prices([(only_a100, 1)], replace(A100, gpus=a100s), others)["A100"] == price


@pytest.mark.parametrize("offers", [(), (replace(A100, gpus=0),), (replace(T4, model=None),)])
def test_fleets_that_no_agent_can_use_have_no_prices(offers: tuple[ModelOffer, ...]) -> None:
    """No GPU at all, none of a stated model."""
    assert set(prices([(LAW, 1)], *offers).values()) <= {0}


SPEEDS = st.dictionaries(st.sampled_from("ABC"), st.sampled_from((50, 250, 333, 800, 1_000)))
ASKED = st.lists(st.tuples(SPEEDS, st.integers(1, 9)), min_size=1, max_size=5)
GPUS = st.lists(st.integers(1, 99), min_size=3, max_size=3)


@settings(max_examples=30)
@given(ASKED, GPUS, st.randoms(use_true_random=False))
def test_prices_depend_on_proportions_alone(
    asked: list[tuple[dict[str, int], int]], gpus: list[int], order: Random
) -> None:
    """Not on the order of agents or models, nor on how many fleets or days are counted."""
    agents = [(AgentProfile(f"a{i}", speed_permille=s), n) for i, (s, n) in enumerate(asked)]
    offers = [ModelOffer(name, n, -1, 8) for name, n in zip("ABC", gpus, strict=True)]
    first = prices(agents, *offers)
    order.shuffle(agents)
    order.shuffle(offers)
    twice = [replace(offer, gpus=2 * offer.gpus) for offer in offers]

    assert all(0 <= price <= 9_000 for price in first.values())
    assert prices([(agent, 3 * n) for agent, n in agents], *twice) == first
