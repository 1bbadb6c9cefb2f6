"""Each plugin's score on clusters small enough to work out by hand from the source."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpu_fleet.admission import Requirement, SelectorTerm, Toleration
from gpu_fleet.nodes import Taint
from simulations.kube.go_math import go_log, go_round
from simulations.kube.objects import (
    HOSTNAME,
    ZONE,
    KubePod,
    NodeImage,
    PreferredNodes,
    SpreadConstraint,
    WeightedPodTerm,
)
from simulations.kube.plugins import (
    balanced_allocation,
    image_locality,
    inter_pod_affinity,
    node_affinity,
    node_resources_fit,
    pod_topology_spread,
    taint_toleration,
)
from simulations.kube.profile import DEFAULT, Allocation, Profile
from tests.simulations.kube.small import app, cluster_of, node, pod, pods_called

if TYPE_CHECKING:
    from simulations.kube.cluster import KubeCluster

SOFT = Taint("old", "", "PreferNoSchedule")
MOST = Profile(allocation=Allocation.MOST)
MIB = 1 << 20


def everywhere(cluster: KubeCluster) -> np.ndarray:
    """All slots."""
    return np.arange(len(cluster))


def test_allocation_is_a_mean_of_whole_percents() -> None:
    """CPU 1 of 3 is 66 left, memory 1 of 7 is 85 left: (66 + 85) // 2, and 33, 14 when packing."""
    cluster = cluster_of(node("a", 3_000, 7))

    least = node_resources_fit.score(cluster, pod("p"), everywhere(cluster), DEFAULT)
    most = node_resources_fit.score(cluster, pod("p"), everywhere(cluster), MOST)

    assert least.tolist() == [75]
    assert most.tolist() == [23]


