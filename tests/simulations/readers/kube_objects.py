"""Small Kubernetes objects, as kubectl prints them, for the tests of the readers.

They are plain dictionaries, so that a test shows the very fields that it is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Object: TypeAlias = Mapping[str, Json]


def node(
    name: str = "a", *, gpus: int = 0, labels: Object | None = None, **fields: Json
) -> dict[str, Json]:
    """A ready node with 32 cores and 128 GiB; `fields` replace whole top-level fields."""
    allocatable: dict[str, Json] = {"cpu": "32", "memory": "128Gi"}
    if gpus:
        allocatable["nvidia.com/gpu"] = str(gpus)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {},
        "status": {
            "allocatable": allocatable,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
        **fields,
    }


def container(requests: Object | None = None, **fields: Json) -> dict[str, Json]:
    """A container that asks for something."""
    return {"name": "main", "resources": {"requests": requests or {}}, **fields}


def pod(
    name: str = "x",
    *requests: Object,
    annotations: Object | None = None,
    labels: Object | None = None,
    phase: str = "Pending",
    spec: Object | None = None,
    **fields: Json,
) -> dict[str, Json]:
    """A pending pod in `default`, a container for each of `requests`; `fields` add to its spec."""
    containers: list[Json] = [container(request) for request in requests]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "default",
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": labels or {},
            "annotations": annotations or {},
        },
        "spec": {"containers": containers, **(spec or {}), **fields},
        "status": {"phase": phase},
    }


def write(path: Path, *objects: Object) -> Path:
    """The objects as one v1 List."""
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
    return path
