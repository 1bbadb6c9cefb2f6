"""One policy object, two hosts: bytes of the wire and the simulator's Placer say the same.

Through 1,000 drawn states the scores that go out equal the rank-encoded totals of the simulation's
own cache, and the 10 is the node that the Placer takes. A term that is replaced changes both alike.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.pods import Pod
from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.answers import Entry
from scheduler_extender.extender import Extender
from scheduler_extender.objects.nodes import ObservedNode
from scheduler_extender.objects.observed import ObservedPod
from scheduler_extender.placement.choice import TieBreak, rank_encode
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.pod_mix import PodMix
from scheduler_extender.wire import NamesPieces, Words, encode_priorities
from simulations.placer import Placer
from tests.fleets import fleets, node, pod_lists, shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gpu_fleet.nodes import Node


class Constant:
    """A term that says the same of every node but one."""

    name = "stranding"

    def applies(self, view: ClusterView, shape_id: int) -> bool:  # noqa: ARG002 - part of the seam
        """Always."""
        return True

    def losses(
        self,
        view: ClusterView,
        shape_id: int,  # noqa: ARG002 - part of the seam
        columns: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """More for nodes whose key is odd."""
        return (view.order_key[columns] & 1) * 10**15

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:  # noqa: ARG002 - as above
        """No reason."""
        return "for nothing"


@cache
def policy_of(host: str, *, replaced: bool) -> LeastLoss:  # noqa: ARG001 - one object each
    """A host's policy, perhaps with one term replaced; made once, for its tables take a while."""
    shares = [shape(gpus=1, milli=milli) for milli in (190, 300, 500)]
    policy = LeastLoss(PodMix.of([*shares, shape(cpus=4, gpus=1), shape(gpus=4)]), kernels=False)
    if replaced:
        policy.replace_term(Constant())
    return policy


def both_sides(
    nodes: tuple[Node, ...], pods: tuple[Pod, ...], *, replaced: bool
) -> list[tuple[bytes, bytes, str | None, str | None]]:
    """For each pod: bytes and best node of the wire, and of the simulation."""
    extender = Extender(policy_of("wire", replaced=replaced))
    extender.vouch(0)
    view = ClusterView.of(nodes)
    policy = policy_of("simulation", replaced=replaced)
    placer = Placer(policy, view, TieBreak.FIXED, seed=1)
    for each in nodes:
        extender.ledger.node_seen(ObservedNode(each))
    names = tuple(each.name for each in nodes)
    pieces = NamesPieces(json.dumps(names).encode(), names, Words())
    found = []
    for sequence, pod in enumerate(pods):
        shape_id = view.intern(pod.shape)
        totals = placer._cache.totals(shape_id)
        scores = rank_encode(totals, view.order_key[: view.slots])
        theirs = json.dumps(
            [
                {"Host": name, "Score": int(score)}
                for name, score in zip(names, scores, strict=True)
                if score
            ],
            separators=(",", ":"),
        ).encode()
        somewhere = bool((totals != INFEASIBLE).any())
        decision = placer.place(pod.name, shape_id, sequence)
        taken = None if decision is None else view.node(decision.slot).name
        if not somewhere:
            continue
        seen = ObservedPod(pod.name, f"ml/{pod.name}", 0, pod.shape)
        asked = extender.look_up(names)
        extender.filter(Entry.SCORER, seen, asked, 0)
        answer = extender.prioritize(Entry.SCORER, seen, asked, 0)
        best = None if answer.best is None else names[answer.best]
        extender.pod_seen(ObservedPod(pod.name, seen.name, 1, pod.shape, node=best), 0)
        found.append((encode_priorities(answer, pieces), theirs, best, taken))
    return found


def check(nodes: tuple[Node, ...], pods: tuple[Pod, ...], *, replaced: bool) -> None:
    """Both hosts say the same of every pod."""
    for ours, theirs, best, taken in both_sides(nodes, pods, replaced=replaced):
        assert theirs == ours
        assert taken == best


STATES = {"nodes": fleets(), "pods": pod_lists(3), "replaced": st.booleans()}
SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(SLOW, max_examples=60)
@given(**STATES)
def test_states_score_byte_for_byte_alike(
    nodes: tuple[Node, ...], pods: tuple[Pod, ...], *, replaced: bool
) -> None:
    """The same bytes and the same best node, with the policy's own terms and with one replaced."""
    check(nodes, pods, replaced=replaced)


@pytest.mark.prove
@settings(SLOW, max_examples=1_000)
@given(**STATES)
def test_a_thousand_states_score_byte_for_byte_alike(
    nodes: tuple[Node, ...], pods: tuple[Pod, ...], *, replaced: bool
) -> None:
    """The same over a thousand states."""
    check(nodes, pods, replaced=replaced)


def test_replacing_a_term_changes_what_goes_out() -> None:
    """The constant term decides, on the wire as in the simulation."""
    nodes = tuple(node(f"node-{at}") for at in range(6))
    pods = (Pod("pod", shape(gpus=1, milli=300)),)
    before, after = (both_sides(nodes, pods, replaced=replaced)[0] for replaced in (False, True))

    assert before[0] != after[0]
    assert before[1] == before[0]
    assert after[1] == after[0]
