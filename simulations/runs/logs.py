"""Decision logs of many runs in one file, and the SHA-256 that stands for all of them.

This module must not interpret a line.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulations.decision_log import HEADER, digest
from simulations.runs.outputs import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["write_log"]


def write_log(path: str, runs: Sequence[tuple[str, str]]) -> str:
    """Write each run's lines under a comment with its name; returns the SHA-256 of the file."""
    text = "".join((f"{HEADER}\n", *(f"# {name}\n{lines}" for name, lines in runs)))
    write_text(Path(path), text)
    return digest(text)
