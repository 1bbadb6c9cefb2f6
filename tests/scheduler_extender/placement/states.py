"""Fleets in the middle of their lives: what policies and terms are tested on.

Every state is a view with pods on it, put wherever they fit, as history leaves them. This module
must not use a policy to place: it would only ever see states that this policy makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from gpu_fleet.agents import AgentProfile
from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.refusals import Refusal
from scheduler_extender.placement.feasibility import open_list, reasons
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.pod_mix import PodMix
from scheduler_extender.placement.registry import POLICIES, build_policy
from scheduler_extender.placement.terms.expectations import Expectations
from scheduler_extender.placement.terms.specialisation import bind
from tests.baselines.fgd_s import FgdS
from tests.fleets import fleets, node, shape, shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import PodShape
    from gpu_fleet.protocols import PlacementPolicy

__all__ = ["ALL_POLICIES", "WITH_KERNELS", "State", "agents_at_work", "build", "fill", "states"]

ALL_POLICIES = (*POLICIES, "fgd-s")
"""Every policy of the registry, and the baseline that only tests know."""
WITH_KERNELS = ("least-loss", "fgd", "fgd-s")


@dataclass(frozen=True)
class State:
    """A view, and the shapes that may come."""

    view: ClusterView
    shapes: tuple[PodShape, ...]

    @property
    def ids(self) -> list[int]:
        """The shapes as the view numbers them."""
        return [self.view.intern(each) for each in self.shapes]

    @property
    def mix(self) -> PodMix:
        """All shapes, the first more often than the others."""
        return PodMix.of((*self.shapes, self.shapes[0]))

    @property
    def columns(self) -> NDArray[np.int64]:
        """Every slot."""
        return np.arange(self.view.slots)


def build(name: str, mix: PodMix, *, kernels: bool | None = False) -> PlacementPolicy:
    """A policy of `ALL_POLICIES`."""
    if name == "fgd-s":
        return FgdS(mix, kernels=kernels)
    return build_policy(name, mix, kernels=kernels)


def fill(view: ClusterView, asked: tuple[PodShape, ...], moves: list[tuple[int, int]]) -> None:
    """Put pods on nodes, each move a shape and a slot, wherever that fits."""
    for at, (kind, where) in enumerate(moves):
        shape_id, slot = view.intern(asked[kind % len(asked)]), where % view.slots
        if reasons(view, shape_id, np.array([slot]))[0] != Refusal.NONE:
            continue
        # From the last device on: policies take the first, and would never leave such holes.
        found = [device for _, device in open_list(view, shape_id, slot)][::-1]
        count = int(view.shapes.gpu_count[shape_id])
        view.place(f"resident-{at}", shape_id, slot, tuple(found[:count]))


@st.composite
def states(draw: st.DrawFn, most_nodes: int = 7) -> State:
    """Any small fleet with pods on it."""
    nodes: tuple[Node, ...] = draw(fleets(most=most_nodes))
    asked = tuple(draw(st.lists(shapes(), min_size=1, max_size=5, unique=True)))
    view = ClusterView.of(nodes)
    moves = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=15))
    fill(view, asked, moves)
    return State(view, asked)


def agents_at_work() -> tuple[State, LeastLoss]:
    """A state in which every term of `least-loss` has something to say, and the policy for it."""
    agents = {
        "coder": AgentProfile(
            "coder", ("code",), ("weights",), 10_000, {"A": 1_000, "B": 400, "C": 200}
        ),
        "reader": AgentProfile(
            "reader", ("law",), ("corpus", "nowhere"), 0, {"A": 1_000, "B": 990}
        ),
    }
    view = ClusterView.of(
        [
            node("a-0", gpus=4, model="A", gpu_gib=80),
            node("b-2", gpus=8, cpus=64, memory_gib=256, model="B", gpu_gib=24),
            node("b-0", gpus=4, model="B", gpu_gib=24),
            node("b-1", gpus=8, cpus=64, memory_gib=256, model="B", gpu_gib=24),
            node("c-0", gpus=2, model="C", gpu_gib=16),
        ]
    )
    asked = (
        bind(shape(cpus=2, gpus=1, milli=500), agents["coder"]),
        bind(shape(cpus=4, gpus=1), agents["coder"]),
        bind(shape(cpus=1, gpus=1, milli=300), agents["reader"]),
        shape(cpus=8, gpus=8, memory_gib=64),
        shape(cpus=2),
    )
    for at, (name, size) in enumerate((("weights", 20_000_000_000), ("corpus", 5_000_000_000))):
        view.define_dataset(name, size)
        view.hold(at, at)
    fill(view, asked, [(0, 0), (2, 0), (1, 2), (2, 3), (4, 1), (2, 4)])
    mix = PodMix.of((*asked[:3] * 3, *asked), dict.fromkeys(asked, 3_600))
    policy = LeastLoss(mix, Expectations(lifetimes_s=mix.lifetimes_s(), agents=agents))
    return State(view, asked), policy
