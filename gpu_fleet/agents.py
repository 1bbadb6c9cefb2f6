"""Agents: what they are good at, what they read, and how fast they run where.

An `AgentProfile` is written by people (later also as a custom resource) and read by placement.
This module must not guess: a speed nobody stated is absent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AgentProfile"]


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """One specialised agent of the platform."""

    name: str
    domains: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    """What its pods read before they can work: data, and its own weights and image layers."""
    needs_gpu_memory_mib: int = 0
    """Less than this on a device and it does not run; more is idle memory."""
    speed_permille: Mapping[str, int] = field(default_factory=dict)
    """Work per second by GPU model, in thousandths of its speed on its best model."""

    def __post_init__(self) -> None:
        for model, speed in self.speed_permille.items():
            if speed <= 0:
                raise InputError(
                    f"agent {self.name} has speed {speed} on {model}",
                    remedy="leave the model out where it cannot run",
                    field="speed_permille",
                )
