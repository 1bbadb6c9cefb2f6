"""The laws bite: a sin planted in a decision is named by the tool that forbids it.

A contract that is spelled wrongly forbids nothing and stays green; so each is shown a sin.
This file must not judge the code that exists: `make check` does that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.house.tree import ROOT, rooms

if TYPE_CHECKING:
    from pathlib import Path

OPENING = '"""Planted."""\n\n'


def tool(*words: str, folder: Path, text: str | None = None) -> str:
    """What one of our tools says about a folder or about text on its standard input."""
    answer = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("sin", "rule"),
    [
        ("import time\n\nNOW = time.time()\n", "TID251"),
        ("import datetime\n\nNOW = datetime.datetime.now(datetime.UTC)\n", "TID251"),
        ("from random import random\n\nDRAW = random()\n", "TID251"),
        ("import numpy as np\n\nDRAW = np.random.rand(3)\n", "NPY002"),
        ('TEXT = open("pods.csv").read()\n', "PTH123"),
        ('from pathlib import Path\n\nTEXT = Path("pods.csv").read_text()\n', "TID251"),
        ('import os\n\nHOME = os.environ["HOME"]\n', "TID251"),
        ("import socket\n\nLINE = socket.socket()\n", "TID251"),
    ],
)
@pytest.mark.parametrize("place", ["gpu_fleet/planted.py", "simulations/planted.py"])
def test_a_clock_a_file_or_dice_in_a_decision_are_named(place: str, sin: str, rule: str) -> None:
    """The linter names the rule that a decision broke."""
    told = tool(
        *(sys.executable, "-m", "ruff", "check", "--output-format", "concise"),
        *("--stdin-filename", place, "-"),
        folder=ROOT,
        text=OPENING + sin,
    )

    assert f" {rule} " in told


@pytest.mark.parametrize(
    "place",
    [
        "simulations/readers/planted.py",
        "simulations/runs.py",
        "synthscale/planted.py",
        "tests/planted.py",
    ],
)
def test_a_shell_may_read_the_clock(place: str) -> None:
    """The ban ends where the shells begin."""
    told = tool(
        *(sys.executable, "-m", "ruff", "check", "--output-format", "concise"),
        *("--stdin-filename", place, "-"),
        folder=ROOT,
        text=OPENING + "import time\n\nNOW = time.time()\n",
    )

    assert "TID251" not in told


@pytest.mark.parametrize(
    ("place", "sin", "contract"),
    [
        ("gpu_fleet/planted.py", "import simulations.engine", "Imports go down only"),
        ("scheduler_extender/planted.py", "import simulations.engine", "Imports go down only"),
        ("scheduler_extender/placement/planted.py", "import socket", "Decisions reach no"),
        ("simulations/planted.py", "import kubernetes", "Decisions reach no"),
        ("simulations/planted.py", "import simulations.readers", "never reach for its shell"),
    ],
)
def test_an_import_against_the_law_is_named(
    tmp_path: Path, place: str, sin: str, contract: str
) -> None:
    """The import linter breaks the contract that an import goes against, and no other."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in rooms():
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / place).write_text(OPENING + sin + "\n", encoding="utf-8")
    command = "import sys; from importlinter.cli import lint_imports_command as run; run()"
    told = tool(sys.executable, "-c", command, "--no-cache", folder=tmp_path)
    broken = [line for line in told.splitlines() if " BROKEN" in line]

    assert len(broken) == 1, told
    assert contract in broken[0]
