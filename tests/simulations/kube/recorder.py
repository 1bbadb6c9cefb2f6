"""Records what a real kube-scheduler decides, one pod at a time.

The scheduler is upstream's, told to log its scores; nodes are learnt in the order of its own log,
and a pod comes only when the one before it has its node and what was deleted is known to be gone.
So the state of every decision is known exactly. This module must not share code with the model.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from service_runtime.kube.api import NODES, PODS, Resource
from tests.cluster.components import HEARTBEAT_ANNOTATION, KUBERNETES_VERSION
from tests.cluster.control_plane import _answers
from tests.cluster.fleet import is_ready
from tests.cluster.waiting import wait_until
from tests.simulations.kube.recording import Answer, Cluster, Decision, Recording, digest
from tests.simulations.kube.workload import SERVICES, drawn, mixed_nodes, mixed_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.cluster.processes import Running

__all__ = ["Asked", "Wanted", "add_nodes", "loud_scheduler", "record"]

Object = dict[str, Any]
SERVICE = Resource("v1", "services", "Service")
DELETE_ONE_IN = 3
LONGEST_WAIT_S = 60.0
LOUD = "--vmodule=schedule_one=10,node_tree=2,eventhandlers=3"
_ADDED = re.compile(r'"Added node to NodeTree" node="([^"]+)"')
_PLUGIN = re.compile(
    r'"Plugin scored node for pod" pod="([^"]+)" plugin="(\w+)" node="([^"]+)" score=(-?\d+)'
)
_TOTAL = re.compile(
    r'"Calculated node\'s final score for pod" pod="([^"]+)" node="([^"]+)" score=(-?\d+)'
)
_POD_SPEC = (
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "priority",
    "overhead",
    "resources",
)


class Asked(Protocol):
    """An extender that remembers what it said."""

    def entries(self, weight: int) -> list[Object]:
        """The lines for `extenders` in a scheduler's configuration."""
        ...

    def take(self, pod: str) -> Answer | None:
        """What was said about a pod (`namespace/name`); None if it was not asked."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """One recording to make."""

    name: str
    """Of the scheduler, and of the file."""
    decisions: int
    seed: int
    configuration: Mapping[str, Any]
    """Fields of KubeSchedulerConfiguration beside the profile's name."""
    profile: Mapping[str, Any]
    extender_weight: int = 0
    nodes: Callable[[int, int], list[Object]] = mixed_nodes
    """By how many and seed."""
    pod: Callable[[int, int, str, str], Object] = mixed_pod
    """By number, seed, scheduler and prefix of its name."""


def record(
    plane: ControlPlane,
    fleet: Fleet,
    wanted: Wanted,
    nodes_wanted: int,
    extender: Asked | None = None,
) -> Recording:
    """Make nodes, start a scheduler, give it pod after pod and tell what it did with each."""
    services = [plane.wire.create(SERVICE, each, fleet.namespace) for each in SERVICES]
    nodes = add_nodes(fleet, wanted.nodes(nodes_wanted, wanted.seed))
    configuration = {
        **wanted.configuration,
        "profiles": [{**wanted.profile, "schedulerName": wanted.name}],
    }
    if extender is not None:
        configuration["extenders"] = extender.entries(wanted.extender_weight)
    with loud_scheduler(plane, wanted.name, configuration) as scheduler:
        order = wait_until(
            "every node in the scheduler's log",
            lambda: _ADDED.findall(scheduler.told()),
            lambda seen: len(seen) >= len(nodes),
        )
        session = _Session(plane, fleet.namespace, wanted, scheduler, extender)
        decisions = [session.decide(number) for number in range(wanted.decisions)]
        told = scheduler.told()
    assert {node["metadata"]["name"] for node in nodes} == set(order)
    cluster = Cluster(
        kubernetes=KUBERNETES_VERSION,
        configuration={key: value for key, value in configuration.items() if key != "extenders"},
        extender_weight=wanted.extender_weight,
        nodes=tuple(_plain_node(node) for node in nodes),
        order=tuple(order),
        services=tuple(_plain_service(service) for service in services),
    )
    return Recording(cluster, tuple(_with_scores(decisions, told)))


@contextmanager
def loud_scheduler(
    plane: ControlPlane, name: str, configuration: Mapping[str, Any]
) -> Iterator[Running]:
    """A second scheduler that says how it scored."""
    user = plane.user(name)
    plane._let_schedule(name)
    port = plane.house.take_port()
    command = [*plane.scheduler_command(name, user, port, configuration), LOUD]
    running = plane.add(name, command, _answers(port, plane.ca, "/readyz"))
    with ExitStack() as stack:
        stack.callback(running.kill)
        yield running


