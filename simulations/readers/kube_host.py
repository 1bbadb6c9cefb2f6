"""What the model of kube-scheduler is told about a cluster beyond shapes: objects, configuration.

A kubectl dump holds taints, images, limits and the pods that are there with their affinities; a
list in openb's columns holds none of it. This module must not decide anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gpu_fleet.errors import InputError
from simulations.kube.profile import DEFAULT
from simulations.kube_placer import KubeHost
from simulations.readers.dump import Envelope, Head
from simulations.readers.files import read_text
from simulations.readers.kube_scheduling import Selectors, kube_node, kube_pod
from simulations.readers.scheduler_config import read_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_kube_host"]

_SELECTING = frozenset({"Service", "ReplicationController", "ReplicaSet", "StatefulSet"})
_KIND_OF_LIST = {"NodeList": "Node", "PodList": "Pod"}


def read_kube_host(file: Path | str, configuration: str | None = None) -> KubeHost:
    """Everything in this file that the scheduler would look at; raises `InputError`."""
    objects = list(_objects(Path(file)))
    selectors = Selectors()
    for kind, raw in objects:
        if kind in _SELECTING:
            selectors.add(raw)
    nodes = [kube_node(raw) for kind, raw in objects if kind == "Node"]
    pods = [kube_pod(raw, selectors) for kind, raw in objects if kind == "Pod"]
    return KubeHost(
        profile=DEFAULT if configuration is None else read_profile(Path(configuration)),
        nodes={node.name: node for node in nodes},
        pods={pod.full_name: pod for pod in pods},
    )


def _objects(file: Path) -> Iterator[tuple[str, bytes]]:
    """Kinds and objects of a kubectl dump; nothing of any other file."""
    source = read_text(file)
    if not source.is_json:
        return
    try:
        envelope = msgspec.json.decode(source.text, type=Envelope)
        for item in envelope.items or ():
            kind = _KIND_OF_LIST.get(envelope.kind) or msgspec.json.decode(item, type=Head).kind
            yield kind, bytes(item)
    except msgspec.DecodeError as error:
        raise InputError(
            str(error),
            remedy="print it with: kubectl get nodes,pods,services,replicasets -A -o json",
            file=source.file,
        ) from error
