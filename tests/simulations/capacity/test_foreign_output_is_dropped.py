"""What a library prints past Python does not reach standard output."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import ctypes
from simulations.runs.quiet import foreign_output_dropped

libc = ctypes.CDLL(None)
with foreign_output_dropped():
    libc.puts(b"a word of a solver")
print("ours")
"""


def test_only_our_words_are_left() -> None:
    """Neither at once nor when C's buffer is written out at the end."""
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )

    assert told.stdout == "ours\n"
