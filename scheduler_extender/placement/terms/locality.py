"""GPUs that wait for bytes: images, weights and data that the node does not hold yet.

Missing bytes over the measured throughput are seconds, times the GPUs that wait meanwhile.
Sizes are facts of the view; a dataset nobody defined has an unknown size and costs nothing here
(it is counted by the host). This module must not fetch anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.pods import PodShape
    from scheduler_extender.placement.terms.expectations import Expectations

__all__ = ["Locality", "missing_bytes"]


def missing_bytes(
    view: ClusterView, shape: PodShape, columns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Bytes that each node would have to fetch before such a pod can work."""
    total = np.zeros(len(columns), np.int64)
    for name in shape.datasets:
        dataset = view.dataset(name)
        if dataset is not None:
            total += np.where(view.held[columns, dataset], 0, view.dataset_bytes[dataset])
    return total


class Locality:
    """The term: GPU-seconds of waiting for bytes."""

    name = "locality"

    def __init__(self, expect: Expectations) -> None:
        self._expect = expect

    def applies(self, view: ClusterView, shape_id: int) -> bool:
        """Whether such pods read anything."""
        return bool(view.shapes[shape_id].datasets)

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `ScoreTerm.losses`."""
        shape = view.shapes[shape_id]
        missing = missing_bytes(view, shape, columns)
        wait_ms = missing // max(1, self._expect.fetch_bytes_per_s // 1_000)
        return np.asarray(wait_ms * shape.total_gpu_milli)  # ms x thousandths = micro-GPU-seconds

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:
        """See `ScoreTerm.why`."""
        missing = missing_bytes(view, view.shapes[shape_id], np.array([slot]))[0]
        return f"for fetching {missing / 1e9:.1f} GB"
