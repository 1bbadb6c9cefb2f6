"""How a wrong field of a Kubernetes object is told: which object, which field, what to do.

One place words it, so that a saved cluster and a live one complain alike.
This module must not read an object beyond its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

if TYPE_CHECKING:
    from scheduler_extender.objects.wire import Meta

__all__ = ["complaint", "named"]

_LONGEST_NAME = 2 * 253 + 1
"""Kubernetes allows 253 characters for a name."""


def named(kind: str, meta: Meta) -> str:
    """`Node a` or `Pod default/x`, as people say it."""
    full = f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name
    return f"{kind} {full if full.isprintable() and len(full) <= _LONGEST_NAME else shown(full)}"


def complaint(owner: str, path: str, problem: str, remedy: str) -> InputError:
    """Something is wrong with one field of one object."""
    return InputError(problem, remedy=remedy, field=f"{owner} {path}".strip() or None)
