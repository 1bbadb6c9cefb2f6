"""Keeps standard output for what we say ourselves.

HiGHS, which scipy solves with, prints a line of its own in rare cases, past Python, straight to the
process's standard output; with `--json -` that would spoil the JSON. This module must not hide
anything that Python code prints.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["foreign_output_dropped"]

_STDOUT = 1


@contextmanager
def foreign_output_dropped() -> Iterator[None]:
    """While it lasts, what libraries write to file descriptor 1 goes nowhere."""
    kept, nowhere = os.dup(_STDOUT), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDOUT)
    try:
        yield
    finally:
        # C's own buffer would else be written out at the end of the process.
        ctypes.CDLL(None).fflush(None)
        os.dup2(kept, _STDOUT)
        os.close(kept)
        os.close(nowhere)
