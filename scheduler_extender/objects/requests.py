"""What a pod asks for, summed as kube-scheduler sums it.

Containers run together, init containers before them, sidecars (restartable init containers) beside
both; what counts is the most that is needed at any one moment, plus the runtime's overhead
(https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing).
Sums are exact and rounded once, at the end. This module must not know what a GPU is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from gpu_fleet.quantities import Quantity, parse
from scheduler_extender.objects.complaints import complaint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler_extender.objects.wire import Container, PodSpec, RawAmount, Resources

__all__ = ["effective_requests", "quantity"]

_POD_LEVEL = ("cpu", "memory")


def effective_requests(spec: PodSpec, owner: str) -> dict[str, Quantity]:
    """Each resource's name and how much of it the pod occupies; raises `InputError`."""
    total: dict[str, Quantity] = {}
    for index, container in enumerate(spec.containers or ()):
        _add(total, _asked(container.resources, owner, f"spec.containers[{index}]"))
    sidecars, start = _init_containers(spec.init_containers or [], owner)
    _add(total, sidecars)
    _cover(total, start)
    total.update(_pod_level(spec.resources, owner))
    _add(total, _quantities(spec.overhead, owner, "spec.overhead"))
    return total


def quantity(amount: RawAmount, owner: str, path: str) -> Quantity:
    """One amount that is not negative, or a complaint that names its field."""
    try:
        parsed = parse(amount)
    except InputError as error:
        raise complaint(owner, path, error.problem, error.remedy) from None
    if parsed.nanos < 0:
        raise complaint(owner, path, f"{parsed} is negative", "give an amount >= 0")
    return parsed


def _init_containers(
    containers: list[Container], owner: str
) -> tuple[dict[str, Quantity], dict[str, Quantity]]:
    """What sidecars keep for good, and the most that is needed while the pod starts."""
    sidecars: dict[str, Quantity] = {}
    most: dict[str, Quantity] = {}
    for index, container in enumerate(containers):
        asked = _asked(container.resources, owner, f"spec.initContainers[{index}]")
        if container.restart_policy == "Always":
            _add(sidecars, asked)
            _cover(most, sidecars)
        else:
            _add(asked, sidecars)
            _cover(most, asked)
    return sidecars, most


def _asked(resources: Resources | None, owner: str, path: str) -> dict[str, Quantity]:
    """Requests; a limit without a request is one, as the API server would have written it."""
    if resources is None:
        return {}
    asked = _quantities(resources.limits, owner, f"{path}.resources.limits")
    asked.update(_quantities(resources.requests, owner, f"{path}.resources.requests"))
    return asked


def _pod_level(resources: Resources | None, owner: str) -> dict[str, Quantity]:
    asked = _asked(resources, owner, "spec")
    return {name: asked[name] for name in _POD_LEVEL if name in asked}


def _quantities(
    amounts: Mapping[str, RawAmount] | None, owner: str, path: str
) -> dict[str, Quantity]:
    if not amounts:
        return {}
    return {name: quantity(amount, owner, f"{path}.{name}") for name, amount in amounts.items()}


def _add(total: dict[str, Quantity], more: Mapping[str, Quantity]) -> None:
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount


def _cover(total: dict[str, Quantity], other: Mapping[str, Quantity]) -> None:
    for name, amount in other.items():
        if name not in total or total[name].nanos < amount.nanos:
            total[name] = amount
