"""Policies by name: what `--policies` and the extender's settings may say.

This module must not import a policy's internals, and building one must cost nothing but its tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from scheduler_extender.placement.best_fit import BestFit
from scheduler_extender.placement.dot_product import DotProduct
from scheduler_extender.placement.fgd import Fgd
from scheduler_extender.placement.gpu_clustering import GpuClustering
from scheduler_extender.placement.gpu_packing import GpuPacking
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.node_resources_fit import LeastAllocated, MostAllocated
from scheduler_extender.placement.random_choice import RandomChoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpu_fleet.protocols import PlacementPolicy
    from scheduler_extender.placement.pod_mix import PodMix
    from scheduler_extender.placement.terms.expectations import Expectations

__all__ = ["POLICIES", "build_policy", "policy_names"]

POLICIES: dict[str, Callable[[PodMix, Expectations | None, bool | None], PlacementPolicy]] = {
    "least-loss": lambda mix, expect, kernels: LeastLoss(mix, expect, kernels=kernels),
    "fgd": lambda mix, _, kernels: Fgd(mix, kernels=kernels),
    "best-fit": lambda *_: BestFit(),
    "gpu-packing": lambda *_: GpuPacking(),
    "gpu-clustering": lambda *_: GpuClustering(),
    "dot-prod": lambda *_: DotProduct(),
    "random": lambda *_: RandomChoice(),
    "least-allocated": lambda *_: LeastAllocated(),
    "most-allocated": lambda *_: MostAllocated(),
}


def policy_names(text: str) -> tuple[str, ...]:
    """The policies that a comma-separated list, or `all`, means."""
    if text.strip() == "all":
        return tuple(POLICIES)
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if name not in POLICIES:
            raise _unknown(name)
    if not names:
        raise InputError(
            "names no policy", remedy=f"give one or more of {_known()}", field="--policies"
        )
    return names


def build_policy(
    name: str,
    mix: PodMix,
    expect: Expectations | None = None,
    *,
    kernels: bool | None = None,
) -> PlacementPolicy:
    """A new policy object. `kernels` False keeps to numpy, None compiles when it can."""
    if name not in POLICIES:
        raise _unknown(name)
    return POLICIES[name](mix, expect, kernels)


def _unknown(name: str) -> InputError:
    return InputError(
        f"unknown policy '{name}'", remedy=f"use one of {_known()}, or all", field="--policies"
    )


def _known() -> str:
    return ", ".join(POLICIES)
