"""The same spec and seed give the same bytes: again, in other processes, with and without numba.

All policies, filling and replaying. These tests must not compare rounded results: a log holds every
decision and every score.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gpu_fleet import compiled
from simulations.runs.progress import Progress
from simulations.runs.sweep import sweep, workers
from tests.simulations.determinism.cases import digest_of_run, digests, small

if TYPE_CHECKING:
    from collections.abc import Mapping

needs_numba = pytest.mark.skipif(not compiled.is_available(), reason="needs the extra fast")


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    """The digests of numpy's numbers, in this process."""
    return digests(small(kernels=False))


def printed(choice: str, **environment: str) -> Mapping[str, str]:
    """What a fresh process prints."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.simulations.determinism.cases", choice],
        env=os.environ | environment,
        capture_output=True,
        check=True,
        text=True,
    )
    told: dict[str, str] = json.loads(ran.stdout)
    return told


def test_logs_are_not_all_alike(expected: dict[str, str]) -> None:
    """Policies decide differently here, so that equal digests mean something."""
    assert len(set(expected.values())) == len(expected)


def test_three_repeats_give_one_log(expected: dict[str, str]) -> None:
    """Nothing is left over from an earlier run in the same process."""
    for _ in range(2):
        assert expected == digests(small(kernels=False))


def test_another_seed_gives_another_log(expected: dict[str, str]) -> None:
    """The seed draws the arrivals of every filling; a trace's own times it leaves alone."""
    drawn = {name: task for name, task in small(kernels=False).items() if "replay" not in name}
    others = digests({name: replace(task, seed=43) for name, task in drawn.items()})

    assert all(others[name] != expected[name] for name in drawn)


@pytest.mark.parametrize("count", [1, 2])
def test_any_number_of_workers_gives_one_log(expected: dict[str, str], count: int) -> None:
    """Results come back in the order of the tasks, and no process draws for another."""
    tasks = small(kernels=False)
    with workers(count) as executor:
        told = sweep(digest_of_run, list(tasks.values()), executor, Progress("", shown=False))

    assert expected == dict(zip(tasks, told, strict=True))


@needs_numba
def test_compiled_kernels_give_one_log(expected: dict[str, str]) -> None:
    """With the extra `fast` every decision and every score is the same."""
    assert expected == digests(small(kernels=True))


@needs_numba
def test_kernels_without_their_compiler_give_one_log(expected: dict[str, str]) -> None:
    """The source of the kernels, run as Python: nothing depends on how numba compiles it."""
    assert expected == printed("compiled", NUMBA_DISABLE_JIT="1")


def test_a_process_with_other_hashes_gives_one_log(expected: dict[str, str]) -> None:
    """No set or dictionary order that differs from process to process reaches a decision."""
    assert expected == printed("numpy", PYTHONHASHSEED="12345")
