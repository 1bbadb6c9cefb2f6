"""Runs an example as its README says, in a copy of its folder, and keeps what may differ out.

`python -m tests.examples` writes the expected output anew, after a policy has changed on purpose.
This module must not decide what an example prints.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["EXAMPLES", "EXPECTED", "normalised", "run_example"]

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(path.parent for path in FOLDER.glob("[0-9]*/run.sh"))
EXPECTED = "expected.txt"
_CPU_TIME = "  CPU s"


def run_example(example: Path, scratch: Path) -> str:
    """What its run.sh prints; fails if it fails or complains."""
    copy = shutil.copytree(example, scratch / example.name)
    beside_python = str(Path(sys.executable).parent)
    answer = subprocess.run(
        ["/bin/sh", "run.sh"],
        cwd=copy,
        env={**os.environ, "PATH": os.pathsep.join((beside_python, os.environ["PATH"]))},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode or answer.stderr:
        raise RuntimeError(f"{example.name}: exit {answer.returncode}: {answer.stderr}")
    return answer.stdout


def normalised(text: str) -> str:
    """Without the column of CPU seconds, which differ from run to run."""
    lines: list[str] = []
    width = None
    for line in text.splitlines():
        if line.endswith(_CPU_TIME):
            width = len(line) - len(_CPU_TIME)
        elif not line:
            width = None
        lines.append(line if width is None else line[:width].rstrip())
    return "\n".join((*lines, ""))
