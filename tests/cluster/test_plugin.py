"""How pytest treats a test of the control plane: together on one worker, and never skipped.

Small runs of pytest with the plugin are looked at from outside. No control plane is started: the
fixture of that name is one of the run's own.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.house.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import os, pathlib, pytest

@pytest.fixture
def control_plane():
    return os.environ["PYTEST_XDIST_WORKER"]

@pytest.mark.parametrize("n", range(8))
def test_asks(control_plane, n):
    print("asked", control_plane)

@pytest.mark.parametrize("n", range(8))
def test_asks_not(n):
    pass
"""
SKIPS = """
import pytest

@pytest.fixture
def control_plane():
    pytest.skip("no Go here")

def test_asks(control_plane):
    pass

def test_asks_not():
    pytest.skip("for a good reason")
"""


def run(folder: Path, tests: str, *words: str) -> str:
    """What a run of pytest over these tests says."""
    (folder / "test_planted.py").write_text(tests, encoding="utf-8")
    command = (sys.executable, "-m", "pytest", "-p", "tests.cluster.fixtures", *words, str(folder))
    return subprocess.run(
        (*command, "-c", str(folder / "none.ini"), "--rootdir", str(folder)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    ).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place for planted tests, with a configuration that says nothing."""
    (tmp_path / "none.ini").write_text("[pytest]\n", encoding="utf-8")
    return tmp_path


def test_all_that_ask_for_it_share_one_worker(folder: Path) -> None:
    """With two workers one of them runs every test that asks for the control plane."""
    told = run(folder, TESTS, "-n", "2", "--dist", "loadgroup", "-rP")
    workers = {line for line in told.splitlines() if line.startswith("asked")}

    assert "16 passed" in told
    assert told.count("asked") == 8
    assert len(workers) == 1


def test_a_test_of_the_control_plane_cannot_be_skipped(folder: Path) -> None:
    """A skip for want of a control plane is a failure; another test may skip as it likes."""
    told = run(folder, SKIPS, "-ra", "-n", "0")

    assert "1 skipped" in told
    assert "1 error" in told or "1 failed" in told
    assert "which no test of the control plane may be" in told
