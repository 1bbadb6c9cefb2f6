"""The table of worked examples in docs/design/004-the-extender.md, bytes in and bytes out."""

from __future__ import annotations

import json
from typing import Any

from gpu_fleet.refusals import Refusal
from scheduler_extender.answers import Entry
from scheduler_extender.objects.observed import ObservedPod, PodReader
from scheduler_extender.wire import decode_pod
from tests.scheduler_extender.calls import S, args, extender_of, gpu_node, pod_object, share_pod


def observed(pod: dict[str, Any], node: str | None = None, version: int = 8) -> ObservedPod:
    """The pod as a watch shows it, perhaps bound."""
    pod["spec"]["nodeName"] = node
    pod["metadata"]["resourceVersion"] = str(version)
    return PodReader().read(decode_pod(json.dumps(pod).encode()))


def test_every_feasible_node_stays_and_one_is_best() -> None:
    """All three nodes are named, and there is a single 10."""
    calls = extender_of(*(gpu_node(f"n{at}") for at in range(3)))
    body = args(pod_object("p", {"nvidia.com/gpu": "1"}), ["n0", "n1", "n2"])
    kept = json.loads(calls.filter(Entry.SCORER, body, 0).body)
    ranked = json.loads(calls.prioritize(Entry.SCORER, body, 0).body)

    assert kept["NodeNames"] == ["n0", "n1", "n2"]
    assert kept["FailedAndUnresolvableNodes"] == {}
    assert [host["Host"] for host in ranked] == ["n0", "n1", "n2"]
    assert sorted(host["Score"] for host in ranked) == [8, 9, 10]


def test_where_no_node_fits_the_list_is_empty_and_each_node_has_a_constant_phrase() -> None:
    """An empty list, not null, for null would remove all nodes without a reason."""
    calls = extender_of(gpu_node("n0"), gpu_node("n1", memory_mib=8_000))
    pod = pod_object("p", {"nvidia.com/gpu": "1", "nvidia.com/gpumem": "20000"})
    reply = calls.filter(Entry.GUARD, args(pod, ["n0", "n1"]), 0)
    phrase = Refusal.GPU_MEMORY.phrase

    assert {
        "Nodes": None,
        "NodeNames": [],
        "FailedNodes": None,
        "FailedAndUnresolvableNodes": {"n0": phrase, "n1": phrase},
        "Error": "",
    } == json.loads(reply.body)


def test_a_request_without_names_and_nodes_says_what_was_expected() -> None:
    """The answer holds an error and nothing else."""
    reply = extender_of().filter(Entry.SCORER, args(share_pod("p", 600), None), 0)
    answer = json.loads(reply.body)

    assert "nodeCacheCapable names were expected" in answer.pop("Error")
    assert {None} == set(answer.values())


def test_whole_nodes_are_answered_with_whole_nodes() -> None:
    """Without a node cache, names are in the nodes, and the kept ones come back as sent."""
    calls = extender_of(gpu_node("n0"))
    nodes = [{"metadata": {"name": name}, "spec": {"x": [1]}} for name in ("n0", "n1")]
    answer = json.loads(calls.filter(Entry.GUARD, args(share_pod("p", 600), None, nodes), 0).body)

    assert [nodes[0]] == answer["Nodes"]["items"]
    assert answer["NodeNames"] is None
    assert {"n1": Refusal.NODE_UNKNOWN.phrase} == answer["FailedAndUnresolvableNodes"]


def test_asking_again_withdraws_the_pods_own_promise_first() -> None:
    """A pod never stands in its own way."""
    calls = extender_of(gpu_node("n0"))
    body = args(share_pod("p", 600), ["n0"])
    answers = {calls.filter(Entry.GUARD, body, 0).body for _ in range(3)}

    assert len(answers) == 1
    assert json.loads(answers.pop())["NodeNames"] == ["n0"]


def test_a_pod_seen_bound_elsewhere_frees_the_node_it_was_counted_on() -> None:
    """n1 is free again, n2 holds it."""
    calls = extender_of(gpu_node("n1"), gpu_node("n2"))
    view = calls.extender.ledger.view
    pod = share_pod("p", 600)
    calls.filter(Entry.GUARD, args(pod, ["n1"]), 0)
    counted = view.gpu_free_sum_milli[[view.slot("n1"), view.slot("n2")]].tolist()
    calls.extender.pod_seen(observed(pod, "n2"), 0)

    assert counted == [400, 1_000]
    assert view.gpu_free_sum_milli[[view.slot("n1"), view.slot("n2")]].tolist() == [1_000, 400]
    assert calls.extender.ledger.counts.elsewhere == 1


