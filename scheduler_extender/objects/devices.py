"""Which devices a bound pod holds, where whoever handed them out says so.

Four writers are understood, and no other: our own `synthscale.io/gpu-index` and openb's
`alibabacloud.com/gpu-index` (indices joined with dashes), gpushare's `ALIYUN_COM_GPU_MEM_IDX` (one
index), and HAMi's `hami.io/vgpu-devices-allocated` (ids, to be looked up in what the node
registered). A plain NVIDIA device plugin writes nothing, so its choice stays a prediction.
This module must not predict, and must not believe a text that does not name as many different
devices as the pod asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from gpu_fleet.names import (
    GPU_INDEX_ANNOTATION,
    GPU_SHARE_INDEX_ANNOTATION,
    GPUSHARE_INDEX_ANNOTATION,
    HAMI_DEVICES_ANNOTATION,
)
from gpu_fleet.nodes import MAX_DEVICES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scheduler_extender.objects.wire import PodObject

__all__ = ["Told", "device_indices", "resolve", "told_devices"]

Told: TypeAlias = "tuple[int | str, ...]"
"""Devices as an annotation names them: by index, or by an id that the node knows."""

_INDEXED = (GPU_SHARE_INDEX_ANNOTATION, GPU_INDEX_ANNOTATION, GPUSHARE_INDEX_ANNOTATION)
_FEW_DIGITS = 10
"""Enough for every index, and int() of a longer text could take for ever."""


def told_devices(annotations: Mapping[str, str]) -> Told:
    """What the annotations say of devices; empty where they say nothing that makes sense."""
    for name in _INDEXED:
        if text := annotations.get(name):
            return _indices(text)
    return _hami_ids(annotations.get(HAMI_DEVICES_ANNOTATION, ""))


def resolve(told: Told, wanted: int, device_ids: Sequence[str]) -> tuple[int, ...] | None:
    """The devices of the node, in order; None unless they are `wanted` different ones."""
    indices = {_index(one, device_ids) for one in told}
    if not told or len(indices) != len(told) or len(told) != wanted:
        return None
    found = sorted(indices)
    return tuple(found) if found[0] >= 0 and found[-1] < MAX_DEVICES else None


def device_indices(raw: PodObject, wanted: int) -> tuple[int, ...] | None:
    """The devices by index alone, for hosts that do not know the nodes' ids."""
    return resolve(told_devices(raw.metadata.annotations or {}), wanted, ())


def _index(one: int | str, device_ids: Sequence[str]) -> int:
    if isinstance(one, int):
        return one
    return device_ids.index(one) if one in device_ids else -1


def _indices(text: str) -> Told:
    words = [word.strip() for word in text.split("-")]
    if not all(word.isascii() and word.isdigit() and len(word) < _FEW_DIGITS for word in words):
        return ()
    return tuple(int(word) for word in words)


def _hami_ids(text: str) -> Told:
    """`ID,VENDOR,MIB,CORES:` for each device, `;` after each container."""
    entries = text.replace(";", ":").split(":")
    return tuple(entry.partition(",")[0] for entry in entries if "," in entry)
