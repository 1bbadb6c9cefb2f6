"""When a pod was accepted, as the number that a workload counts by.

Only a replay needs it; placing a pod does not. This module must not look at any clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gpu_fleet.words import shown
from scheduler_extender.objects.complaints import complaint, named
from simulations.readers.cells import MOST_TIME_S

if TYPE_CHECKING:
    from scheduler_extender.objects.wire import PodObject

__all__ = ["created_s"]


def created_s(raw: PodObject) -> int | None:
    """Seconds since 1970 at which the API server accepted it."""
    text = raw.metadata.creation_timestamp
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        seconds = -1
    if 0 <= seconds <= MOST_TIME_S:
        return seconds
    raise complaint(
        named("Pod", raw.metadata),
        "metadata.creationTimestamp",
        f"{shown(text)} is not a time between 1970 and 2100",
        "write it like 2026-01-31T12:00:00Z",
    )
