"""What a second on a GPU of each model takes from the agents that need that model most.

A strong GPU that runs an agent which is merely faster there is missing where another agent can run
nowhere else. The prices are the duals of a linear program: share the mix's work out among the GPU
models so that all of it takes the fewest GPU-seconds, no model being busier than its GPUs allow.
The dual of a model's limit is what one more GPU-second of it would save the others.

    minimise    sum of slowdown x share x work  +  UNSERVED x work that finds no room
    so that     the shares of each class, with what finds no room, are its whole work
                the GPU-time on each model is at most its GPUs

The mix says how much of everything comes, not how much there is of it: work is scaled so that
shared out over the GPUs it may use, without a look at speed, it would fill `FULL_PERMILLE` of them.
docs/explanation/simulate-agents.md works through an example. This module must not look at what is
free, nor know nodes: prices are for a mix and a fleet, not for a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.pods import PodShape
    from scheduler_extender.placement.pod_mix import MixClass, PodMix
    from scheduler_extender.placement.terms.expectations import Expectations

__all__ = ["FULL_PERMILLE", "ModelOffer", "model_prices"]

FULL_PERMILLE = 900
"""How full the fleet is planned to be, at mean speeds: somewhat below full, as chance needs room.

Chosen on the bundled agents with seeds 52..57: at loads of 0.6 and 0.8 agents are done soonest with
800 to 900, and up to 13 % later with more; at a load of 1.0 they are 6 % sooner with 1000 to 1200.
"""
_UNSERVED_SLOWDOWN = 10.0
"""An agent that finds no room loses as much as on a GPU ten times slower: prices stay finite."""
_A_LITTLE_MORE = 1.001
"""Where several prices solve the program, a fleet this much larger decides: its are the lowest."""
_PERMILLE = 1_000


@dataclass(frozen=True, slots=True)
class ModelOffer:
    """What the fleet has of one GPU model, taken or not."""

    model: str | None
    """None: GPUs whose model nobody stated."""
    gpus: int
    gpu_memory_mib: int
    """Of the largest of them; negative where nobody knows."""
    gpus_on_a_node: int
    """On the widest node."""


def model_prices(
    mix: PodMix, expect: Expectations, offers: Sequence[ModelOffer]
) -> Mapping[str | None, int]:
    """By model: thousandths of a GPU-second that others lose for each GPU-second taken of it.

    All are 0 where no agent of the mix has stated speeds: then no model is anybody's better one.
    """
    classes = [entry for entry in mix.classes if entry.count > 0 and entry.shape.gpu_count > 0]
    free = dict.fromkeys((offer.model for offer in offers), 0)
    if not any(expect.speeds(entry.shape) for entry in classes):
        return free
    slower = np.array([_slowdowns(entry.shape, expect, offers) for entry in classes])
    at_home = np.isfinite(slower).any(axis=1)
    if not at_home.any():
        return free
    gpus = np.array([offer.gpus for offer in offers], np.float64)
    work = np.array([_work(entry, expect) for entry in classes], np.float64)[at_home]
    slower = slower[at_home]
    prices = _solve(_to_fill(work, slower, gpus), slower, gpus * _A_LITTLE_MORE)
    return {
        offer.model: round(round(price * _PERMILLE, 3))  # twice: no machine's last bit decides
        for offer, price in zip(offers, prices.tolist(), strict=True)
    }


def _slowdowns(shape: PodShape, expect: Expectations, offers: Sequence[ModelOffer]) -> list[float]:
    """On each model, its time over that on its best one; infinite where it cannot run."""
    slower = expect.slowdown_permille(shape, [offer.model for offer in offers])
    return [
        by_permille / _PERMILLE if _can_run(shape, offer) else np.inf
        for by_permille, offer in zip(slower, offers, strict=True)
    ]


def _can_run(shape: PodShape, offer: ModelOffer) -> bool:
    allowed = shape.admission.gpu_models
    return (
        offer.gpus > 0
        and (not allowed or offer.model in allowed)
        and offer.gpus_on_a_node >= shape.gpu_count
        and (shape.gpu_memory_mib == 0 or offer.gpu_memory_mib >= shape.gpu_memory_mib)
    )


def _work(entry: MixClass, expect: Expectations) -> float:
    """GPU-seconds that a class brings, at its best speed."""
    gpus = entry.shape.total_gpu_milli / WHOLE_GPU_MILLI
    return entry.count * gpus * expect.lifetime_s(entry.shape)


def _to_fill(
    work: NDArray[np.float64], slower: NDArray[np.float64], gpus: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The same mix, as much of it as fills the fleet if nobody looks at speed."""
    usable = np.isfinite(slower)
    mean_slower = np.where(usable, slower, 0.0) @ gpus / (usable @ gpus)
    return work * (float(gpus.sum()) * FULL_PERMILLE / _PERMILLE / float(work @ mean_slower))


def _solve(
    work: NDArray[np.float64], slower: NDArray[np.float64], gpus: NDArray[np.float64]
) -> NDArray[np.float64]:
    # Imported here: scipy is heavy, and a fleet without agents never needs it.
    from scipy.optimize import linprog  # noqa: PLC0415

    kinds, models = np.nonzero(np.isfinite(slower))
    pairs, waits = len(kinds), len(work)
    takes = slower[kinds, models]
    whole = np.zeros((waits, pairs + waits))
    whole[kinds, np.arange(pairs)] = 1.0
    whole[np.arange(waits), pairs + np.arange(waits)] = 1.0
    busy = np.zeros((len(gpus), pairs + waits))
    busy[models, np.arange(pairs)] = takes
    plan = linprog(
        np.append(takes, np.full(waits, _UNSERVED_SLOWDOWN)),
        A_ub=busy,
        b_ub=gpus,
        A_eq=whole,
        b_eq=work,
        method="highs-ds",
    )
    return np.maximum(0.0, -plan.ineqlin.marginals)
