"""GPU models that pods name and no node has.

Undisclosed model names are legal, so a reader of one file cannot tell a typing error from a name it
has never seen; with both files at hand it can. This module must not judge capability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.accelerators import is_known
from gpu_fleet.errors import InputError
from gpu_fleet.words import did_you_mean, listed, shown

if TYPE_CHECKING:
    from simulations.workload import Inventory, Workload

__all__ = ["unknown_models"]


def unknown_models(inventory: Inventory, workload: Workload) -> None:
    """Raise `InputError` for the first pod whose models cannot be meant for these nodes.

    That is: no node has any of them, or one of them is a name that nobody knows. A known model that
    happens to be absent is fine as long as another one in the list is there.
    """
    present = frozenset(node.gpu_model for node in inventory.nodes if node.gpu_model)
    checked: set[tuple[str, ...]] = set()
    for index, traced in enumerate(workload.pods):
        models = traced.pod.shape.admission.gpu_models
        if not models or models in checked:
            continue
        checked.add(models)
        if (stranger := _stranger(models, present)) is not None:
            raise _complaint(workload, index, stranger, present)


def _stranger(models: tuple[str, ...], present: frozenset[str]) -> str | None:
    absent = [model for model in models if model not in present]
    if len(absent) == len(models):
        return absent[0]
    return next((model for model in absent if not is_known(model)), None)


def _complaint(workload: Workload, index: int, model: str, present: frozenset[str]) -> InputError:
    name = workload.pods[index].pod.name
    remedy = f"use one of {listed(present)}" if present else "give nodes with GPUs"
    return InputError(
        f"no node has model {shown(model)}, which pod {shown(name)} asks for",
        remedy=f"{remedy}{did_you_mean(model, present)}",
        file=workload.file,
        line=workload.lines[index] if index < len(workload.lines) else None,
        field="gpu_spec",
    )
