"""Whatever a caller or a cluster sends, the answer is clear and the next one is right.

One replica meets every case in turn, and after each a good request must be answered as before.
Nothing here may restart it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from service_runtime.kube.api import NODES
from tests.cluster.fleet import gpu_nodes, is_ready
from tests.cluster.waiting import wait_until
from tests.scheduler_extender.service.harness import BASE, share_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Answer, Extender

NOT_JSON = b'{"Pod": {"metadata"'
HUGE_BYTES = 50_000_000


def request(names: object, resources: dict[str, str] | None = None, **metadata: object) -> bytes:
    """A request about a pod, with whatever in the place of the names."""
    pod = share_pod("asked", "any", resources or {"nvidia.com/gpucores": "30"})
    pod["metadata"].update({"uid": "uid-1", "namespace": "default", **metadata})
    return json.dumps({"Pod": pod, "Nodes": None, "NodeNames": names}).encode()


@pytest.fixture
def serving(extender: Extender, fleet: Fleet) -> Iterator[tuple[Extender, str]]:
    """A leader, and the name of a node that takes shares."""
    prefix = f"{fleet.namespace}-l4"
    fleet.add_nodes(gpu_nodes(1, "L4", 1, prefix=prefix, gpu_memory_mib=24_576))
    extender.start().wait_leading()
    name = f"{prefix}-0"
    wait_until("a good answer", lambda: _is_good(extender, name))
    yield extender, name
    assert extender.process is not None
    assert extender.process.poll() is None, "it lives"
    assert extender.events("loop_complained") == []
    assert extender.events("request_failed") == []


def _is_good(extender: Extender, name: str) -> bool:
    answer = extender.ask("/guard/filter", request([name]))
    return answer.status == 200 and json.loads(answer.body)["NodeNames"] == [name]


def test_each_case_has_a_clear_answer_and_harms_no_other(
    control_plane: ControlPlane, serving: tuple[Extender, str]
) -> None:
    """The table of bad input, one after the other, on one replica."""
    extender, name = serving
    gone = "no-such-node"
    filters: list[tuple[str, bytes, str]] = [
        ("malformed JSON", NOT_JSON, "the body: is not JSON"),
        ("not an object", b"[]", "the body: expected object"),
        ("wrong types", b'{"Pod": 1, "NodeNames": []}', "Pod: expected object"),
        ("no pod", b'{"NodeNames": []}', "Pod: is missing"),
        ("names of the wrong type", request({"a": 1}), "NodeNames: expected array"),
        ("null names", request(None), "NodeNames: nodeCacheCapable names were expected"),
        ("a name twice", request([name, name]), "NodeNames: names a node twice"),
        ("not UTF-8", b'{"Pod": "\xff", "NodeNames": []}', "Pod: "),
        ("no uid", request([name], uid=""), "Pod.metadata: has no uid"),
    ]
    for story, body, told in filters:
        answer = extender.ask("/guard/filter", body)
        result = json.loads(answer.body)

        assert answer.status == 200, story
        assert told.lower() in result["Error"].lower(), (story, result["Error"])
        assert result["NodeNames"] is None, story
        ranked = extender.ask("/scorer/prioritize", body)
        assert ranked.status == 400, story
        assert told.lower() in ranked.body.decode().lower(), story
        assert _is_good(extender, name), story

    statuses = {
        "an unknown verb": (extender.ask("/guard/bind", b"{}"), 404),
        "an unknown entry": (extender.ask("/nobody/filter", b"{}"), 404),
        "a GET": (extender.ask("/guard/filter"), 405),
        "a stranger's name": (extender.ask("/guard/filter", b"{}", client="somebody"), 403),
        "explaining without a token": (extender.ask("/explain/x", port="observation"), 401),
    }
    for story, (answer, status) in statuses.items():
        assert status == answer.status, story
    assert _is_good(extender, name)

    refusals = {
        "an unknown node": (request([name, gone]), gone, "node is not in the view"),
        "a nonsense share": (
            request([name], {"nvidia.com/gpucores": "1000"}),
            name,
            "pod's GPU request cannot be read",
        ),
        "a nonsense annotation": (
            request([name], {}, annotations={"alibabacloud.com/gpu-milli": "many"}),
            name,
            "pod's GPU request cannot be read",
        ),
    }
    for story, (body, refused, phrase) in refusals.items():
        result = json.loads(extender.ask("/guard/filter", body).body)

        assert result["FailedAndUnresolvableNodes"].get(refused) == phrase, (story, result)
        assert _is_good(extender, name), story

    _a_node_that_cannot_be_read(control_plane, extender, name)


def _a_node_that_cannot_be_read(plane: ControlPlane, extender: Extender, name: str) -> None:
    """NaN where a device's memory should be: that node is refused, and healed by a good word."""
    register = "hami.io/node-nvidia-register"
    bad = '[{"id":"GPU-0","count":10,"devmem":NaN,"devcore":100,"type":"L4","health":true}]'
    plane.wire.merge(NODES, name, {"metadata": {"annotations": {register: bad}}})
    refused = wait_until(
        "a refusal of the node",
        lambda: json.loads(extender.ask("/guard/filter", request([name])).body),
        lambda seen: seen["FailedAndUnresolvableNodes"],
    )
    plane.wire.merge(NODES, name, {"metadata": {"annotations": {register: None}}})
    wait_until("a good answer", lambda: _is_good(extender, name))

    assert {name: "node cannot be read"} == refused["FailedAndUnresolvableNodes"]
    assert extender.events("node_unreadable")[0]["node"] == name
    assert is_ready(plane.wire.get(NODES, name))


