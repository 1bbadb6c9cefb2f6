"""Rules about managedResources: which pods are sent to an extender, and who counts what.

The list decides by the names in a container's requests and limits alone. These rules must not
guess what a cluster's nodes advertise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scheduler_extender.scheduler_config.finding import Rule, Severity, Trap
from scheduler_extender.scheduler_config.rules.places import WHOLE_RESOURCES, extenders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler_extender.scheduler_config.document import Plugin, Plugins, PluginSet
    from scheduler_extender.scheduler_config.finding import Subject

__all__ = ["RULES"]

_FIT = "NodeResourcesFit"
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,61})?[A-Za-z0-9]")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_MOST_OF_PREFIX = 253
_QUOTA = "requests."


def is_extended_name(name: str) -> bool:
    """Whether Kubernetes takes a name for that of an extended resource."""
    prefix, slash, last = name.rpartition("/")
    if not slash or "kubernetes.io/" in name or name.startswith(_QUOTA):
        return False
    labels = f"{_QUOTA}{prefix}".split(".")
    return (
        _NAME.fullmatch(last) is not None
        and len(_QUOTA) + len(prefix) <= _MOST_OF_PREFIX
        and all(_LABEL.fullmatch(label) for label in labels)
    )


def resource_name(subject: Subject) -> Iterator[Trap]:
    """Names that are not those of extended resources."""
    for where, extender in extenders(subject):
        for at, name in enumerate(extender.resources):
            if is_extended_name(name):
                continue
            detail = f"{name!r} is none."
            if "/" not in name and "." in name:
                detail += " A DRA device class or driver does not belong here."
            yield Trap(f"{where}.managedResources[{at}].name", "name: nvidia.com/gpu", detail)


def managed_twice(subject: Subject) -> Iterator[Trap]:
    """One name in two lists, or twice in one."""
    seen: dict[str, str] = {}
    for where, extender in extenders(subject):
        for at, name in enumerate(extender.resources):
            place = f"{where}.managedResources[{at}].name"
            if name in seen:
                yield Trap(place, f"# no second {name}", f"{seen[name]} has it already.")
            seen.setdefault(name, place)


def claims_never_match(subject: Subject) -> Iterator[Trap]:
    """Pods that ask by resourceClaims, where only extended resources are looked for."""
    told = any(
        profile.arguments("DynamicResources")
        or "DynamicResources" in {plugin.name for plugin in _enabled(profile.plugins)}
        for profile in subject.config.profiles
    )
    if not (subject.claims or told):
        return
    for where, extender in extenders(subject):
        if extender.managed_resources:
            name = extender.resources[0]
            lines = f"# in the DeviceClass, not here:\nspec:\n  extendedResourceName: {name}"
            yield Trap(f"{where}.managedResources", lines)


def ignores_overwritten(subject: Subject) -> Iterator[Trap]:
    """An extender that ignores beside a profile that does."""
    names = _ignored(subject)
    for at, profile in enumerate(subject.config.profiles):
        old = profile.arguments(_FIT).get("ignoredResources")
        if names and isinstance(old, list) and old:
            lost = sorted({str(name) for name in old} - set(names))
            detail = f"Lost would be {', '.join(lost)}." if lost else "Here they agree, for now."
            lines = _fit_lines((*(str(name) for name in old), *names))
            yield Trap(f"profiles[{at}].pluginConfig", lines, detail)


def ignored_by_scheduler(subject: Subject) -> Iterator[Trap]:
    """Names taken away from NodeResourcesFit by an extender."""
    names = tuple(name for name in _ignored(subject) if name not in WHOLE_RESOURCES)
    for where, extender in extenders(subject):
        for at, resource in enumerate(extender.managed_resources):
            if resource.ignored_by_scheduler and resource.name not in WHOLE_RESOURCES:
                place = f"{where}.managedResources[{at}].ignoredByScheduler"
                yield Trap(place, "# in each of profiles:\n" + _fit_lines(names))


def whole_gpus_ignored(subject: Subject) -> Iterator[Trap]:
    """Whole devices that kube-scheduler is told not to count."""
    for where, extender in extenders(subject):
        for at, resource in enumerate(extender.managed_resources):
            if resource.ignored_by_scheduler and resource.name in WHOLE_RESOURCES:
                place = f"{where}.managedResources[{at}].ignoredByScheduler"
                yield Trap(place, "ignoredByScheduler: false", f"{resource.name} is counted.")


def _ignored(subject: Subject) -> tuple[str, ...]:
    return tuple(
        resource.name
        for _, extender in extenders(subject)
        for resource in extender.managed_resources
        if resource.ignored_by_scheduler
    )


def _fit_lines(names: tuple[str, ...]) -> str:
    entries = "\n".join(f"    - {name}" for name in dict.fromkeys(names))
    return f"pluginConfig:\n- name: {_FIT}\n  args:\n    ignoredResources:\n{entries}"


def _enabled(plugins: Plugins) -> Iterator[Plugin]:
    for field in plugins.__struct_fields__:
        point: PluginSet = getattr(plugins, field)
        yield from point.enabled


RULES = (
    Rule(
        "resource-name",
        Severity.ERROR,
        "A name that is no extended resource",
        "managedResources takes names of extended resources, domain and all; kube-scheduler does "
        "not start with any other.",
        resource_name,
    ),
    Rule(
        "managed-twice",
        Severity.ERROR,
        "A resource with two managers",
        "A name may stand in one extender's list only; kube-scheduler does not start with two.",
        managed_twice,
    ),
    Rule(
        "claims-never-match",
        Severity.WARNING,
        "resourceClaims are not looked at",
        "Only requests and limits of containers are compared with managedResources, so pods that "
        "ask by resourceClaims are never sent to this extender.",
        claims_never_match,
    ),
    Rule(
        "ignores-overwritten",
        Severity.ERROR,
        "ignoredResources that are overwritten",
        "ignoredByScheduler does not add to NodeResourcesFitArgs.ignoredResources: its names "
        "replace that list in every profile.",
        ignores_overwritten,
    ),
    Rule(
        "ignored-by-scheduler",
        Severity.WARNING,
        "A resource that only this file's reader ignores",
        "It changes every profile, and Cluster Autoscaler, which reads profiles but no extenders, "
        "still counts the resource and sees no node that has it.",
        ignored_by_scheduler,
    ),
    Rule(
        "whole-gpus-ignored",
        Severity.ERROR,
        "Whole GPUs that nobody counts",
        "The kubelet still counts them: while the extender is away pods are bound to full nodes "
        "and die there with UnexpectedAdmissionError.",
        whole_gpus_ignored,
    ),
)
