"""Puts pods in order of creation, and says how many were not.

Files come in any order: exported by name, by owner, glued together. A replay walks through time, so
it sorts, and a person who thought that the file was in order is told that it was not.
This module must not change a pod or drop one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulations.workload import TracedPod, Workload

__all__ = ["in_time_order"]


def in_time_order(workload: Workload) -> Workload:
    """The same pods by creation time, equals in file order; a note counts those out of order.

    A workload without times comes back as it is: only who needs times can complain well.
    """
    created = [_created_s(traced) for traced in workload.pods]
    late = _behind_the_latest(created)
    if late == 0 or not workload.has_times:
        return workload
    note = (
        f"the pods were not in order of creation_time ({late} of {len(created)} came after a "
        "younger one): sorted"
    )
    order = sorted(range(len(created)), key=created.__getitem__)
    return replace(
        workload,
        pods=tuple(workload.pods[at] for at in order),
        lines=tuple(workload.lines[at] for at in order) if workload.lines else (),
        notes=(*workload.notes, note),
    )


def _created_s(traced: TracedPod) -> int:
    return -1 if traced.created_s is None else traced.created_s


def _behind_the_latest(created_s: list[int]) -> int:
    """How many stand behind somebody who was created after them."""
    late, latest_s = 0, -1
    for at_s in created_s:
        late += at_s < latest_s
        latest_s = max(latest_s, at_s)
    return late
