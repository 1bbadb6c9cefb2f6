"""The term `capability`: pods pay for their seat, prices follow the fleet and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.nodes import Device, Node
from gpu_fleet.pods import PodShape
from gpu_fleet.scores import MICRO
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.model_price import ModelOffer
from scheduler_extender.placement.pod_mix import MixClass, PodMix
from scheduler_extender.placement.score_cache import ScoreCache
from scheduler_extender.placement.terms.capability import Capability, offers_of
from scheduler_extender.placement.terms.expectations import Expectations
from scheduler_extender.placement.terms.specialisation import bind
from tests.scheduler_extender.placement.test_gpu_models_have_prices import CHAT, GIB, LAW

ASKED = PodShape(1_000, GIB, 1)
LAW_POD, CHAT_POD = bind(ASKED, LAW), bind(ASKED, CHAT)
MIX = PodMix((MixClass(LAW_POD, 2, 60), MixClass(CHAT_POD, 1, 60)))
EXPECT = Expectations(MIX.lifetimes_s(), agents={"law": LAW, "chat": CHAT})


def node(name: str, model: str | None, gpus: int) -> Node:
    """A node with CPU and memory in plenty."""
    return Node(name, 64_000, 256 * GIB, (Device(),) * gpus, model)


def fleet() -> ClusterView:
    """The worked example's: two A100s, eight T4s."""
    nodes = (node("strong", "A100", 2), node("t0", "T4", 4), node("t1", "T4", 4))
    view = ClusterView.of(nodes)
    for entry in MIX.classes:
        view.intern(entry.shape)
    return view


def lost(view: ClusterView, shape: PodShape, on: str) -> dict[str, str]:
    """Whole GPU-seconds and why, by term."""
    (score,) = LeastLoss(MIX, EXPECT).explain(view, view.intern(shape), np.array([view.slot(on)]))
    return {term.name: f"{term.loss / MICRO:.0f} {term.why}" for term in score.terms}


def test_the_worked_example_is_explained() -> None:
    """Chat would take 180 GPU-seconds from law, or lose 15 itself."""
    strong, slow = lost(fleet(), CHAT_POD, "strong"), lost(fleet(), CHAT_POD, "t0")

    assert strong["capability"] == "180 for taking 1 x A100 from agents that need it"
    assert slow["capability"].startswith("0 ")
    assert slow["specialisation"] == "15 because chat is slower on T4"


def test_law_is_worth_as_much_on_either() -> None:
    """It is the agent that gives way, so the price is what the slower model costs it."""
    strong, slow = lost(fleet(), LAW_POD, "strong"), lost(fleet(), LAW_POD, "t0")

    assert strong["capability"].startswith("180 ")
    assert slow["specialisation"].startswith("180 ")


def test_parts_of_a_gpu_pay_their_part() -> None:
    """And say so."""
    half = replace(CHAT_POD, gpu_milli=500)
    expect = replace(EXPECT, lifetimes_s={**EXPECT.lifetimes_s, half: 60})
    view = fleet()
    strong = np.array([view.slot("strong")])
    (score,) = LeastLoss(MIX, expect).explain(view, view.intern(half), strong)
    term = next(term for term in score.terms if term.name == "capability")

    assert term.loss == 90 * MICRO
    assert term.why == "for taking 0.5 x A100 from agents that need it"


def test_who_is_merely_faster_takes_the_next_model() -> None:
    """Chat goes to a T4 as long as law is short of A100s, though these are free and faster."""
    view, policy = fleet(), LeastLoss(MIX, EXPECT)
    totals = policy.totals(view, view.intern(CHAT_POD), view.live_slots())

    assert view.node(int(np.argmin(totals))).gpu_model == "T4"


def test_without_agents_it_is_not_asked() -> None:
    """Nothing is charged and nothing is spent where nobody states speeds."""
    view = fleet()
    plain = view.intern(ASKED)
    no_gpu = view.intern(PodShape(1_000, GIB))

    assert not Capability(PodMix((MixClass(ASKED, 9),)), Expectations()).applies(view, plain)
    assert not Capability(MIX, EXPECT).applies(view, no_gpu)
    assert Capability(MIX, EXPECT).applies(view, plain)


def test_pods_do_not_move_prices_and_nodes_do() -> None:
    """A version that changed with every placement would cost every cached score."""
    view, policy = fleet(), LeastLoss(MIX, EXPECT)
    before = policy.version(view)
    view.place("p", view.intern(CHAT_POD), view.slot("t0"), (0,))
    placed = policy.version(view)
    view.add_node(node("new", "A100", 16))
    grown = policy.version(view)

    assert before == placed != grown
    assert policy.capability.prices(view) == (0, 0, 0)


def test_cached_scores_follow_the_fleet() -> None:
    """A cache that was filled before the fleet grew answers as one that starts now."""
    view, policy = fleet(), LeastLoss(MIX, EXPECT)
    chat = view.intern(CHAT_POD)
    cache = ScoreCache(policy, view)
    old = cache.totals(chat).copy()
    view.add_node(node("new", "A100", 16))
    now = cache.totals(chat).copy()

    assert now.tolist() == ScoreCache(LeastLoss(MIX, EXPECT), view).totals(chat).tolist()
    assert now[view.slot("strong")] < old[view.slot("strong")]


def test_prices_do_not_remember_how_the_fleet_became_so() -> None:
    """A node that came and went leaves no trace."""
    view, term = fleet(), Capability(MIX, EXPECT)
    first = term.prices(view)
    view.add_node(node("new", "A100", 16))
    assert term.prices(view) != first
    view.remove_node("new")

    assert term.prices(view) == first


def test_another_mix_brings_other_prices() -> None:
    """Without law nobody needs the A100s."""
    view, policy = fleet(), LeastLoss(MIX, EXPECT)
    assert policy.capability.prices(view) == (3_000, 0, 0)
    before = policy.version(view)
    policy.learn(PodMix((MixClass(ASKED, 9, 60),)))

    assert policy.capability.prices(view) == (0, 0, 0)
    assert policy.version(view) != before


def test_offers_are_what_is_healthy_in_two_digits() -> None:
    """137 GPUs count as 140; sick ones do not count; a node need not state its model."""
    view = ClusterView.of(
        [
            *(node(f"t{index:03d}", "T4", 1) for index in range(137)),
            Node("sick", 1_000, GIB, (Device(healthy=False), Device(memory_mib=80 * GIB)), "A100"),
            node("plain", None, 3),
            Node("cpu", 1_000, GIB),
        ]
    )

    assert offers_of(view) == (
        ModelOffer(None, 3, -1, 3),
        ModelOffer("A100", 1, 80 * GIB, 1),
        ModelOffer("T4", 140, -1, 1),
    )
