"""A kind of object that only these tests know, so that no controller touches what they write.

Its schema accepts anything, so an object that our struct refuses can be stored on a real server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from service_runtime.kube.api import Resource
from service_runtime.kube.wire import ObjectMeta

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFINITION", "DEFINITIONS", "GADGETS", "Gadget", "GadgetSpec", "GadgetStatus", "gadget"]

GADGETS: Final = Resource("v1", "gadgets", "Gadget", group="contract.synthscale.io")
DEFINITIONS: Final = Resource(
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    group="apiextensions.k8s.io",
    namespaced=False,
)
_ANYTHING: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
DEFINITION: Final[Mapping[str, Any]] = {
    "metadata": {"name": "gadgets.contract.synthscale.io"},
    "spec": {
        "group": "contract.synthscale.io",
        "scope": "Namespaced",
        "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": _ANYTHING, "status": _ANYTHING},
                    }
                },
            }
        ],
    },
}


class GadgetSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wanted of a gadget."""

    size: int = 0
    colour: str = ""


class GadgetStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a gadget does."""

    phase: str = ""


class Gadget(msgspec.Struct, frozen=True, omit_defaults=True):
    """An object of the tests."""

    metadata: ObjectMeta = ObjectMeta()
    spec: GadgetSpec = GadgetSpec()
    status: GadgetStatus = GadgetStatus()


def gadget(name: str, *, size: object = 1, labels: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    """A gadget as JSON; a size that is no number makes one that our struct refuses."""
    metadata: dict[str, Any] = {"name": name}
    if labels:
        metadata["labels"] = dict(labels)
    return {"metadata": metadata, "spec": {"size": size}}
