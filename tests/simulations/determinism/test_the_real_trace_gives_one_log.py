"""The same proof on a real trace, from the command line: openb, all policies, filled and replayed.

What is compared is the SHA-256 that the command itself prints. These tests are long and belong to
`make prove`; they must not be shortened by leaving out a policy.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gpu_fleet import compiled
from tests.traces import trace_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.prove, pytest.mark.traces]

FILL = ("placement", "--seeds", "42", "--tie-break", "random")
REPLAY = ("replay", "--seeds", "42", "--load", "1.0")
ALL = ("--policies", "all")


def printed(folder: Path, *options: str, **environment: str) -> str:
    """The SHA-256 that one run of the command prints."""
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "synthscale", "simulate", options[0]),
            *("--pods", str(trace_file("openb/openb_pod_list_default.csv.gz"))),
            *("--nodes", str(trace_file("openb/openb_node_list_all_node.csv.gz"))),
            *("--log", str(folder / "decisions.csv"), *options[1:]),
        ],
        env=os.environ | environment,
        capture_output=True,
        check=True,
        text=True,
    )
    found = re.search(r"SHA-256 ([0-9a-f]{64})", ran.stdout)
    assert found, ran.stdout
    return found[1]


@pytest.mark.parametrize("experiment", [FILL, REPLAY], ids=["filled", "replayed"])
def test_repeats_workers_and_kernels_give_one_log(
    tmp_path: Path, experiment: tuple[str, ...]
) -> None:
    """Three repeats, 1 and 2 workers, with and without kernels: one digest."""
    told = {
        printed(tmp_path, *experiment, *ALL),
        printed(tmp_path, *experiment, *ALL, "--workers", "2"),
        printed(tmp_path, *experiment, *ALL, "--kernels", "numpy"),
    }

    assert len(told) == 1


@pytest.mark.skipif(not compiled.is_available(), reason="needs the extra fast")
@pytest.mark.parametrize(
    ("experiment", "policies"),
    [
        pytest.param(FILL, "least-loss", id="filled by least-loss"),
        pytest.param(REPLAY, "least-loss", id="replayed by least-loss"),
        # The loops of fgd take an hour as plain Python; a twentieth of the load takes minutes.
        pytest.param((*FILL, "--until", "0.05"), "fgd", id="begun by fgd"),
    ],
)
def test_kernels_without_their_compiler_give_one_log(
    tmp_path: Path, experiment: tuple[str, ...], policies: str
) -> None:
    """NUMBA_DISABLE_JIT=1 runs the same source as Python, with the same digest."""
    chosen = (*experiment, "--policies", policies, "--kernels", "compiled")

    assert printed(tmp_path, *chosen) == printed(tmp_path, *chosen, NUMBA_DISABLE_JIT="1")
