"""A generated fleet or workload as a file that people can open: CSV in openb's columns.

The readers read it back to the same values, so a recipe and the file made of it are one workload.
This module must not write files, and refuses what the columns cannot say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.admission import Admission
from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from gpu_fleet.pods import PodShape
    from simulations.workload import Inventory, TracedPod, Workload

__all__ = ["nodes_csv", "pods_csv"]

_NODE_HEADER = "sn,cpu_milli,memory_mib,gpu,model"
_POD_HEADER = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time"


def nodes_csv(inventory: Inventory) -> str:
    """The nodes of an inventory, a line each."""
    lines = [
        f"{node.name},{node.cpu_milli},{node.memory_mib},{len(node.devices)},{node.gpu_model or ''}"
        for node in inventory.nodes
    ]
    return _text(_NODE_HEADER, lines)


def pods_csv(workload: Workload) -> str:
    """The pods of a workload, a line each."""
    return _text(_POD_HEADER, [_pod_line(traced) for traced in workload.pods])


def _pod_line(traced: TracedPod) -> str:
    shape = traced.pod.shape
    _check(traced.pod.name, shape)
    times = ("" if at is None else str(at) for at in (traced.created_s, traced.deleted_s))
    cells = (
        traced.pod.name,
        str(shape.cpu_milli),
        str(shape.memory_mib),
        str(shape.gpu_count),
        str(shape.gpu_milli if shape.gpu_count else 0),
        "|".join(shape.admission.gpu_models),
        *times,
    )
    return ",".join(cells)


def _check(name: str, shape: PodShape) -> None:
    only_models = Admission(gpu_models=shape.admission.gpu_models)
    plain = shape.gpu_memory_mib == 0 and shape.agent is None and not shape.datasets
    if not plain or shape.admission != only_models:
        raise InputError(
            f"pod {name} asks for more than openb's columns can say",
            remedy="keep to CPU, memory, GPUs and GPU models",
        )


def _text(header: str, lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in (header, *lines))
