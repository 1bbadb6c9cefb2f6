"""A wheel holds the rooms and their data, nothing else, and works far from its sources.

It is built with the pinned backend and installed without any network, into an environment that
borrows this one's libraries but not this folder. No test here may write into the repository.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from synthscale import __version__
from tests.house.tree import ROOT, rooms

OFFLINE = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
OFFLINE.pop("PYTHONPATH", None)


def run(*words: str | Path, folder: Path) -> str:
    """The output of a command that has to succeed."""
    answer = subprocess.run(
        words, cwd=folder, env=OFFLINE, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sources by the pinned backend."""
    folder = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    run(*build, ROOT, folder=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `synthscale` command of a clean environment that holds the wheel."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    # Libraries come from this environment; its own .pth files, ours among them, are not followed.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python")
    run(*pip, "install", "--no-deps", "--quiet", "--ignore-installed", wheel, folder=folder)
    return folder / "bin" / "synthscale"


def test_a_wheel_holds_the_rooms_alone(wheel: Path) -> None:
    """Tests, manifests and documents stay at home; every room and its licence travel."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}

    assert {*rooms(), f"synthscale-{__version__}.dist-info"} == tops
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name]


def test_a_wheel_holds_every_file_of_a_room(wheel: Path) -> None:
    """Templates, bundled workloads and schemas travel beside the code that reads them."""
    names = set(zipfile.ZipFile(wheel).namelist())
    kinds = {".csv", ".gz", ".html", ".j2", ".json", ".py"}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for room in rooms()
        for path in (ROOT / room).rglob("*")
        if path.suffix in kinds
    }

    assert set() == wanted - names


def test_an_installed_wheel_answers_elsewhere(installed: Path, tmp_path: Path) -> None:
    """The command works from another folder, with the sources out of sight."""
    python = installed.parent / "python"
    where = run(python, "-c", "import synthscale; print(synthscale.__file__)", folder=tmp_path)

    assert run(installed, "--version", folder=tmp_path) == f"synthscale {__version__}\n"
    assert Path(where.strip()).is_relative_to(installed.parents[1])


@pytest.mark.skipif(
    importlib.util.find_spec("simulations.commands") is None
    or importlib.util.find_spec("simulations.commands.placement") is None,
    reason="the room has no such command yet",
)
def test_an_installed_wheel_reaches_its_rooms(installed: Path, tmp_path: Path) -> None:
    """A room's command, options and all, is loaded from the wheel."""
    told = run(installed, "simulate", "placement", "--help", folder=tmp_path)

    assert "--policies" in told
