"""A report is compared by its hash: nothing of the day, the process or its memory is in it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from simulations.report.render import render
from tests.house.tree import ROOT
from tests.simulations.report.pages import every_section, report_of

PRINT_HASH = """
import hashlib
from simulations.report.render import render
from tests.simulations.report.pages import every_section, report_of
print(hashlib.sha256(render(report_of(*every_section())).encode()).hexdigest())
"""


def test_two_renderings_are_equal() -> None:
    """Also for documents that were built apart."""
    assert render(report_of(*every_section())) == render(report_of(*every_section()))


@pytest.mark.parametrize("seed", ["1", "77"])
def test_another_process_renders_the_same(seed: str) -> None:
    """The order in which a process keeps its sets plays no part."""
    answer = subprocess.run(
        [sys.executable, "-c", PRINT_HASH],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    here = hashlib.sha256(render(report_of(*every_section())).encode()).hexdigest()

    assert answer.stdout.strip() == here
