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
        profile = self._profile(shape)
        return shape.gpu_count > 0 and profile is not None and bool(profile.speed_permille)

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `ScoreTerm.losses`."""
        shape = view.shapes[shape_id]
        slower = self._slower_permille(view, shape)
        at = slower[view.model_id[columns]]
        return np.asarray(at * (shape.total_gpu_milli * self._expect.lifetime_s(shape)))

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:
        """See `ScoreTerm.why`."""
        shape = view.shapes[shape_id]
        return f"because {shape.agent} is slower on {view.node(slot).gpu_model}"

    def _profile(self, shape: PodShape) -> AgentProfile | None:
        return None if shape.agent is None else self._expect.agents.get(shape.agent)

    def _slower_permille(self, view: ClusterView, shape: PodShape) -> NDArray[np.int64]:
        """By model id: thousandths of the best time that are added; the last row is "no model"."""
        profile = self._profile(shape)
        speeds = {} if profile is None else profile.speed_permille
        best = max((speeds[m] for m in view.models if m in speeds), default=0)
        added = [best * 1_000 // speeds[m] - 1_000 if m in speeds else 0 for m in view.models]
        return np.array([*added, 0], np.int64)
