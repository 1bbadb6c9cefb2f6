"""The same nodes in another order are the same question, and a refusal is the same bytes.

kube-scheduler names its nodes in another order for nearly every pod, and asks again and again about
pods that nothing can hold; what it costs to answer these is what it costs to wait for nothing.
"""

from __future__ import annotations

import json

import pytest

from scheduler_extender.answers import Entry
from scheduler_extender.wire import listed_names
from tests.scheduler_extender.calls import args, extender_of, gpu_node, pod_object, share_pod

NAMES = tuple(f"n{number}" for number in range(100))


def test_a_refusal_is_repeated_whatever_the_order() -> None:
    """Two pods of a shape, the nodes turned around: no node is looked at again."""
    calls = extender_of(*map(gpu_node, NAMES))
    first = calls.filter(Entry.GUARD, args(share_pod("a", 3_000), NAMES), 1)
    again = calls.filter(Entry.GUARD, args(share_pod("b", 3_000), NAMES[::-1]), 2)

    assert calls.extender.counts.repeated == 1
    assert first.body == again.body
    assert set(json.loads(again.body)["FailedAndUnresolvableNodes"]) == set(NAMES)


def test_other_nodes_are_another_question() -> None:
    """One node fewer, or another in its place, is answered about these and no others."""
    calls = extender_of(*map(gpu_node, NAMES))
    for names in (NAMES, NAMES[1:], (*NAMES[1:], "stranger")):
        told = json.loads(
            calls.filter(Entry.GUARD, args(share_pod("a", 3_000), names[::-1]), 1).body
        )
        assert set(told["FailedAndUnresolvableNodes"]) == set(names)
    assert calls.extender.counts.repeated == 0


def test_many_orders_of_many_lists_are_forgotten_in_time() -> None:
    """Lists come and go by the hundred; each is answered about its own nodes, in any order."""
    calls = extender_of(*map(gpu_node, NAMES))
    for turn in range(3):
        for end in range(2, 100):
            names = NAMES[:end][:: -1 if turn == 1 else 1]
            told = json.loads(calls.filter(Entry.GUARD, args(share_pod("a", 500), names), 1).body)
            assert set(told["NodeNames"]) == set(names)


def test_whole_nodes_are_answered_in_the_order_in_which_they_were_sent() -> None:
    """Without a node cache the answer is cut out of what was sent, so its order does matter."""
    calls = extender_of(gpu_node("small"), gpu_node("large", gpus=4))
    for names in (("small", "large"), ("large", "small")):
        sent = [{"metadata": {"name": name}} for name in names]
        told = json.loads(
            calls.filter(Entry.GUARD, args(share_pod("a", 2_000), None, sent), 1).body
        )

        assert [node["metadata"]["name"] for node in told["Nodes"]["items"]] == ["large"]
        assert set(told["FailedAndUnresolvableNodes"]) == {"small"}


@pytest.mark.parametrize(
    ("names", "same"),
    [
        (b'["b","a"]', True),
        (b'["a","b","b"]', False),
        (b'["a"]', False),
        (b'["a,b"]', False),
        (b'["a", "b"]', False),
        (b'["\\u0061","b"]', False),
        (b'["a",1,"b"]', False),
        (b"[]", False),
    ],
)
def test_only_the_same_names_written_alike_are_the_same_list(names: bytes, same: bool) -> None:
    """By bytes alone nothing else is taken for a list that is known; it is decoded instead."""
    assert (listed_names(names) == listed_names(b'["a","b"]')) is same


def test_a_doubled_name_is_told_though_its_nodes_are_known() -> None:
    """The same nodes with one of them twice are not the list that was asked about before."""
    calls = extender_of(gpu_node("a"), gpu_node("b"))
    pod = pod_object("p", {"nvidia.com/gpu": "1"})
    calls.filter(Entry.SCORER, args(pod, ["a", "b"]), 0)
    reply = calls.filter(Entry.SCORER, args(pod, ["b", "a", "a"]), 0)

    assert "names a node twice" in json.loads(reply.body)["Error"]
