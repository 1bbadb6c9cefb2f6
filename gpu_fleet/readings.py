"""A reading is a value with its time, or the reason why there is none.

Zero never stands for unknown: a GPU whose memory could not be read is not a GPU without memory,
and a score that mixes the two sends work to broken nodes (dcgm-exporter #662).
This module must not decide what a consumer does about an absent value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Missing", "Reading"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A value and the moment it was true, in nanoseconds of the host's clock."""

    value: T
    at_ns: int


@dataclass(frozen=True, slots=True)
class Missing:
    """The value is absent, and this is why; stale is a kind of missing."""

    reason: str

    def __str__(self) -> str:
        return f"unknown ({self.reason})"
