"""The fence: what a leader writes carries its epoch, and a real API server refuses a lower one.

The rule is the one we publish, as a ValidatingAdmissionPolicy over ConfigMaps of one namespace.
That epochs grow is not this file's matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gpu_fleet.errors import InputError, KubeError
from gpu_fleet.names import EPOCH_ANNOTATION
from service_runtime.kube.api import Resource
from service_runtime.leadership import epoch_of, with_epoch
from service_runtime.leadership.fencing import ANNOTATION_RULE, SPEC_RULE
from tests.cluster.waiting import wait_until

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane

CONFIG_MAPS = Resource("v1", "configmaps", "ConfigMap")
CRDS = Resource(
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    group="apiextensions.k8s.io",
    namespaced=False,
)
PLANS = Resource("v1", "epochplans", "EpochPlan", group="test.synthscale.io")
POLICIES = Resource(
    "v1",
    "validatingadmissionpolicies",
    "ValidatingAdmissionPolicy",
    group="admissionregistration.k8s.io",
    namespaced=False,
)
BINDINGS = Resource(
    "v1",
    "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding",
    group="admissionregistration.k8s.io",
    namespaced=False,
)


def test_an_epoch_is_written_beside_what_was_there() -> None:
    """The object passed in stays as it is; what comes back reads the same epoch."""
    plain = {"metadata": {"name": "plan", "annotations": {"a": "b"}}, "data": {}}
    stamped = with_epoch(plain, 7)

    assert epoch_of(plain) is None
    assert epoch_of(stamped) == 7
    assert stamped["metadata"]["annotations"] == {"a": "b", EPOCH_ANNOTATION: "7"}
    assert plain["metadata"]["annotations"] == {"a": "b"}


@pytest.mark.parametrize("text", ["", "-1", "seven", "\u0667"])
def test_an_epoch_that_is_no_number_is_named(text: str) -> None:
    """Somebody edited it: the error says in which object, and what to do."""
    with pytest.raises(InputError, match=r"plan: synthscale.io/epoch: .* is no epoch"):
        epoch_of({"metadata": {"name": "plan", "annotations": {EPOCH_ANNOTATION: text}}})


def test_an_annotated_object_refuses_a_leader_of_the_past(
    control_plane: ControlPlane, namespace: str
) -> None:
    """Epoch 5 may write over 5 and 4; 4 and no epoch at all may not write over 5."""
    wire, name = control_plane.wire, f"epoch-{namespace}"
    where = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    rule = {"operations": ["UPDATE"], "apiGroups": [""], "apiVersions": ["v1"]}
    constraints = {
        "namespaceSelector": where,
        "resourceRules": [{**rule, "resources": ["configmaps"]}],
    }
    policy = {
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": constraints,
            "validations": [{"expression": ANNOTATION_RULE, "message": "a lower epoch"}],
        },
    }
    binding = {
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    wire.create(POLICIES, policy)
    wire.create(BINDINGS, binding)

    def write(epoch: int | None) -> str:
        text = None if epoch is None else str(epoch)
        patch: dict[str, Any] = {"metadata": {"annotations": {EPOCH_ANNOTATION: text}}}
        try:
            wire.merge(CONFIG_MAPS, "plan", patch, namespace)
        except KubeError as refused:
            return "refused" if "a lower epoch" in str(refused) else str(refused)
        return "accepted"

    try:
        wire.create(CONFIG_MAPS, with_epoch({"metadata": {"name": "plan"}}, 3), namespace)
        wait_until("the policy in force", lambda: write(2) == "refused" or not write(3))
        told = [write(epoch) for epoch in (4, 5, 5, 4, None, 10)]
    finally:
        wire.delete(BINDINGS, name)
        wire.delete(POLICIES, name)

    assert told == ["accepted"] * 3 + ["refused"] * 2 + ["accepted"]


def test_a_resource_of_ours_refuses_a_leader_of_the_past(
    control_plane: ControlPlane, namespace: str
) -> None:
    """The same in a CRD's schema, on `spec.epoch`."""
    wire = control_plane.wire
    spec_schema = {
        "type": "object",
        "properties": {"epoch": {"type": "integer", "minimum": 0}},
        "x-kubernetes-validations": [{"rule": SPEC_RULE, "message": "a lower epoch"}],
    }
    crd = {
        "metadata": {"name": f"{PLANS.plural}.{PLANS.group}"},
        "spec": {
            "group": PLANS.group,
            "scope": "Namespaced",
            "names": {"plural": PLANS.plural, "singular": "epochplan", "kind": PLANS.kind},
            "versions": [
                {
                    "name": PLANS.version,
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "required": ["spec"],
                            "properties": {"spec": spec_schema},
                        }
                    },
                }
            ],
        },
    }
    wire.create(CRDS, crd)
    try:
        first = {
            "apiVersion": PLANS.api_version,
            "kind": PLANS.kind,
            "metadata": {"name": "plan"},
            "spec": {"epoch": 5},
        }
        wait_until("the resource served", lambda: wire.create(PLANS, first, namespace))
        wire.merge(PLANS, "plan", {"spec": {"epoch": 6}}, namespace)

        with pytest.raises(KubeError, match="a lower epoch"):
            wire.merge(PLANS, "plan", {"spec": {"epoch": 5}}, namespace)
        with pytest.raises(KubeError, match="a lower epoch"):
            wire.merge(PLANS, "plan", {"spec": {"epoch": None}}, namespace)
    finally:
        wire.delete(CRDS, f"{PLANS.plural}.{PLANS.group}")
