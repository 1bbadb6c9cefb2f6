"""What a person says about samples before they become a series: what they are, and which step.

Every figure that the repairs use and a person may want to change is here. It must not hold what
can be learned from the samples themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import InputError
from gpu_fleet.series import Level

__all__ = ["HistorySettings", "Kind"]


class Kind(Enum):
    """What a sample means, which decides how several of them become one step."""

    GAUGE = "gauge"
    """How much there was at that moment: GPUs in use. A step is the mean."""
    RATE = "rate"
    """How much came each second around that moment. A step is the mean."""
    COUNT = "count"
    """How much came since the sample before. A step is the sum."""
    COUNTER = "counter"
    """How much came since the beginning, begun anew at each restart. A step is the rate."""

    @property
    def is_never_negative(self) -> bool:
        """Whether a value below zero can only be a mistake."""
        return self in {Kind.COUNT, Kind.COUNTER}


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """How samples become a series."""

    kind: Kind = Kind.GAUGE
    step_s: int | None = None
    """None takes the step that the samples have."""
    level: Level = Level.WORKLOAD
    utc_offset_s: int | None = None
    """Local time less UTC; None takes what the source says."""
    longest_outage_s: int = DAY_S
    """What looks broken for longer than this is believed."""

    def __post_init__(self) -> None:
        if self.step_s is not None and self.step_s < 1:
            raise InputError(
                f"{self.step_s} s is no step", remedy="give 1 s or more", field="--step"
            )
