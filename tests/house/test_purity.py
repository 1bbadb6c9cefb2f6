"""A decision reaches no socket, process, cluster or device, not even through what it imports.

Import contracts cannot see what a library or a package's `__init__` drags in, so each decision
module is imported alone, in a process of its own, and the modules that came with it are looked at.
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
import importlib, json, sys
for library in json.loads(sys.argv[2]):
    importlib.import_module(library)
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def brought_by(module: str, libraries: list[str], folder: Path = ROOT) -> set[str]:
    """The modules that importing one module adds to a fresh process that has these libraries."""
    answer = subprocess.run(
        [sys.executable, "-c", LISTEN, module, json.dumps(libraries)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout))


def tops(modules: set[str]) -> set[str]:
    """The first word of each module's name."""
    return {name.partition(".")[0] for name in modules}


def strangers(module: str, folder: Path = ROOT) -> set[str]:
    """What a decision module must not have brought: doors, foreign libraries, a shell."""
    brought = brought_by(module, ["numpy"], folder)
    used = sorted(
        name for name in brought if name.partition(".")[0] in LIBRARIES and name.count(".") <= 1
    )
    if used and tops(brought) & OUTSIDE:
        # A library may have opened the door for itself: look again with it already there.
        public = [name for name in used if not name.partition(".")[2].startswith("_")]
        brought = brought_by(module, ["numpy", *public], folder)
    ours = {*rooms(), *LIBRARIES, *sys.stdlib_module_names}
    shells = {
        name for name in brought if name.split(".")[:2] in [["simulations", s] for s in SHELLS]
    }
    return (tops(brought) & OUTSIDE) | (tops(brought) - ours) | shells


@pytest.mark.parametrize("module", decision_modules())
def test_a_decision_module_opens_no_door(module: str) -> None:
    """Importing one decision module in a fresh process brings no door, stranger or shell."""
    brought = strangers(module)

    assert set() == brought


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

    assert found in strangers("planted", tmp_path)


def test_there_are_decisions_to_guard() -> None:
    """The walk finds modules, so that an empty list never passes for purity."""
    found = decision_modules()

    assert "gpu_fleet.errors" in found
    assert not any(name.startswith("simulations.readers") for name in found)
