"""Which recordings prove the model, and how the scheduler is configured in each.

Sizes and seeds were fixed before the first run. This module must not know what came of them.
"""

from __future__ import annotations

from pathlib import Path

from tests.simulations.kube.recorder import Wanted

__all__ = ["ALONE", "ALONE_AT_ONCE", "FILES", "NODES_WHEN_SAMPLED", "NODES_WHEN_WHOLE", "WITH_US"]

FILES = Path(__file__).parent / "recordings"
DECISIONS = 1_000
NODES_WHEN_SAMPLED = 300
"""Above 100 a scheduler samples: 48 % of these, going on where it ended."""
NODES_WHEN_WHOLE = 60

ALONE = Wanted("alone", DECISIONS, 42, {"parallelism": 1}, {})
"""Defaults, one worker: the order of candidates and with it every tie is decided."""
ALONE_AT_ONCE = Wanted("at-once", DECISIONS, 43, {"percentageOfNodesToScore": 100}, {})
"""Defaults with sixteen workers: which of equal nodes wins is a race, so all are looked at."""
WITH_US = (
    Wanted("weight-1", DECISIONS, 44, {"parallelism": 1}, {}, extender_weight=1),
    Wanted("dominant", DECISIONS, 45, {"parallelism": 1}, {}, extender_weight=100),
)
"""An extender beside the defaults, and one that outweighs them (10 x 100 x 10 to 1,200)."""
