"""Where extenders stand in the file, and which kinds of GPU resources they speak of.

Every rule about extenders walks them the same way and names them alike. This module must not
judge anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.names import GPU_RESOURCES, SHARE_RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler_extender.scheduler_config.document import Extender
    from scheduler_extender.scheduler_config.finding import Subject

__all__ = ["GUARDED_RESOURCES", "WHOLE_RESOURCES", "extenders", "guarded", "whole"]

GUARDED_RESOURCES = frozenset(SHARE_RESOURCES)
"""Parts of a GPU: kube-scheduler cannot see the device they come from, so somebody must."""

WHOLE_RESOURCES = frozenset(GPU_RESOURCES)
"""Whole devices or replicas, which nodes advertise and kube-scheduler counts by itself."""


def extenders(subject: Subject) -> Iterator[tuple[str, Extender]]:
    """Each extender and its path."""
    for at, extender in enumerate(subject.config.extenders):
        yield f"extenders[{at}]", extender


def guarded(extender: Extender) -> tuple[str, ...]:
    """The parts of GPUs among its resources."""
    return tuple(name for name in extender.resources if name in GUARDED_RESOURCES)


def whole(extender: Extender) -> tuple[str, ...]:
    """The whole devices among its resources."""
    return tuple(name for name in extender.resources if name in WHOLE_RESOURCES)
