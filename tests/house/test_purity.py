"""A decision reaches no socket, process, cluster or device, not even through what it imports.

Import contracts cannot see what a library or a package's `__init__` drags in, so each decision
module is imported alone, in a process of its own, and the modules that came with it are looked at.
The process is a fork of one that has numpy and nothing else, for numpy is slow to import.
This file must not import any room into its own process: that would hide the answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.house.tree import ROOT, SHELLS, decision_modules, rooms

if TYPE_CHECKING:
    from pathlib import Path

OUTSIDE = frozenset(
    {
        "aiohttp",
        "asyncio",
        "boto3",
        "ftplib",
        "grpc",
        "http",
        "jinja2",
        "kubernetes",
        "multiprocessing",
        "pynvml",
        "requests",
        "rich",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "typer",
    }
)
"""Doors to the outside world; none may be open once a decision module is imported."""

LIBRARIES = frozenset({"numba", "llvmlite", "numpy", "scipy"})
"""Libraries a decision may compute with. What they import for themselves is their business."""

LISTEN = """
import importlib, json, os, sys
for library in json.loads(sys.argv[2]):
    importlib.import_module(library)
before = set(sys.modules)
for module in json.loads(sys.argv[1]):
    if child := os.fork():
        if os.waitpid(child, 0)[1]:
            sys.exit(1)
    else:
        importlib.import_module(module)
        print(json.dumps([module, sorted(set(sys.modules) - before)]), flush=True)
        os._exit(0)
"""


def brought_by(modules: list[str], libraries: list[str], folder: Path) -> dict[str, set[str]]:
    """What importing each module adds to a fresh process that has these libraries."""
    answer = subprocess.run(
        [sys.executable, "-c", LISTEN, json.dumps(modules), json.dumps(libraries)],
        cwd=folder,
        # One thread, since a fork keeps only the thread that forks.
        env={**os.environ, "PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    told = [json.loads(line) for line in answer.stdout.splitlines()]
    return {module: set(brought) for module, brought in told}


def tops(modules: set[str]) -> set[str]:
    """The first word of each module's name."""
    return {name.partition(".")[0] for name in modules}


def sins(brought: set[str]) -> set[str]:
    """What a decision module must not have brought: doors, foreign libraries, a shell."""
    known = {*rooms(), *LIBRARIES, *sys.stdlib_module_names, "planted"}
    shells = {f"simulations.{name}" for name in SHELLS}
    return (tops(brought) & OUTSIDE) | (tops(brought) - known) | (brought & shells)


def sinners(modules: list[str], folder: Path = ROOT) -> dict[str, set[str]]:
    """The modules that brought what they must not, with what that was."""
    first = brought_by(modules, ["numpy"], folder)
    found = {module: sins(brought) for module, brought in first.items() if sins(brought)}
    for module in found:
        # A library may have opened the door for itself: look again with it already there.
        used = [name for name in sorted(first[module]) if name.split(".")[0] in LIBRARIES]
        public = [name for name in used if name.count(".") <= 1 and "._" not in name]
        found[module] = sins(brought_by([module], ["numpy", *public], folder)[module])
    return {module: brought for module, brought in found.items() if brought}


@pytest.mark.parametrize("room", rooms())
def test_no_decision_opens_a_door(room: str) -> None:
    """Importing any decision module of a room alone brings no door, stranger or shell."""
    modules = [name for name in decision_modules() if name.split(".")[0] == room]

    assert sinners(modules) == {}


@pytest.mark.parametrize(
    ("sin", "found"),
    [
        ("import socket", "socket"),
        ("import http.client", "http"),
        ("import importlib\nimportlib.import_module('ssl')", "ssl"),
        ("from concurrent.futures.process import ProcessPoolExecutor", "multiprocessing"),
        ("import typer", "typer"),
        ("import pluggy", "pluggy"),
    ],
)
def test_the_search_finds_a_planted_door(tmp_path: Path, sin: str, found: str) -> None:
    """The search is not blind: a sin planted in a module of its own is named."""
    (tmp_path / "planted.py").write_text(sin, encoding="utf-8")

    assert found in sinners(["planted"], tmp_path)["planted"]


def test_there_are_decisions_to_guard() -> None:
    """The walk finds modules, so that an empty list never passes for purity."""
    found = decision_modules()

    assert "gpu_fleet.errors" in found
    assert not any(name.startswith("simulations.readers") for name in found)
