"""What the tests keep between runs: one folder of the user's cache, its locks and its pruning.

A build costs minutes, so it outlives the checkout that made it; two runs that want the same thing
share it through a lock. Nothing here may know what is kept, and nothing may be written elsewhere.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_fleet.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["cache_folder", "made_whole", "mark_used", "only_one", "prune"]

DAY_S = 86_400.0
LOCK_POLL_S = 0.2
LONGEST_BUILD_S = 3_600.0
"""Four times what a cold build takes on two cores."""
KEPT_BUILDS = 2
"""The newest by use: two branches with different pins do not build in turns."""


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where it is: `XDG_CACHE_HOME`, else `~/.cache`, else the machine's folder for passing things.

    The last is for an account without a home, where a build is kept as long as the machine likes.
    """
    if named := environment.get("XDG_CACHE_HOME"):
        return Path(named) / "synthscale"
    if home := environment.get("HOME"):
        return Path(home) / ".cache" / "synthscale"
    return Path(tempfile.gettempdir()) / f"synthscale-cache-{os.getuid()}"


@contextmanager
def only_one(
    lock: Path,
    *,
    waiting: Callable[[], None] = lambda: None,
    limit_s: float = LONGEST_BUILD_S,
) -> Iterator[None]:
    """Held by one process at a time; the kernel lets go of it however the holder ends.

    `waiting` is called once when somebody else holds it.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise ServiceError(
            f"{lock.parent}: the cache cannot be written ({problem.strerror}); "
            "set XDG_CACHE_HOME to a folder that can"
        ) from problem
    try:
        if not _locked(handle):
            waiting()
            _lock_before(time.monotonic() + limit_s, handle, lock)
        yield
    finally:
        os.close(handle)


@contextmanager
def made_whole(place: Path) -> Iterator[Path]:
    """A scratch path beside `place` that becomes `place` in one step, or is gone without a trace.

    Hold `only_one` meanwhile: what a killed predecessor left of the same scratch is removed first.
    """
    scratch = place.with_name(f".{place.name}.unfinished")
    _remove(scratch)
    scratch.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield scratch
        scratch.rename(place)
    finally:
        _remove(scratch)


def mark_used(folder: Path) -> None:
    """Remember, in the folder's own date, that it was wanted now."""
    os.utime(folder)


def prune(
    parent: Path, prefix: str, *, keep: int = KEPT_BUILDS, unused_s: float = DAY_S
) -> list[Path]:
    """Remove folders called `PREFIX-...` but the `keep` wanted last; returns what it removed.

    What was wanted within `unused_s` stays in any case: another checkout may be running it.
    """
    last_wanted = {
        path: path.stat().st_mtime for path in parent.glob(f"{prefix}-*") if path.is_dir()
    }
    newest_first = sorted(last_wanted, key=lambda path: last_wanted[path], reverse=True)
    old = [path for path in newest_first[keep:] if time.time() - last_wanted[path] >= unused_s]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return old


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_before(deadline_s: float, handle: int, lock: Path) -> None:
    while not _locked(handle):
        if time.monotonic() > deadline_s:
            raise ServiceError(
                f"{lock}: held by another run for too long; end that run, then try again"
            )
        time.sleep(LOCK_POLL_S)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
