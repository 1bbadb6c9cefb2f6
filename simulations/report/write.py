"""A text into a file, whole or not at all.

A report that stops in the middle looks like a result. So the text goes to a file beside the
target, which takes the target's name only when all of it is on the disk; whatever interrupts,
the target is what it was before.
This is shell. It must not know what it writes, and it never replaces what is not a plain file.
"""

from __future__ import annotations

import os
from pathlib import Path

from gpu_fleet.errors import InputError

__all__ = ["check_target", "write_whole"]


def write_whole(path: Path | str, text: str) -> None:
    """Writes `text` as UTF-8 to `path`, creating missing folders; raises InputError.

    A link is followed. Half a character, as in a file name that is not UTF-8, becomes "?".
    """
    check_target(path)
    target = Path(os.path.realpath(path))
    # In the same folder, since a name can be taken over atomically only within a file system.
    draft = target.with_name(f".{target.name[:200]}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_down(draft, text.encode("utf-8", errors="replace"))
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise _complaint(path, f"cannot be written ({error.strerror})") from error


def check_target(path: Path | str) -> None:
    """Raises InputError where `write_whole` is bound to fail; for before a long run, not after."""
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir():
            raise InputError(
                "is a folder",
                remedy=f"name a file in it: {Path(path) / 'report.html'}",
                file=str(path),
            )
        if target.exists() and not target.is_file():
            raise _complaint(path, "is not a plain file")
        there = next(folder for folder in target.parents if folder.exists())
        if not there.is_dir():
            raise _complaint(path, f"{there} is not a folder")
    except OSError as error:
        raise _complaint(path, f"cannot be written ({error.strerror})") from error
    if not os.access(there, os.W_OK | os.X_OK):
        raise _complaint(path, f"no permission to write in {there}")


def _write_down(draft: Path, content: bytes) -> None:
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _complaint(path: Path | str, problem: str) -> InputError:
    return InputError(
        problem, remedy="name a file in a folder that you may write to", file=str(path)
    )
