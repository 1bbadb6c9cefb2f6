"""Prices for the kinds of node that the bundled fleet is made of, and for two without GPUs.

The prices are made up, in round units an hour: so much for each GPU of a model, each CPU and each
GiB. Only their order is that of the market: newer and larger costs more. Nobody should buy by them;
they are there so that `capacity size` can be tried without a price list.
This module must not draw anything.
"""

from __future__ import annotations

from simulations.recipes.fleet import NODE_KINDS, NodeKind

__all__ = ["offerings_csv"]

_EACH_GPU = {"A10": 100, "T4": 45, "P100": 70, "A100-80GB": 360, "V100M16": 120, "V100M32": 160}
"""Hundredths of a unit an hour."""
_EACH_CPU = 3
_EACH_10_GIB = 3
_WITHOUT_GPU = (NodeKind("", 0, 16, 64), NodeKind("", 0, 64, 256))
_MIB_PER_GIB = 1_024
_HEADER = "name,cpu_milli,memory_mib,gpu,model,cost_per_hour"


def offerings_csv() -> str:
    """The price list as a file that `capacity size` reads."""
    return "".join(
        f"{line}\n" for line in (_HEADER, *(_line(kind) for kind in (*NODE_KINDS, *_WITHOUT_GPU)))
    )


def _line(kind: NodeKind) -> str:
    name = f"{kind.model.lower()}-{kind.gpus}x-{kind.cpus}c" if kind.gpus else f"cpu-{kind.cpus}c"
    amounts = f"{kind.cpus * 1_000},{kind.memory_gib * _MIB_PER_GIB},{kind.gpus}"
    return f"{name},{amounts},{kind.model},{_hundredths(kind) / 100:.2f}"


def _hundredths(kind: NodeKind) -> int:
    gpus = kind.gpus * _EACH_GPU.get(kind.model, 0)
    return gpus + kind.cpus * _EACH_CPU + kind.memory_gib * _EACH_10_GIB // 10
