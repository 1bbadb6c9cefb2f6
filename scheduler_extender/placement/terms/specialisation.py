"""GPU-seconds lost because this agent runs slower on this GPU model than on its best one.

Speeds come from the AgentProfile, given or learned; a model without a stated speed is never used by
that agent, because its pods' admission names the stated ones (`bind`).
This module must not estimate a speed from FLOPS: peak is not speed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.agents import AgentProfile
    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.pods import PodShape
    from scheduler_extender.placement.terms.expectations import Expectations

__all__ = ["Specialisation", "bind"]


def bind(shape: PodShape, agent: AgentProfile) -> PodShape:
    """The shape of a pod that runs this agent: its models, memory and datasets joined in."""
    models = shape.admission.gpu_models
    if agent.speed_permille:
        stated = set(agent.speed_permille)
        models = tuple(sorted(stated & set(models) if models else stated))
    return replace(
        shape,
        agent=agent.name,
        admission=replace(shape.admission, gpu_models=models),
        gpu_memory_mib=max(shape.gpu_memory_mib, agent.needs_gpu_memory_mib),
        datasets=tuple(dict.fromkeys((*shape.datasets, *agent.datasets))),
    )


class Specialisation:
    """The term: expected lifetime on the fleet's best model, times how much longer it takes."""

    name = "specialisation"

    def __init__(self, expect: Expectations) -> None:
        self._expect = expect

    def applies(self, view: ClusterView, shape_id: int) -> bool:
        """Whether the pod's agent has stated speeds and the pod uses a GPU."""
        shape = view.shapes[shape_id]
        return shape.gpu_count > 0 and bool(self._expect.speeds(shape))

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `ScoreTerm.losses`."""
        shape = view.shapes[shape_id]
        slower = np.array(self._expect.slowdown_permille(shape, (*view.models, None)), np.int64)
        added = (slower - 1_000)[view.model_id[columns]]  # the last, -1, is a node without a model
        return added * (shape.total_gpu_milli * self._expect.lifetime_s(shape))

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:
        """See `ScoreTerm.why`."""
        shape = view.shapes[shape_id]
        return f"because {shape.agent} is slower on {view.node(slot).gpu_model}"
