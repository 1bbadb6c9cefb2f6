"""A finished walk is found again, byte for byte; what else lies in its place is not believed."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpu_fleet.errors import InputError
from gpu_fleet.forecasts import Target
from simulations.runs.walks import Kept, WalkTask, checked_folder, kept_in_words, take
from tests.simulations.forecasts.made import NAIVE_SPEC, days, series_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def task(tmp_path: Path) -> WalkTask:
    """Last value through 10 days of hours."""
    series = series_of(days(10))
    plan = NAIVE_SPEC.plan(series)
    asked = plan.targets, NAIVE_SPEC.levels, plan.walk
    return WalkTask(series, "last-value", *asked, folder=tmp_path)


def same(one: Kept, other: Kept) -> bool:
    """Whether both hold the same answers and times."""
    times = [(kept.told.name, kept.told.fit_s, kept.told.predict_ms) for kept in (one, other)]
    return times[0] == times[1] and one.told.raw.tobytes() == other.told.raw.tobytes()


def test_a_walk_that_is_kept_is_found_again(task: WalkTask) -> None:
    """With the times that it took then."""
    first, second = take(task), take(task)

    assert (first.was_found, second.was_found) == (False, True)
    assert same(first, second)
    assert kept_in_words([first, second]) == ("1 walk of 2 found again",)


def test_without_a_folder_nothing_is_kept(task: WalkTask, tmp_path: Path) -> None:
    """Nothing is written that nobody asked for."""
    take(replace(task, folder=None))

    assert list(tmp_path.iterdir()) == []


def test_only_whole_files_are_there(task: WalkTask, tmp_path: Path) -> None:
    """One file for a walk, and nothing beside it."""
    take(task)

    assert list(tmp_path.iterdir()) == [task.file]


def test_series_that_differ_in_odd_characters_do_not_meet(task: WalkTask) -> None:
    """A file name holds no slash; the series stay apart."""
    slash, colon = (
        replace(task, series=replace(task.series, name=name)).file for name in ("a/b", "a:b")
    )

    assert slash is not None
    assert slash != colon
    assert "/" not in slash.name


@pytest.mark.parametrize("what", ["data", "settings"])
def test_a_walk_of_something_else_is_told_and_taken_anew(task: WalkTask, what: str) -> None:
    """One value that changed, or another horizon, makes a file stale."""
    take(task)
    values = task.series.values.copy()
    values[17] += 1
    changed = {
        "data": replace(task, series=series_of(values)),
        "settings": replace(task, targets=(Target(2),)),
    }[what]
    kept = take(changed)

    assert not kept.was_found
    assert "is of other data, settings or code" in kept.refused
    assert take(changed).was_found


def empty(path: Path) -> None:
    """Nothing in it."""
    path.write_bytes(b"")


def noise(path: Path) -> None:
    """No zip at all."""
    path.write_bytes(bytes(range(256)) * 64)


def half(path: Path) -> None:
    """Cut in the middle."""
    path.write_bytes(path.read_bytes()[:-300])


def headless(path: Path) -> None:
    """Numbers without a header."""
    with path.open("wb") as out:
        np.savez(out, raw=np.zeros((3, 2, 3)))


def pickled(path: Path) -> None:
    """A header that would run code if it were unpickled."""

    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
            return os.system, (f"touch {path}.sprung",)

    with path.open("wb") as out:
        np.savez(out, header=np.array([Trap()], dtype=object), raw=np.zeros((3, 2, 3)))


def misshapen(path: Path) -> None:
    """The right header over too few answers."""
    with np.load(path) as file:
        header = file["header"]
    with path.open("wb") as out:
        np.savez(out, header=header, raw=np.zeros((3, 2, 3)))


def bomb(path: Path) -> None:
    """A few kilobytes that unpack to 64 MiB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("header.npy", bytes(64 << 20))


def wordless(path: Path) -> None:
    """A header that is no JSON."""
    with path.open("wb") as out:
        np.savez(out, header=np.zeros(9, dtype=np.uint8), raw=np.zeros((3, 2, 3)))


SPOILT = [empty, noise, half, headless, pickled, misshapen, bomb, wordless]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_a_foreign_file_is_told_and_replaced(
    spoil: Callable[[Path], None], task: WalkTask, tmp_path: Path
) -> None:
    """It is never unpickled and never half believed."""
    first = take(task)
    assert task.file is not None
    spoil(task.file)
    again = take(task)

    assert not again.was_found
    assert again.refused.startswith(task.file.name)
    assert again.told.raw.tobytes() == first.told.raw.tobytes()
    assert list(tmp_path.iterdir()) == [task.file]
    assert take(task).was_found


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A file is in its place."""
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match=r"--resume: .* cannot be a folder"):
        checked_folder(str(tmp_path / "file"))
    assert checked_folder(None) is None
