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
_MODELS = (("A100", 8, 81_920, 30), ("H100", 8, 81_920, 12), ("T4", 4, 16_384, 28),
           ("L4", 1, 24_576, 30))  # fmt: skip
_WHOLE = (("A100", 4, 28), ("A100", 2, 28), ("H100", 1, 28), ("H100", 2, 28), ("T4", 1, 28),
          ("T4", 2, 28), ("A100", 8, 4), ("", 1, 20), ("", 2, 10))  # fmt: skip
_SHARES: tuple[tuple[dict[str, str], int], ...] = (
    ({"nvidia.com/gpucores": "10"}, 28),
    ({"nvidia.com/gpucores": "25", "nvidia.com/gpumem": "6000"}, 40),
    ({"nvidia.com/gpucores": "40"}, 30),
)


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
    """Three hundred pods, or a fraction of them, the shapes mixed."""
    made = [*_whole(scheduler, divisor), *_shares(scheduler, divisor)]
    return sorted(made, key=lambda pod: int(pod["metadata"]["name"].rpartition("-")[2]))


def _whole(scheduler: str, divisor: int) -> Iterator[dict[str, Any]]:
    for at, (model, gpus, count) in enumerate(_WHOLE):
        shape = PodShape(
            cpu_milli=1_000 + 500 * at,
            gpus=gpus,
            scheduler=scheduler,
            node_selector={MODEL_LABEL: model} if model else {},
        )
        yield from pods(shape, count // divisor, prefix=f"whole{at}")


def _shares(scheduler: str, divisor: int) -> Iterator[dict[str, Any]]:
    for at, (resources, count) in enumerate(_SHARES):
        for number in range(count // divisor):
            pod = share_pod(f"share{at}-{number}", scheduler, resources)
            pod["spec"]["nodeSelector"] = {MODEL_LABEL: "L4"}
            yield pod
