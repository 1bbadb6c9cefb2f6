"""Each filter on clusters small enough to see why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.admission import Requirement, SelectorTerm, Toleration
from gpu_fleet.nodes import Taint
from simulations.kube.objects import CPU, HOSTNAME, ZONE, KubePod, SpreadConstraint
from simulations.kube.profile import DEFAULT, Profile
from simulations.kube.scheduler import refusals, schedule
from tests.simulations.kube.small import app, cluster_of, node, pod, pods_called

if TYPE_CHECKING:
    from simulations.kube.cluster import KubeCluster

CORDON = Toleration("node.kubernetes.io/unschedulable", "Exists", effect="NoSchedule")


def allowed(cluster: KubeCluster, wanted: KubePod, profile: Profile = DEFAULT) -> set[str]:
    """The nodes that one cycle finds feasible."""
    return set(schedule(cluster, wanted, profile).candidates)


def test_a_full_node_is_refused_by_amount_and_by_number() -> None:
    """CPU that is taken, and a limit of pods that is reached, each refuse a node."""
    cluster = cluster_of(node("a", 1_000), node("b", most_pods=1), node("c"))
    cluster.place(pod("q", cpu=500), "a")
    cluster.place(pod("r"), "b")

    assert allowed(cluster, pod("p", cpu=600)) == {"c"}
    assert refusals(cluster, pod("p", cpu=600)) == {"NodeResourcesFit": 2}


def test_what_an_extender_counts_is_not_counted_here() -> None:
    """A resource that nobody offers is no obstacle once the profile ignores it."""
    cluster = cluster_of(node("a"), node("b"))
    share = KubePod("p", requests={"gpu-share": 1, CPU: 100})
    ignoring = Profile(ignored_resources=frozenset({"gpu-share"}))

    assert allowed(cluster, share) == set()
    assert allowed(cluster, share, ignoring) == {"a", "b"}


def test_taints_and_cordons_refuse_who_does_not_tolerate_them() -> None:
    """A toleration opens exactly what it names."""
    team = Taint("team", "x", "NoSchedule")
    cluster = cluster_of(node("a", taints=(team,)), node("b", cordoned=True), node("c"))
    tolerant = pod("p", tolerations=(Toleration("team", "Equal", "x", "NoSchedule"),))

    assert allowed(cluster, pod("p")) == {"c"}
    assert allowed(cluster, tolerant) == {"a", "c"}
    assert allowed(cluster, pod("p", tolerations=(CORDON,))) == {"b", "c"}


def test_one_required_term_is_enough_and_the_selector_always_counts() -> None:
    """Terms are alternatives; the node selector must hold beside them."""
    cluster = cluster_of(
        node("a", labels={"disk": "fast", "r": "1"}),
        node("b", labels={"disk": "slow", "r": "9"}),
        node("c", labels={"disk": "slow", "r": "1"}),
    )
    terms = (
        SelectorTerm(labels=(Requirement("disk", "In", ("fast",)),)),
        SelectorTerm(labels=(Requirement("r", "Gt", ("5",)),)),
    )

    assert allowed(cluster, pod("p", node_terms=terms)) == {"a", "b"}
    slow = pod("p", node_terms=terms, node_selector=(("disk", "slow"),))
    assert allowed(cluster, slow) == {"b"}
    assert allowed(cluster, pod("p", node_terms=())) == set()


def test_a_pod_may_name_its_nodes() -> None:
    """`metadata.name In` limits the search itself; terms that contradict themselves end it."""
    cluster = cluster_of(node("a"), node("b"), node("c"))

    def by_name(*names: str) -> tuple[Requirement, ...]:
        return (Requirement("metadata.name", "In", names),)

    assert allowed(cluster, pod("p", node_terms=(SelectorTerm(fields=by_name("b", "x")),))) == {"b"}
    torn = SelectorTerm(fields=(*by_name("a"), *by_name("b")))
    assert allowed(cluster, pod("p", node_terms=(torn,))) == set()


@pytest.mark.parametrize(
    ("skew", "domains", "names"),
    [(1, 1, {"b"}), (2, 1, {"a", "b"}), (2, 3, {"b"})],
    ids=["skew 1", "skew 2", "too few zones"],
)
def test_hard_spread_limits_the_lead_of_a_zone(skew: int, domains: int, names: set[str]) -> None:
    """Zone x holds two, y one: a third in x leads by two, or by three where zones are too few."""
    cluster = cluster_of(node("a", zone="x"), node("b", zone="y"), node("c"))
    for name, where in (("q", "a"), ("r", "a"), ("s", "b")):
        cluster.place(pod(name, labels={"app": "w"}), where)
    spread = SpreadConstraint(ZONE, skew, hard=True, selector=app("w"), min_domains=domains)

    wanted = pod("p", labels={"app": "w"}, spread=(spread,))

    assert names == allowed(cluster, wanted)


def test_hard_spread_counts_only_nodes_that_the_pod_may_use() -> None:
    """An empty zone that the selector excludes does not hold the others down."""
    cluster = cluster_of(node("a", zone="x", labels={"gpu": "y"}), node("b", zone="y"))
    cluster.place(pod("q", labels={"app": "w"}), "a")
    honoring = SpreadConstraint(ZONE, 1, hard=True, selector=app("w"))
    ignoring = SpreadConstraint(ZONE, 1, hard=True, selector=app("w"), honor_affinity=False)
    selector = (("gpu", "y"),)

    def with_spread(spread: SpreadConstraint) -> KubePod:
        return pod("p", labels={"app": "w"}, node_selector=selector, spread=(spread,))

    assert allowed(cluster, with_spread(honoring)) == {"a"}
    assert allowed(cluster, with_spread(ignoring)) == set()


def test_anti_affinity_works_both_ways() -> None:
    """Neither may the shy pod come to others, nor may others come to the shy pod."""
    cluster = cluster_of(node("a", zone="x"), node("b", zone="x"), node("c", zone="y"))
    shy = pod("shy", labels={"app": "shy"}, away_from_pods=(pods_called("web", ZONE),))
    cluster.place(shy, "a")
    web = pod("p", labels={"app": "web"})

    assert allowed(cluster, web) == {"c"}
    cluster.release(shy.full_name)
    cluster.place(web, "c")
    assert allowed(cluster, shy) == {"a", "b"}


def test_affinity_wants_one_pod_that_meets_all_terms() -> None:
    """A pod must be near a `web` pod by host and by zone; the host of one is both."""
    cluster = cluster_of(node("a", zone="x"), node("b", zone="x"), node("c"))
    cluster.place(pod("q", labels={"app": "web"}), "a")
    both = (pods_called("web", ZONE), pods_called("web", HOSTNAME))

    assert allowed(cluster, pod("p", with_pods=both)) == {"a"}
    assert allowed(cluster, pod("p", with_pods=both[:1])) == {"a", "b"}


def test_the_first_of_its_kind_may_start_anywhere_with_the_label() -> None:
    """A pod that wants its own kind near is let in when there is none; others are not."""
    cluster = cluster_of(node("a", zone="x"), node("b"))
    near_own = (pods_called("new", ZONE),)

    assert allowed(cluster, pod("p", labels={"app": "new"}, with_pods=near_own)) == {"a"}
    assert allowed(cluster, pod("p", labels={"app": "old"}, with_pods=near_own)) == set()
