"""The GPUs that HAMi's device plugin registers in an annotation of its node.

HAMi counts each GPU several times in `nvidia.com/gpu` (its split count), so only this list tells
how many there really are. Both encodings are read: JSON since 2.7, and before it
`ID,SPLIT,MIB,CORES,MODEL,NUMA,HEALTHY` joined with colons. This module must not look at pods.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from gpu_fleet.names import HAMI_REGISTER_ANNOTATION
from gpu_fleet.nodes import MOST_MEMORY_MIB
from gpu_fleet.words import shown
from scheduler_extender.objects.complaints import complaint

__all__ = ["HamiDevice", "registered"]

_PATH = f"metadata.annotations.{HAMI_REGISTER_ANNOTATION}"
_REMEDY = "restart HAMi's device plugin on that node, or remove the annotation"
_FIELDS = 7
_LONGEST = 65_536
"""Sixteen devices with their MIG profiles take some 10 kB; more is not parsed at all."""


@dataclass(frozen=True, slots=True)
class HamiDevice:
    """One registered GPU."""

    id: str
    memory_mib: int
    model: str
    healthy: bool
    index: int


def registered(text: str, owner: str) -> tuple[HamiDevice, ...]:
    """The GPUs, by their index; raises `InputError` where the text makes no sense."""
    if len(text) > _LONGEST:
        raise complaint(owner, _PATH, f"{len(text):,} characters are too many", _REMEDY)
    try:
        devices = _from_json(text) if text.lstrip().startswith("[") else _from_words(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise complaint(owner, _PATH, f"{shown(text)} cannot be read", _REMEDY) from None
    if any(not 0 <= device.memory_mib <= MOST_MEMORY_MIB for device in devices):
        raise complaint(owner, _PATH, "has a GPU with an impossible memory", _REMEDY)
    return tuple(sorted(devices, key=lambda device: device.index))


def _from_json(text: str) -> list[HamiDevice]:
    return [
        HamiDevice(
            id=str(entry["id"]),
            memory_mib=_whole(entry["devmem"]),
            model=str(entry.get("type", "")),
            healthy=entry.get("health", False) is True,  # written only where it is true
            index=_whole(entry.get("index", place)),
        )
        for place, entry in enumerate(json.loads(text))
    ]


def _from_words(text: str) -> list[HamiDevice]:
    entries = [entry.split(",") for entry in text.split(":") if entry.strip()]
    if any(len(entry) < _FIELDS for entry in entries):
        raise ValueError("too few fields")
    return [
        HamiDevice(entry[0], int(entry[2]), entry[4], entry[6].strip() == "true", place)
        for place, entry in enumerate(entries)
    ]


def _whole(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{number!r} is not a whole number")
    return number