def test_pods_that_ask_for_nothing_count_when_allocation_is_scored() -> None:
    """Ten of them hold 1,000 m of 2,000 m: the eleventh leaves 45 %, although all could go."""
    cluster = cluster_of(node("a", 2_000, 1_000))
    for number in range(10):
        cluster.place(KubePod(f"idle-{number}"), "a")

    score = node_resources_fit.score(cluster, KubePod("p"), everywhere(cluster), DEFAULT)

    assert score.tolist() == [(45 + 99) // 2]
    assert node_resources_fit.fits(cluster, pod("p", cpu=2_000), DEFAULT)[0]


def test_a_resource_beyond_two_counts_for_pods_that_ask_for_it() -> None:
    """With GPUs among the scored resources, a pod without them is scored by CPU alone."""
    gpus = Profile(allocation=Allocation.MOST, fit_resources=(("cpu", 1), ("gpu", 3)))
    cluster = cluster_of(node("a", 4_000))
    cluster.offered("gpu")[0] = 4
    asking = KubePod("p", requests={"gpu": 2}, scored_cpu_milli=1_000)

    with_gpus = node_resources_fit.score(cluster, asking, everywhere(cluster), gpus)
    without = node_resources_fit.score(cluster, pod("q"), everywhere(cluster), gpus)

    assert with_gpus.tolist() == [(25 + 3 * 50) // 4]
    assert without.tolist() == [25]


@pytest.mark.parametrize(
    ("there", "cpu", "gib", "score"),
    [
        ((0, 0), 2_000, 2, 75),  # as even as before
        ((0, 0), 5_000, 1, 65),  # 0.5 and 0.1: evenness falls from 100 to 80
        ((5_000, 0), 0, 5, 87),  # 0.5 and 0 becomes 0.5 and 0.5: from 75 to 100, 50 + 75 // 2
    ],
)
def test_balance_is_what_a_pod_changes(
    there: tuple[int, int], cpu: int, gib: int, score: int
) -> None:
    """50 + (50 + evenness after - evenness before) / 2, the formula of 1.37."""
    cluster = cluster_of(node("a"))
    cluster.place(pod("q", *there), "a")

    balance = balanced_allocation.score(cluster, pod("p", cpu, gib), everywhere(cluster), DEFAULT)

    assert balance is not None
    assert balance.tolist() == [score]


def test_balance_has_nothing_to_say_about_pods_that_ask_for_nothing() -> None:
    """Such pods are left out of this score, or one node would collect them all."""
    cluster = cluster_of(node("a"))

    assert balanced_allocation.score(cluster, KubePod("p"), everywhere(cluster), DEFAULT) is None


def test_soft_taints_cost_points_by_the_most_of_them() -> None:
    """Two, one and none of them give 0, 50 and 100; a toleration counts as none."""
    twice = (SOFT, Taint("noisy", "", "PreferNoSchedule"))
    cluster = cluster_of(node("a", taints=twice), node("b", taints=(SOFT,)), node("c"))
    tolerant = pod("p", tolerations=(Toleration("old", "Exists"),))

    plain = taint_toleration.score(cluster, pod("p"), everywhere(cluster), DEFAULT)
    excused = taint_toleration.score(cluster, tolerant, everywhere(cluster), DEFAULT)

    assert plain.tolist() == [0, 50, 100]
    assert excused.tolist() == [0, 100, 100]


def test_liked_labels_add_up() -> None:
    """Weights 3 and 4: a node that meets both is 100, one of them 42 or 57, none 0."""
    nodes = [
        node(name, labels=labels)
        for name, labels in (("a", {"x": "1", "y": "1"}), ("b", {"x": "1"}), ("c", {"y": "1"}))
    ]
    cluster = cluster_of(*nodes, node("d"))
    likes = tuple(
        PreferredNodes(weight, SelectorTerm(labels=(Requirement(key, "Exists"),)))
        for key, weight in (("x", 3), ("y", 4))
    )

    score = node_affinity.score(
        cluster, pod("p", preferred_nodes=likes), everywhere(cluster), DEFAULT
    )

    assert score is not None
    assert score.tolist() == [100, 42, 57, 0]


def test_images_count_by_size_and_by_how_many_have_them() -> None:
    """1,954 MiB on half of the nodes count 977; with one container that is 97 of 100."""
    held = (NodeImage(("img:1",), 1_954 * MIB),)
    cluster = cluster_of(node("a", images=held), node("b"))

    score = image_locality.score(cluster, pod("p", images=("img:1",)), everywhere(cluster), DEFAULT)

    assert score is not None
    assert score.tolist() == [100 * (977 - 23) // 977, 0]


def test_soft_spread_prefers_the_emptier_zone() -> None:
    """Two pods in zone x, none in y: costs are 2 log 4 + 0 and 0, so the scores are 0 and 100."""
    cluster = cluster_of(node("a", zone="x"), node("b", zone="y"), node("c"))
    for number in range(2):
        cluster.place(pod(f"q{number}", labels={"app": "w"}), "a")
    spread = (SpreadConstraint(ZONE, 1, hard=False, selector=app("w")),)

    score = pod_topology_spread.score(
        cluster, pod("p", labels={"app": "w"}, spread=spread), everywhere(cluster), DEFAULT
    )

    assert score is not None
    assert score.tolist() == [0, 100, 0]


def test_the_systems_own_spread_needs_a_service() -> None:
    """Hosts with max skew 3 and zones with 5: the node with a pod costs more in both."""
    cluster = cluster_of(node("a", zone="x"), node("b", zone="y"), node("c"))
    cluster.place(pod("q", labels={"app": "w"}), "a")
    served = pod("p", labels={"app": "w"}, default_spread=app("w"))

    score = pod_topology_spread.score(cluster, served, everywhere(cluster), DEFAULT)
    unserved = pod_topology_spread.score(cluster, pod("p"), everywhere(cluster), DEFAULT)

    # Costs: a: 1 x log 5 + 2 + 1 x log 5 + 4 = 9.2, b: 2 + 4 = 6, c has no zone: 2.
    assert unserved is None
    assert score is not None
    assert score.tolist() == [100 * (9 + 2 - cost) // 9 for cost in (9, 6, 2)]


def test_affinity_works_both_ways_and_is_stretched() -> None:
    """A pod's own wish +10 in zone x, another's dislike -5 on its host: -5, 10 and 0 of 15."""
    cluster = cluster_of(
        node("a", zone="x"), node("b", zone="x"), node("c", zone="y"), node("d", zone="y")
    )
    cluster.place(pod("liked", labels={"app": "web"}), "b")
    shy = (WeightedPodTerm(-5, pods_called("new", HOSTNAME)),)
    cluster.place(pod("shy", labels={"app": "shy"}, preferred_pods=shy), "c")
    wish = (WeightedPodTerm(10, pods_called("web", ZONE)),)

    score = inter_pod_affinity.score(
        cluster,
        pod("p", labels={"app": "new"}, preferred_pods=wish),
        everywhere(cluster),
        DEFAULT,
    )

    assert score is not None
    assert score.tolist() == [100, 100, 0, 100 * 5 // 15]


def test_required_affinity_of_others_draws_a_little() -> None:
    """A pod that must be with `new` pods adds the hard weight, 1, in its zone."""
    cluster = cluster_of(node("a", zone="x"), node("b", zone="y"))
    must = (pods_called("new", ZONE),)
    cluster.place(pod("q", labels={"app": "new"}, with_pods=must), "a")

    score = inter_pod_affinity.score(
        cluster, pod("p", labels={"app": "new"}), everywhere(cluster), DEFAULT
    )

    assert score is not None
    assert score.tolist() == [100, 0]


def test_the_logarithm_is_gos() -> None:
    """FNV-1a over the bits of log 2 to log 20002, as a Go 1.26 program printed it."""
    mask, hashed = (1 << 64) - 1, 0xCBF29CE484222325
    for number in range(2, 20_003):
        for byte in struct.pack("<d", go_log(float(number))):
            hashed = ((hashed ^ byte) * 0x100000001B3) & mask

    assert hashed == 0x2D0FAA3CDD01273D


def test_halves_are_rounded_up() -> None:
    """Python would round 0.5 and 2.5 to even; Go rounds them away from zero."""
    rounded = go_round(np.array([0.5, 2.5, 0.49999999999999994, 3.2]))

    assert rounded.tolist() == [1, 3, 0, 3]
