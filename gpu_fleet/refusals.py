"""Why a node cannot take a pod: a small, constant vocabulary.

kube-scheduler groups failure messages by identical text, and a text that varies makes it retry at
API speed, so a refusal is one of these words and nothing else. Details belong into an explanation.
This module must not look at nodes or pods; `gpu_fleet.admission` and the policies do.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Refusal"]


class Refusal(IntEnum):
    """The first thing that stands in the way, in the order in which it is looked for.

    Up to `GPU_FREE` they are about a node and a shape; the rest are about what is known of them,
    which only a live host can doubt.
    """

    NONE = 0
    ABSENT = 1
    CORDONED = 2
    TAINT = 3
    NODE_SELECTOR = 4
    GPU_MODEL = 5
    CPU = 6
    MEMORY = 7
    GPU_COUNT = 8
    GPU_MEMORY = 9
    GPU_FREE = 10
    NODE_UNKNOWN = 11
    NODE_UNREADABLE = 12
    OVERCOMMITTED = 13
    IN_FLIGHT = 14
    STALE = 15
    TAKEOVER = 16
    POD_UNREADABLE = 17

    @property
    def phrase(self) -> str:
        """The words that a person and kube-scheduler's event see."""
        return _PHRASES[self]


_PHRASES: dict[Refusal, str] = {
    Refusal.NONE: "fits",
    Refusal.ABSENT: "node is gone",
    Refusal.CORDONED: "node is cordoned",
    Refusal.TAINT: "node has a taint the pod does not tolerate",
    Refusal.NODE_SELECTOR: "node selector or required node affinity does not match",
    Refusal.GPU_MODEL: "no GPU of an allowed model",
    Refusal.CPU: "not enough free CPU",
    Refusal.MEMORY: "not enough free memory",
    Refusal.GPU_COUNT: "fewer healthy GPUs than requested",
    Refusal.GPU_MEMORY: "no GPU with enough memory",
    Refusal.GPU_FREE: "not enough free GPU",
    Refusal.NODE_UNKNOWN: "node is not in the view",
    Refusal.NODE_UNREADABLE: "node cannot be read",
    Refusal.OVERCOMMITTED: "node is over-committed",
    Refusal.IN_FLIGHT: "GPU may go to a pod that is being bound",
    Refusal.STALE: "view is stale",
    Refusal.TAKEOVER: "taken over a moment ago",
    Refusal.POD_UNREADABLE: "pod's GPU request cannot be read",
}