def test_what_no_watch_shows_ends_by_time() -> None:
    """After the TTL the promise is over, and counted."""
    calls = extender_of(gpu_node("n0"))
    calls.filter(Entry.GUARD, args(share_pod("p", 600), ["n0"]), 0)
    ended = [calls.extender.ledger.expire(now_s * S) for now_s in (29, 30, 31)]

    assert ended == [0, 1, 0]
    assert calls.extender.ledger.view.gpu_free_sum_milli[0] == 1_000


def test_two_shares_that_are_too_large_together_get_one_device_once() -> None:
    """The second call is refused that node, before any watch event."""
    calls = extender_of(gpu_node("n0"))
    first, second = (
        json.loads(calls.filter(Entry.GUARD, args(share_pod(name, 600), ["n0"]), 0).body)
        for name in ("p", "q")
    )

    assert first["NodeNames"] == ["n0"]
    assert {"n0": Refusal.GPU_FREE.phrase} == second["FailedAndUnresolvableNodes"]


def test_a_share_leaves_room_for_a_pod_that_may_be_bound_to_another_node_than_the_best() -> None:
    """A scheduler may pick any node that was named, so each of them is kept for it."""
    calls = extender_of(gpu_node("n0"), gpu_node("n1"))
    calls.filter(Entry.GUARD, args(share_pod("p", 600), ["n0", "n1"]), 0)
    calls.prioritize(Entry.GUARD, args(share_pod("p", 600), ["n0", "n1"]), 0)
    answer = json.loads(calls.filter(Entry.GUARD, args(share_pod("q", 600), ["n0", "n1"]), 0).body)

    assert answer["NodeNames"] == []
    assert {Refusal.GPU_FREE.phrase, Refusal.IN_FLIGHT.phrase} == set(
        answer["FailedAndUnresolvableNodes"].values()
    )


def test_a_stale_view_refuses_shares_and_marks_what_it_says_of_whole_gpus() -> None:
    """40 s old, limit 30 s."""
    calls = extender_of(gpu_node("n0"))
    guard = calls.filter(Entry.GUARD, args(share_pod("p", 600), ["n0"]), 40 * S)
    whole = args(pod_object("q", {"nvidia.com/gpu": "1"}), ["n0"])
    scorer = calls.filter(Entry.SCORER, whole, 40 * S)

    assert json.loads(guard.body)["FailedAndUnresolvableNodes"] == {"n0": "view is stale"}
    assert json.loads(scorer.body)["NodeNames"] == ["n0"]
    assert (scorer.stale, scorer.age_ns) == (True, 40 * S)


def test_pods_with_resource_claims_are_passed_through_and_counted() -> None:
    """All names stay, and none has a score."""
    calls = extender_of(gpu_node("n0"))
    pod = pod_object("p", {"cpu": "1"}, spec={"resourceClaims": [{"name": "gpu"}]})
    body = args(pod, ["n0", "n9"])
    kept = json.loads(calls.filter(Entry.GUARD, body, 0).body)
    ranked = json.loads(calls.prioritize(Entry.GUARD, body, 0).body)

    assert kept["NodeNames"] == ["n0", "n9"]
    assert ranked == []
    assert calls.extender.counts.passed == 1


def test_a_node_that_cannot_be_read_is_refused_and_no_other() -> None:
    """Its allocatable is not a number."""
    calls = extender_of(gpu_node("n1"))
    calls.extender.ledger.node_unreadable("n0", "status.allocatable.cpu: 'NaN' is no quantity")
    answer = json.loads(calls.filter(Entry.GUARD, args(share_pod("p", 600), ["n0", "n1"]), 0).body)

    assert answer["NodeNames"] == ["n1"]
    assert answer["FailedAndUnresolvableNodes"] == {"n0": "node cannot be read"}


def test_a_new_leader_gives_no_shares_for_a_moment_and_then_only_beside_what_waits() -> None:
    """What its predecessor promised nobody told it."""
    calls = extender_of(gpu_node("n0"))
    calls.extender.pod_seen(observed(share_pod("old", 600)), 0)
    calls.extender.ledger.take_over(0)
    body = args(share_pod("new", 600), ["n0"])
    soon, later = (
        json.loads(calls.filter(Entry.GUARD, body, at).body)["FailedAndUnresolvableNodes"]
        for at in (S, 3 * S)
    )
    calls.filter(Entry.GUARD, args(share_pod("old", 2_000), ["n0"]), 3 * S)
    asked_again = json.loads(calls.filter(Entry.GUARD, body, 3 * S).body)

    assert {"n0": Refusal.TAKEOVER.phrase} == soon
    assert {"n0": Refusal.IN_FLIGHT.phrase} == later
    assert asked_again["NodeNames"] == ["n0"]
