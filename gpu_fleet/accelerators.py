"""What each accelerator can do, and how we know.

This module must not measure anything.
"""

from __future__ import annotations

from gpu_fleet.readings import Missing

__all__ = ["allocatable_memory_mib"]

_OPENB = {"T4": 15109, "V100M16": 16160, "P100": 16280, "A10": 22731, "V100M32": 32510}


def allocatable_memory_mib(model: str) -> int | Missing:
    """MiB of one device that pods can have."""
    return _OPENB.get(model, Missing(f"no figure for model {model}"))


def is_known(model: str) -> bool:
    """Whether anything is known about it."""
    return model in _OPENB
