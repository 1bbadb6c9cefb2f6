"""Nodes of four models and pods of twelve shapes, in proportions that always fit.

Shares go to nodes of one GPU, so that an independent count needs no guess about devices. This must
not know how anything is placed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cluster.fleet import PodShape, gpu_nodes, pods
from tests.scheduler_extender.service.harness import share_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MODEL_LABEL", "nodes_of_four_models", "pods_of_twelve_shapes"]

MODEL_LABEL = "nvidia.com/gpu.product"
_MODELS = (("A100", 8, 81_920, 36), ("H100", 8, 81_920, 14), ("T4", 4, 16_384, 26),
           ("L4", 1, 24_576, 24))  # fmt: skip
_WHOLE = (("A100", 8, 4), ("A100", 4, 28), ("A100", 2, 28), ("H100", 1, 28), ("H100", 2, 28),
          ("T4", 1, 28), ("T4", 2, 28), ("", 2, 24), ("", 1, 44))  # fmt: skip
_SHARES: tuple[tuple[dict[str, str], int], ...] = (
    ({"nvidia.com/gpucores": "10"}, 28),
    ({"nvidia.com/gpucores": "25", "nvidia.com/gpumem": "6000"}, 16),
    ({"nvidia.com/gpucores": "40"}, 16),
)
"""At most 0.6 of the GPUs together, so that no order of arrival leaves one without a place."""
_NOT_WITH_SHARES = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": MODEL_LABEL, "operator": "NotIn", "values": ["L4"]}]}
            ]
        }
    }
}
"""Nodes of shares are kept for shares: while nobody answers, kube-scheduler gives whole GPUs out by
its own count, which knows no shares. Where the scorer is ignorable, an operator must do the same.
"""


def nodes_of_four_models(prefix: str, divisor: int = 1) -> list[dict[str, Any]]:
    """A hundred nodes, or a fraction of them."""
    return [
        node
        for model, devices, mib, count in _MODELS
        for node in gpu_nodes(
            -(-count // divisor),
            model,
            devices,
            prefix=f"{prefix}-{model.lower()}",
            gpu_memory_mib=mib,
        )
    ]


def pods_of_twelve_shapes(scheduler: str, divisor: int = 1) -> list[dict[str, Any]]:
    """Three hundred pods, or a fraction of them, shapes mixed as far as all still find room."""
    made = [*_whole(scheduler, divisor), *_shares(scheduler, divisor)]
    return sorted(made, key=_turn)


def _turn(pod: dict[str, Any]) -> tuple[int, int]:
    """Who needs a whole node comes first and who may go anywhere last, so that all find room."""
    shape, _, number = pod["metadata"]["name"].rpartition("-")
    return {"whole0": 0, "whole7": 2, "whole8": 3}.get(shape, 1), int(number)


def _whole(scheduler: str, divisor: int) -> Iterator[dict[str, Any]]:
    for at, (model, gpus, count) in enumerate(_WHOLE):
        shape = PodShape(
            cpu_milli=1_000 + 500 * at,
            gpus=gpus,
            scheduler=scheduler,
            node_selector={MODEL_LABEL: model} if model else {},
        )
        for pod in pods(shape, count // divisor, prefix=f"whole{at}"):
            if not model:
                pod["spec"]["affinity"] = _NOT_WITH_SHARES
            yield pod


def _shares(scheduler: str, divisor: int) -> Iterator[dict[str, Any]]:
    for at, (resources, count) in enumerate(_SHARES):
        for number in range(count // divisor):
            pod = share_pod(f"share{at}-{number}", scheduler, resources)
            pod["spec"]["nodeSelector"] = {MODEL_LABEL: "L4"}
            yield pod
