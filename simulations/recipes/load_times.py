"""How long weights take to load: observed times, and the sizes they stand for.

A load time is what people measure and a size is what a simulation needs; one is the other times
the throughput of the link. This module must not draw: few names share out many observations evenly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PUBLISHED_LOADS", "LoadTimes"]


@dataclass(frozen=True, slots=True)
class LoadTimes:
    """How long weights took to load, in seconds; what was observed, in any order."""

    base_s: tuple[float, ...]
    adapter_s: tuple[float, ...] = ()

    @staticmethod
    def spread(observed_s: Sequence[float], count: int) -> list[float]:
        """`count` times that stand for all observed: the middles of equal shares, ascending."""
        ordered = sorted(observed_s)
        return [ordered[(2 * at + 1) * len(ordered) // (2 * count)] for at in range(count)]


PUBLISHED_LOADS = LoadTimes(base_s=(22.7,), adapter_s=(4.4,))
"""Medians of a production cluster's image generators (Alibaba, cluster-trace-v2026-GenAI)."""