def test_a_body_of_50_mb_is_refused_unread(serving: tuple[Extender, str]) -> None:
    """413 as soon as its length is known, and the next connection is served."""
    extender, name = serving
    connection = extender.connect()
    try:
        connection.putrequest("POST", "/guard/filter")
        connection.putheader("Content-Length", str(HUGE_BYTES))
        connection.endheaders()
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()

    assert response.status == 413
    assert b"longer than" in answer
    assert _is_good(extender, name)


def test_a_pod_with_claims_is_passed_and_counted(serving: tuple[Extender, str]) -> None:
    """What we do not understand is not in our way to judge: all nodes stay, in no order."""
    extender, name = serving
    body: dict[str, Any] = json.loads(request([name]))
    body["Pod"]["spec"]["resourceClaims"] = [{"name": "gpu"}]
    passed: Answer = extender.ask("/guard/filter", json.dumps(body).encode())
    ranked = extender.ask("/guard/prioritize", json.dumps(body).encode())

    assert json.loads(passed.body)["NodeNames"] == [name]
    assert json.loads(ranked.body) == []


def test_nonsense_in_profiles_costs_their_agents_only(
    control_plane: ControlPlane, extender: Extender, fleet: Fleet
) -> None:
    """Profiles that no schema stopped: each is told, and a pod of such an agent is answered.

    The kind is installed without its schema here, as an old or careless installation may have it.
    """
    kind = yaml.safe_load((BASE / "agentprofile-crd.yaml").read_text(encoding="utf-8"))
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    for version in kind["spec"]["versions"]:
        version["schema"] = {"openAPIV3Schema": anything}
    profiles = [
        {
            "apiVersion": "synthscale.io/v1alpha1",
            "kind": "AgentProfile",
            "metadata": {"name": name},
            "spec": spec,
        }
        for name, spec in {
            "no-speed": {"speedPermille": {"L4": -5}},
            "no-number": {"needsGpuMemoryMib": "plenty"},
            "no-list": {"domains": 7},
            "no-sense": {"needsGpuMemoryMib": 8_000, "colour": ["green"]},
        }.items()
    ]
    prefix = f"{fleet.namespace}-l4"
    fleet.add_nodes(gpu_nodes(1, "L4", 1, prefix=prefix, gpu_memory_mib=24_576))
    try:
        control_plane.kubectl(
            "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(kind)
        )
        control_plane.kubectl(
            "wait", "--for=condition=Established", f"crd/{kind['metadata']['name']}"
        )
        for profile in profiles:
            control_plane.kubectl("apply", "-f", "-", stdin=json.dumps(profile))
        extender.start().wait_leading()
        wait_until("complaints", lambda: _told_of(extender) >= {"no-speed", "no-number", "no-list"})
        for agent in ("no-speed", "no-number", "no-list", "no-sense", "nobody"):
            asked = request([f"{prefix}-0"], labels={"synthscale.io/agent": agent}, uid=agent)
            wait_until(
                "a good answer",
                lambda: json.loads(extender.ask("/guard/filter", asked).body)["NodeNames"],  # noqa: B023
                limit_s=20,
            )
            again = request([f"{prefix}-0"], {"nvidia.com/gpucores": "1"}, uid=agent)
            assert json.loads(extender.ask("/guard/filter", again).body)["NodeNames"]
    finally:
        control_plane.kubectl("delete", "--ignore-not-found", f"crd/{kind['metadata']['name']}")

    assert extender.events("loop_complained") == []
    assert extender.events("request_failed") == []


def _told_of(extender: Extender) -> set[str]:
    """Names of profiles that the log complains about, in whatever words."""
    lines = [line for line in extender.told().splitlines() if "unreadable" in line]
    return {name for name in ("no-speed", "no-number", "no-list") for line in lines if name in line}
