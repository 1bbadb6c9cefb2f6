"""Why a node cannot take a pod: a small, constant vocabulary.

kube-scheduler groups failure messages by identical text, and a text that varies makes it retry at
API speed, so a refusal is one of these words and nothing else. Details belong into an explanation.
This module must not look at nodes or pods; `gpu_fleet.admission` and the policies do.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Refusal"]


class Refusal(IntEnum):
    """The first thing that stands in the way, in the order in which it is looked for."""

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
}
