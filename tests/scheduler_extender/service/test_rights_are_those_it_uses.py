"""What the extender's own account does is what `manifests/base/rbac.yaml` grants, verb by verb.

Its whole life is lived: started, leading, asked, explaining to an observer, a pod refused and
nudged, ended. The audit log then says what was used. Nothing here may grant anything.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import yaml

from service_runtime.kube.api import PODS
from tests.cluster.fleet import gpu_nodes
from tests.cluster.waiting import wait_until
from tests.scheduler_extender.service.explanations import explained
from tests.scheduler_extender.service.harness import BASE, share_pod

if TYPE_CHECKING:
    from tests.cluster.audit import AuditRecord
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Extender, Installation

ROLES = {"synthscale-extender"}
_CREATED = 201


def test_every_verb_granted_is_used_and_none_besides(
    control_plane: ControlPlane, installation: Installation, extender: Extender, fleet: Fleet
) -> None:
    """The audit log's verbs by resource equal the grants, and nothing was refused."""
    control_plane.kubectl("apply", "--server-side", "-f", str(BASE / "agentprofile-crd.yaml"))
    control_plane.kubectl(
        "wait", "--for=condition=Established", "crd/agentprofiles.synthscale.io", "--timeout=60s"
    )
    fleet.add_nodes(gpu_nodes(1, "L4", 1, prefix=f"{fleet.namespace}-l4", gpu_memory_mib=24_576))
    extender.start().wait_leading()
    name = f"ours-{fleet.namespace}"
    with installation.scheduler(name, extender.port()):
        fleet.add_pods([share_pod("holder", name, {"nvidia.com/gpucores": "70"})])
        fleet.wait_bound(1)
        fleet.add_pods([share_pod("next", name, {"nvidia.com/gpucores": "60"})])
        waits = wait_until(
            "a refusal", lambda: control_plane.wire.get(PODS, "next", fleet.namespace), _refused
        )
        explained(extender, control_plane, waits)
    # No scheduler listens now, so only a nudge can tell that the GPU is free.
    control_plane.wire.delete(PODS, "holder", fleet.namespace)
    wait_until("a nudge", lambda: extender.events("schedulers_nudged"))
    assert extender.end(signal.SIGTERM) == 0
    record = control_plane.audit.read().by(installation.user)

    assert granted() == used(record)
    assert [(event.verb, event.resource) for event in record if not event.allowed] == []


def used(record: AuditRecord) -> dict[str, set[str]]:
    """What was done to what; a plain URL is no resource.

    An apply is logged as `patch`; one that made the object (201) was authorised as `create` too.
    """
    found = record.verbs_by_resource()
    made = record.doing("patch").where(lambda event: event.response_status.code == _CREATED)
    for event in made:
        found[event.resource].add("create")
    return {resource: verbs for resource, verbs in found.items() if not resource.startswith("/")}


def granted() -> dict[str, set[str]]:
    """What the manifests grant the account, whatever the scope."""
    found: dict[str, set[str]] = {}
    for role in yaml.safe_load_all((BASE / "rbac.yaml").read_text(encoding="utf-8")):
        if role["metadata"]["name"] not in ROLES:
            continue
        for rule in role.get("rules", ()):
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    kind, slash, part = resource.partition("/")
                    name = f"{kind}{f'.{group}' if group else ''}{slash}{part}"
                    found.setdefault(name, set()).update(rule["verbs"])
    return found


def _refused(pod: dict[str, dict[str, list[dict[str, str]]]]) -> bool:
    return any(one["type"] == "PodScheduled" for one in pod["status"].get("conditions", ()))
