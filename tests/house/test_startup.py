"""The screen answers at once: help must not pay for arrays, solvers, compilers or charts.

The time is printed and not judged, for a busy machine says nothing about the code; what is judged
is its cause, the modules that came along. Nothing here may import a room into its own process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tests.house.tree import ROOT

HEAVY = frozenset(
    {"jinja2", "lightgbm", "llvmlite", "msgspec", "numba", "numpy", "scipy", "simulations"}
)

ASK = """
import json, sys
from synthscale.__main__ import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["simulate", "--help"], ["capacity", "--help"]]
)
def test_help_needs_no_room(arguments: list[str]) -> None:
    """The screen and its branches are shown without importing numpy or a room's commands."""
    started = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    print(f"synthscale {' '.join(arguments)}: {time.perf_counter() - started:.3f} s")  # noqa: T201
    code, modules = json.loads(answer.stderr)

    assert code == 0
    assert set() == HEAVY & {name.partition(".")[0] for name in modules}
