"""What the extender tells about pods: its events in the cluster, its records on its port.

Both are read as a person with the shipped rights reads them. This must not judge what is told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from service_runtime.kube.api import EVENTS

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.scheduler_extender.service.harness import Extender

__all__ = ["explained", "extender_events", "observer"]

REPORTER = "synthscale.io/extender"


def extender_events(plane: ControlPlane, namespace: str) -> dict[str, dict[str, Any]]:
    """The latest event of the extender about each pod of a namespace."""
    ours = [
        one for one in plane.wire.items(EVENTS, namespace) if one["reportingController"] == REPORTER
    ]
    return {one["regarding"]["name"]: one for one in sorted(ours, key=lambda x: x["eventTime"])}


def explained(extender: Extender, plane: ControlPlane, pod: dict[str, Any]) -> dict[str, Any]:
    """What the service says about a pod to somebody who may ask."""
    meta = pod["metadata"]
    token = observer(plane, meta["namespace"])
    answer = extender.ask(f"/explain/{meta['uid']}", port="observation", token=token)
    assert answer.status == 200, answer.body
    record: dict[str, Any] = json.loads(answer.body)
    return record


def observer(plane: ControlPlane, namespace: str) -> str:
    """A token of an account of this namespace that may read figures and explanations."""
    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"observer-{namespace}"},
        "roleRef": {"kind": "ClusterRole", "name": "synthscale-observer", "apiGroup": group},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    plane.kubectl("apply", "-f", "-", stdin=json.dumps(binding))
    return plane.token(namespace, "default")