class _Session:
    """The pods of one recording, one at a time."""

    def __init__(
        self,
        plane: ControlPlane,
        namespace: str,
        wanted: Wanted,
        scheduler: Running,
        extender: Asked | None,
    ) -> None:
        self._wire = plane.wire
        self._namespace = namespace
        self._wanted = wanted
        self._scheduler = scheduler
        self._extender = extender
        self._bound: list[str] = []
        self._told = 0

    def decide(self, number: int) -> Decision:
        gone = self._delete_some(number)
        made = self._wire.create(
            PODS,
            self._wanted.pod(number, self._wanted.seed, self._wanted.name, self._wanted.name),
            self._namespace,
        )
        name = made["metadata"]["name"]
        settled = wait_until(
            f"decision about {name}",
            lambda: self._wire.get(PODS, name, self._namespace),
            _is_decided,
            limit_s=LONGEST_WAIT_S,
            every_s=0.004,
        )
        node = settled["spec"].get("nodeName")
        if node is None:
            self._delete(name, "unscheduled")
        else:
            self._bound.append(name)
        return Decision(_plain_pod(made), node, gone, answer=self._answer(name))

    def _answer(self, name: str) -> Answer | None:
        return None if self._extender is None else self._extender.take(f"{self._namespace}/{name}")

    def _delete_some(self, number: int) -> tuple[str, ...]:
        seed = self._wanted.seed
        if not self._bound or drawn(DELETE_ONE_IN, seed, "delete", number):
            return ()
        name = self._bound.pop(drawn(len(self._bound), seed, "who", number))
        self._delete(name, "scheduled")
        return (f"{self._namespace}/{name}",)

    def _delete(self, name: str, state: str) -> None:
        """Returns once the scheduler has heard of it, or it may still count what is gone."""
        self._wire.delete(PODS, name, self._namespace)
        line = f'"Delete event for {state} pod" pod="{self._namespace}/{name}"'
        wait_until(f"deletion of {name} in the log", lambda: self._heard(line), every_s=0.004)

    def _heard(self, line: str) -> bool:
        """Looks at the log from where the last search ended: it grows to hundreds of MB."""
        with self._scheduler.log.open("rb") as log:
            log.seek(max(0, self._told - len(line)))
            told = log.read()
        found = line.encode() in told
        if found:
            self._told = self._scheduler.log.stat().st_size
        return found


def _is_decided(pod: Object) -> bool:
    if pod["spec"].get("nodeName"):
        return True
    conditions = pod["status"].get("conditions", ())
    return any(each["type"] == "PodScheduled" and each["status"] == "False" for each in conditions)


def add_nodes(fleet: Fleet, nodes: list[Object]) -> list[Object]:
    """The nodes as they are once KWOK plays them and the taint that every new node has is gone."""
    for node in nodes:
        node["metadata"]["annotations"] = {HEARTBEAT_ANNOTATION: "fake"}
    fleet.wire.create_all(NODES, [fleet._own(node) for node in nodes])

    def is_settled(seen: list[Object]) -> bool:
        taints = [each for node in seen for each in node["spec"].get("taints", ())]
        # A cordon's taint stays.
        system = {each["key"] for each in taints if each["key"].startswith("node.kubernetes.io/")}
        return all(map(is_ready, seen)) and system <= {"node.kubernetes.io/unschedulable"}

    return wait_until("nodes without start-up taints", fleet.nodes, is_settled, limit_s=120.0)


def _plain_node(node: Object) -> Object:
    spec, status = node["spec"], node["status"]
    return {
        "kind": "Node",
        "metadata": {"name": node["metadata"]["name"], "labels": node["metadata"]["labels"]},
        "spec": {key: spec[key] for key in ("taints", "unschedulable") if key in spec},
        "status": {"allocatable": status["allocatable"], "images": status.get("images", [])},
    }


def _plain_pod(pod: Object) -> Object:
    meta, spec = pod["metadata"], pod["spec"]
    kept = {key: spec[key] for key in _POD_SPEC if key in spec}
    for kind in ("containers", "initContainers"):
        if kind in spec:
            kept[kind] = [
                {key: each[key] for key in ("image", "resources", "restartPolicy") if key in each}
                for each in spec[kind]
            ]
    named = {key: meta[key] for key in ("name", "namespace", "labels") if key in meta}
    return {"kind": "Pod", "metadata": named, "spec": kept}


def _plain_service(service: Object) -> Object:
    meta = {key: service["metadata"][key] for key in ("name", "namespace")}
    return {
        "kind": "Service",
        "metadata": meta,
        "spec": {"selector": service["spec"]["selector"]},
    }


def _with_scores(decisions: list[Decision], told: str) -> Iterator[Decision]:
    tables: dict[str, dict[str, dict[str, int]]] = {}
    for pod, plugin, node, score in _PLUGIN.findall(told):
        tables.setdefault(pod, {}).setdefault(node, {})[plugin] = int(score)
    for pod, node, score in _TOTAL.findall(told):
        tables.setdefault(pod, {}).setdefault(node, {})["total"] = int(score)
    for each in decisions:
        meta = each.pod["metadata"]
        table = tables.get(f"{meta['namespace']}/{meta['name']}", {})
        totals = {node: scores["total"] for node, scores in table.items()}
        yield replace(
            each,
            scored=len(totals),
            best=max(totals.values(), default=0),
            totals=digest(totals.items()) if totals else 0,
            table=table,
        )
