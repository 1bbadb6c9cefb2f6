"""Where measured figures are kept, so that a number in the documentation can be traced to a run.

It exists so that every proof records its rows in one form, with the date and the kind of machine.
It must not name the host, a person or a path: a figure belongs to the product, not to a desk.
"""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIGURES: Final = Path(__file__).parents[1] / "docs" / "figures"


def record(name: str, rows: Sequence[Mapping[str, object]], *, command: str = "make prove") -> Path:
    """Write rows to docs/figures/<name>.json beside the date (UTC), the machine and the command.

    Rows hold what json can write. An earlier record of that name is replaced, whole or not at all.
    """
    document = {
        "figure": name,
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "rows": [dict(row) for row in rows],
    }
    FIGURES.mkdir(parents=True, exist_ok=True)
    target = FIGURES / f"{name}.json"
    draft = target.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    draft.replace(target)
    return target


def machine() -> dict[str, object]:
    """Return the kind of machine and of interpreter: enough to judge a figure by."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else "unknown"
