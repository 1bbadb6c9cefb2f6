"""The cache is shared by runs: one builds, the others wait, a killed one leaves no half.

Locks are the kernel's, so they are tried between real processes. Nothing is built here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import ServiceError
from tests.cluster.cache import cache_folder, made_whole, only_one, prune
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import pathlib, sys, time
from tests.cluster.cache import only_one
with only_one(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/synthscale"),
        ({"HOME": "/h"}, "/h/.cache/synthscale"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/synthscale"),
    ],
)
def test_the_cache_is_the_users(environment: dict[str, str], folder: str) -> None:
    """It is where the desktop's convention puts it."""
    assert folder == str(cache_folder(environment))


def test_an_account_without_a_home_has_a_cache() -> None:
    """Somebody without a home gets a folder of their own among the passing ones."""
    assert str(os.getuid()) in cache_folder({}).name


def test_a_lock_is_held_by_one_process_and_freed_by_its_death(tmp_path: Path) -> None:
    """A second process waits, says that it waits, and goes on once the first is killed."""
    lock = tmp_path / "lock"
    told: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, lock], cwd=ROOT, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(ServiceError, match="held by another run"),
            only_one(lock, waiting=lambda: told.append("waiting"), limit_s=0),
        ):
            pytest.fail("two hold one lock")
        holder.kill()
        with only_one(lock):
            told.append("held")

    assert told == ["waiting", "held"]


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Where no folder can be made, the error says which variable names another."""
    (tmp_path / "file").touch()

    with (
        pytest.raises(ServiceError, match=r"cannot be written.*XDG_CACHE_HOME"),
        only_one(tmp_path / "file" / "lock"),
    ):
        pytest.fail("a lock inside a file")


def test_a_thing_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """A maker that fails leaves nothing, and what a killed one left does not disturb the next."""
    place = tmp_path / "thing"
    with suppress(ZeroDivisionError), made_whole(place) as scratch:
        scratch.write_text("half", encoding="utf-8")
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []

    scratch.mkdir()
    with made_whole(place) as scratch:
        scratch.write_text("whole", encoding="utf-8")

    assert [place] == list(tmp_path.iterdir())
    assert place.read_text(encoding="utf-8") == "whole"


def test_builds_that_nobody_wants_are_removed(tmp_path: Path) -> None:
    """The newest by use stay, and so does whatever was wanted today."""
    for age_days, name in enumerate(["g-today", "g-older", "g-oldest", "other-oldest"]):
        (tmp_path / name).mkdir()
        wanted_s = (tmp_path / name).stat().st_mtime - age_days * 86_400
        os.utime(tmp_path / name, (wanted_s, wanted_s))
    os.utime(tmp_path / "g-oldest", (0, 0))

    assert prune(tmp_path, "g", keep=3) == []
    assert [tmp_path / "g-oldest"] == prune(tmp_path, "g", keep=2)
    assert prune(tmp_path, "g", keep=0, unused_s=1e12) == []
    assert {"g-today", "g-older", "other-oldest"} == {path.name for path in tmp_path.iterdir()}
