"""One moment of a day: the pods that were there then, as a workload of its own.

Questions about capacity are asked of what runs, not of all that ever ran.
This module must not change a pod.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulations.workload import Workload

__all__ = ["at_moment"]


def at_moment(workload: Workload, at_s: int) -> Workload:
    """The pods that were created by then and not yet deleted."""
    there = tuple(
        traced
        for traced in workload.pods
        if traced.created_s is not None
        and traced.created_s <= at_s
        and (traced.deleted_s is None or traced.deleted_s > at_s)
    )
    return replace(workload, pods=there, lines=())
