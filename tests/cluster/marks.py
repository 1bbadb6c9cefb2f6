"""Finds and ends processes by a mark in their environment, whoever their parent is by now.

A mark is there from a process's first instruction, is inherited by what it starts, and is never
reused, as a pid is. So nothing of ours is missed and nobody else's process is ever ended. It is
Linux's /proc that is read. This module stands on the standard library alone: the keeper runs it.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["VARIABLE", "Identity", "end_marked", "identity", "marked", "still_runs"]

VARIABLE = "SYNTHSCALE_CLUSTER_RUN"
PROC = Path("/proc")
SETTLE_S = 0.02
QUIET_LOOKS = 2
START_TIME_FIELD = 19
"""Of /proc/PID/stat after the name in parentheses: clock ticks since boot (proc(5), field 22)."""

Identity = tuple[int, int]
"""A pid and its start time: together they name one process for as long as the machine is up."""


def identity(pid: int) -> Identity | None:
    """Which process has this pid now; None when none has, or only what is left of one."""
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else (pid, int(fields[START_TIME_FIELD - 1]))


def still_runs(who: Identity) -> bool:
    """Whether that very process lives: a pid that was given to another is not it."""
    return identity(who[0]) == who


def marked(mark: str) -> list[int]:
    """Every process that carries the mark and may be read by us, this process excepted."""
    return [pid for pid in _pids() if pid != os.getpid() and _carries(pid, mark)]


def end_marked(mark: str, limit_s: float = 10.0) -> list[int]:
    """Kill all that carry the mark until two looks in a row find none; returns who is left.

    Two, because a process may be on its way from fork to exec, where it has no mark yet. Each is
    waited for: a killed process loses its mark some time before it closes its ports.
    """
    deadline_s = time.monotonic() + limit_s
    quiet = 0
    left: list[int] = []
    while quiet < QUIET_LOOKS and time.monotonic() < deadline_s:
        left = marked(mark)
        killed = [handle for pid in left if (handle := _kill(pid, mark)) is not None]
        for handle in killed:
            # Readable once the process has ended and everything it held is closed.
            select.select([handle], [], [], max(0.0, deadline_s - time.monotonic()))
            os.close(handle)
        quiet = 0 if left else quiet + 1
        time.sleep(SETTLE_S)
    return left


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _carries(pid: int, mark: str) -> bool:
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return f"{VARIABLE}={mark}".encode() in environment.split(b"\0")


def _kill(pid: int, mark: str) -> int | None:
    """Kill through a handle on the process, looked at again, so that a reused pid is safe."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return None
    if _carries(pid, mark):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        return handle
    os.close(handle)
    return None
