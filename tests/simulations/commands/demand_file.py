"""A small made-up series in a file, for the commands that forecast.

This module must not assert anything.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["demand_file"]

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def demand_file(folder: Path, days: int = 10, name: str = "load.csv", seed: int = 1) -> str:
    """Hours of days with a peak in the afternoon and noise; returns the path."""
    hours = np.arange(days * 24)
    noise = np.random.default_rng(seed).normal(0, 4, len(hours))
    gpus = np.rint(100 + 40 * np.sin((hours - 9) * 2 * np.pi / 24) + noise)
    rows = (
        f"{MONDAY + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ},{value:.0f}"
        for hour, value in zip(hours.tolist(), gpus.tolist(), strict=True)
    )
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(("time,GPUs", *rows, "")), encoding="utf-8")
    return str(folder / name)
