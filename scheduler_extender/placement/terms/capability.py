"""GPU-seconds that others lose because this pod sits on a GPU model which they need more.

Few GPUs of a fleet are strong or large, and some agents run well, or at all, on those only. A pod
pays for its seat: the model's price (`model_price`), times how long it stays there, times its GPUs.
So an agent that is merely faster on the best model takes the next one while the best is asked for,
and an agent that needs the best pays too, which moves it nowhere. Whether a pod fits is
`feasibility`'s answer, and its own slowness is what `specialisation` counts.
This module must not look at what is free: prices change with the mix and the fleet, not with pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI
from scheduler_extender.placement.model_price import ModelOffer, model_prices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.pod_mix import PodMix
    from scheduler_extender.placement.terms.expectations import Expectations

__all__ = ["Capability", "offers_of"]

_DIGITS = 2
"""GPUs of a model are rounded to so many digits: a node more or less of hundreds changes no price,
and prices depend on the fleet as it is, not on how it became so."""
_FLEETS_KEPT = 64
"""Fleets whose prices are remembered. Solving anew takes milliseconds."""
_NO_MODEL = -1


class Capability:
    """The term: price of the model's seats, times time taken there, times GPUs."""

    name = "capability"

    def __init__(self, mix: PodMix, expect: Expectations) -> None:
        self._mix = mix
        self._expect = expect
        self._solved: dict[tuple[ModelOffer, ...], Mapping[str | None, int]] = {}
        self._of: tuple[ClusterView, int] | None = None
        self._prices: tuple[int, ...] = ()

    def learn(self, mix: PodMix) -> None:
        """Go on with another pod mix."""
        self._mix = mix
        self._solved.clear()
        self._of = None

    def prices(self, view: ClusterView) -> tuple[int, ...]:
        """By model id: thousandths of a GPU-second lost for each taken; the last is "no model".

        Worked out again when nodes came, went or changed; pods do not matter.
        """
        known = self._of
        if known is None or known[0] is not view or known[1] != view.node_changes:
            by_model = self._solve(offers_of(view))
            self._prices = tuple(by_model.get(model, 0) for model in (*view.models, None))
            self._of = (view, view.node_changes)
        return self._prices

    def applies(self, view: ClusterView, shape_id: int) -> bool:
        """Whether the pod takes GPUs and any model is worth more than another."""
        return view.shapes[shape_id].gpu_count > 0 and any(self.prices(view))

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `ScoreTerm.losses`."""
        shape = view.shapes[shape_id]
        slower = self._expect.slowdown_permille(shape, (*view.models, None))
        by_model = [
            price * slow // 1_000 for price, slow in zip(self.prices(view), slower, strict=True)
        ]
        seat_permille = np.array(by_model, np.int64)[view.model_id[columns]]
        return seat_permille * (shape.total_gpu_milli * self._expect.lifetime_s(shape))

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:
        """See `ScoreTerm.why`."""
        gpus = view.shapes[shape_id].total_gpu_milli / WHOLE_GPU_MILLI
        model = view.node(slot).gpu_model or "unknown GPU"
        return f"for taking {gpus:g} x {model} from agents that need it"

    def _solve(self, offers: tuple[ModelOffer, ...]) -> Mapping[str | None, int]:
        prices = self._solved.get(offers)
        if prices is None:
            if len(self._solved) >= _FLEETS_KEPT:
                self._solved.clear()
            prices = self._solved[offers] = model_prices(self._mix, self._expect, offers)
        return prices


def offers_of(view: ClusterView) -> tuple[ModelOffer, ...]:
    """What the fleet has of each model, in order of their names: healthy GPUs, taken or not."""
    devices = view.device_count
    memory = np.where(view.gpu_total_milli > 0, view.gpu_memory_total_mib, -1).max(axis=1)
    offers = []
    for model_id, model in ((_NO_MODEL, None), *enumerate(view.models)):
        nodes = np.flatnonzero((view.model_id == model_id) & (devices > 0))
        if nodes.size:
            milli = int(view.gpu_total_milli[nodes].sum())
            gpus = int(float(f"{max(1, milli // WHOLE_GPU_MILLI):.{_DIGITS}g}"))
            most_memory, most_devices = int(memory[nodes].max()), int(devices[nodes].max())
            offers.append(ModelOffer(model, gpus, most_memory, most_devices))
    return tuple(sorted(offers, key=lambda offer: offer.model or ""))
