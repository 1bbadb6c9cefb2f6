"""A file has all of the text or what it had before; what cannot be written is said in a line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError
from simulations.report import write
from simulations.report.write import check_target, write_whole

if TYPE_CHECKING:
    from pathlib import Path


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    """`--report out/demo/report.html` needs no mkdir before it."""
    write_whole(tmp_path / "out" / "demo" / "report.html", "whole")

    assert contents(tmp_path) == {"out/demo/report.html": "whole"}


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    """The second run's report takes the place of the first, with nothing beside it."""
    write_whole(tmp_path / "report.html", "a long text of the first run")
    write_whole(str(tmp_path / "report.html"), "second")

    assert contents(tmp_path) == {"report.html": "second"}


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt, OSError(28, "No space left"), MemoryError]
)
def test_an_interruption_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    """Ctrl-C or a full disk in the middle of writing: the old file stands, no draft is left."""
    write_whole(tmp_path / "report.html", "before")

    def interrupted(draft: Path, content: bytes) -> None:
        draft.write_bytes(content[:3])
        raise interruption

    monkeypatch.setattr(write, "_write_down", interrupted)
    with pytest.raises((KeyboardInterrupt, InputError, MemoryError)):
        write_whole(tmp_path / "report.html", "afterwards")

    assert contents(tmp_path) == {"report.html": "before"}


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The file that a link names is written; the link stays a link."""
    (tmp_path / "latest.html").symlink_to(tmp_path / "real.html")
    write_whole(tmp_path / "latest.html", "whole")

    assert (tmp_path / "latest.html").is_symlink()
    assert (tmp_path / "real.html").read_text(encoding="utf-8") == "whole"


def test_a_new_file_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    """A report is made to be passed on: it is as readable as any file of this person."""
    (tmp_path / "plain").touch()
    write_whole(tmp_path / "report.html", "whole")

    assert (tmp_path / "plain").stat().st_mode == (tmp_path / "report.html").stat().st_mode


def test_half_a_character_does_not_lose_the_report(tmp_path: Path) -> None:
    """A file name that is not UTF-8 reaches Python as half characters."""
    write_whole(tmp_path / "report.html", "pods-\udcff.csv \u2212")

    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "pods-?.csv \u2212"


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("folder", "is a folder; name a file in it"),
        ("file/report.html", "is not a folder; name a file in a folder that you may write to"),
        ("pipe", "is not a plain file; name a file"),
        ("x" * 300, "cannot be written (File name too long); name a file"),
    ],
)
@pytest.mark.parametrize("act", [check_target, lambda path: write_whole(path, "text")])
def test_what_cannot_be_written_is_an_input_error(
    tmp_path: Path, target: str, problem: str, act: object
) -> None:
    """One line that names the path and says what to do, before a run and after it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    assert callable(act)
    with pytest.raises(InputError) as caught:
        act(tmp_path / target)

    told = str(caught.value)
    assert told.startswith(f"{tmp_path / target}: ")
    assert problem in told
    assert "\n" not in told


def test_a_folder_without_permission_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before the run; root may write anywhere, so the answer of the system is played."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match="no permission to write in"):
        check_target(tmp_path / "deep" / "report.html")

    assert contents(tmp_path) == {}


def test_a_check_leaves_no_trace(tmp_path: Path) -> None:
    """Looking whether it can be written makes no folder."""
    check_target(tmp_path / "out" / "report.html")

    assert list(tmp_path.iterdir()) == []
