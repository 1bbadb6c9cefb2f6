"""Which recordings prove the model, and how the scheduler is configured in each.

Sizes and seeds were fixed before the first run. This module must not know what came of them.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.house.tree import ROOT
from tests.simulations.kube.recorder import Wanted
from tests.simulations.kube.workload import gpu_pod, labelled_nodes

__all__ = [
    "ALONE",
    "ALONE_AT_ONCE",
    "FILES",
    "LIVE",
    "NODES_WHEN_SAMPLED",
    "NODES_WHEN_WHOLE",
    "WITH_ANSWERS",
]

FILES = Path(__file__).parent / "recordings"
DECISIONS = 1_000
NODES_WHEN_SAMPLED = 300
"""Above 100 a scheduler samples: 48 % of these, going on where it ended."""
NODES_WHEN_WHOLE = 60

ALONE = Wanted("alone", DECISIONS, 42, {"parallelism": 1}, {})
"""Defaults, one worker: the order of candidates and with it every tie is decided."""
ALONE_AT_ONCE = Wanted("at-once", DECISIONS, 43, {"percentageOfNodesToScore": 100}, {})
"""Defaults with sixteen workers: which of equal nodes wins is a race, so all are looked at."""
WITH_ANSWERS = (
    Wanted("weight-1", DECISIONS, 44, {"parallelism": 1}, {}, extender_weight=1),
    Wanted("dominant", DECISIONS, 45, {"parallelism": 1}, {}, extender_weight=100),
)
"""An extender beside the defaults, and one that outweighs them (10 x 100 x 10 to 1,200)."""

_SHIPPED = yaml.safe_load(
    (ROOT / "manifests/components/second-scheduler/scheduler-config.yaml").read_text("utf-8")
)
(_OUR_PROFILE,) = _SHIPPED["profiles"]
LIVE = (
    Wanted(
        "live-weight-1",
        DECISIONS,
        46,
        {"parallelism": 1},
        {"pluginConfig": _OUR_PROFILE["pluginConfig"]},
        extender_weight=1,
        nodes=labelled_nodes,
        pod=gpu_pod,
    ),
    Wanted(
        "live-dominant",
        DECISIONS,
        47,
        {"parallelism": 1},
        {key: value for key, value in _OUR_PROFILE.items() if key != "schedulerName"},
        extender_weight=_SHIPPED["extenders"][0]["weight"],
        nodes=labelled_nodes,
        pod=gpu_pod,
    ),
)
"""Our own extender beside the defaults, and as its manifests ship it: it outweighs the others."""
