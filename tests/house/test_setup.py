"""Setting up tells a person what is missing, in one line with the command that brings it.

The script is run in a copy of its folder with a search path that holds only what a bare machine
has, so no test here depends on this machine's interpreters or touches its .venv.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.house.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = ("cat", "dirname", "sha256sum", "sh")

OLD = '#!/bin/sh\ncase "$2" in *print*) echo "Python 3.9";; *) exit 1;; esac\n'
NO_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n'


def bare_machine(folder: Path, interpreters: dict[str, str]) -> Path:
    """A search path with the few commands of a bare machine and these interpreters."""
    commands = folder / "commands"
    commands.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None
        (commands / name).symlink_to(found)
    for name, script in interpreters.items():
        (commands / name).write_text(script, encoding="utf-8")
        (commands / name).chmod(0o755)
    return commands


@pytest.mark.parametrize(
    ("interpreters", "named"),
    [
        ({}, "apt-get install python3 python3-venv"),
        ({"python3": OLD}, "python3 is Python 3.9; run: apt-get install python3.11"),
        ({"python3": NO_VENV}, "apt-get install python3-venv"),
        ({"python3": OLD, "python3.12": NO_VENV}, "apt-get install python3.12-venv"),
    ],
    ids=["no python", "an old python", "no venv module", "a newer python without venv"],
)
def test_what_is_missing_is_named_in_one_line(
    tmp_path: Path, interpreters: dict[str, str], named: str
) -> None:
    """A machine that lacks something hears what and how to get it, and nothing is made."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    answer = subprocess.run(
        [tmp_path / "requirements" / "prepare", "run"],
        env={"PATH": str(bare_machine(tmp_path, interpreters)), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith("synthscale: ")
    assert named in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


def test_the_menu_names_every_target() -> None:
    """A bare `make` prints one line of help for each thing a person can ask for."""
    answer = subprocess.run(
        [shutil.which("make") or "make", "--no-print-directory"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    for target in ("demo", "test", "check", "prove", "bench", "bench-extender", "lock", "clean"):
        assert f"\n    {target} " in answer.stdout
