"""Ctrl-C in the middle of a long run: one word, exit code 130, no file, no process.

A terminal sends the signal to the whole process group, so the test does too, while two workers are
at work. This test waits for what happens, never for a time.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.simulations.commands.door import small_cluster

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_S = 60.0
_STAT_STATE, _STAT_GROUP = 0, 2


def group_members(group: int) -> list[int]:
    """Processes of a group that are not zombies."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if int(fields[_STAT_GROUP]) == group and fields[_STAT_STATE] != "Z":
            members.append(int(stat.parent.name))
    return members


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Look again and again, giving way in between; fails at the deadline."""
    pause = select.poll()
    for _ in range(int(DEADLINE_S * 50)):
        if happened():
            return
        pause.poll(20)
    pytest.fail(f"not within {DEADLINE_S} s: {what}")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("command", ["placement", "replay"])
@pytest.mark.parametrize(
    ("workers", "early"),
    [
        pytest.param(1, False, id="alone"),
        pytest.param(2, False, id="two workers at work"),
        pytest.param(2, True, id="two workers that still start"),
    ],
)
def test_an_interrupt(
    command: str,
    workers: int,
    early: bool,
    tmp_path: Path,
) -> None:
    """Nothing that was asked for is there, half or whole, and nobody goes on working."""
    files = small_cluster(tmp_path, pods=400)
    before = sorted(tmp_path.iterdir())
    outputs = [
        word
        for option, name in (("--json", "o.json"), ("--log", "o.log"), ("--report", "o.html"))
        for word in (option, str(tmp_path / name))
    ]
    words = ["simulate", command, *files, "--seeds", "1..5000", "--workers", str(workers), *outputs]
    with subprocess.Popen(
        [sys.executable, "-m", "synthscale", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            # With workers: this many, and the tracker of what they share.
            expected = 1 if workers == 1 else 2 + workers
            wait_until(lambda: len(group_members(process.pid)) >= expected, "the workers start")
            if not early:
                wait_until(lambda: _has_worked(process.pid, expected), "everybody works")
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=DEADLINE_S)
            wait_until(lambda: not group_members(process.pid), "all processes end")
        finally:
            if group_members(process.pid):
                os.killpg(process.pid, signal.SIGKILL)

    assert err == "synthscale: interrupted\n"
    # A shell says 130 in both cases: where Ctrl-C met Python inside an exec(), as dataclasses use
    # on import, the interpreter ends itself by the signal although the interrupt was handled.
    assert process.returncode in {130, -signal.SIGINT}
    assert out == ""
    assert before == sorted(tmp_path.iterdir())


def _has_worked(group: int, expected: int) -> bool:
    """Enough of the group's processes have used a second or more of CPU: imports are over."""
    tick = os.sysconf("SC_CLK_TCK")
    busy = 0
    for member in group_members(group):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        busy += int(fields[11]) + int(fields[12]) >= 1.0 * tick
    return busy >= min(expected, 2)
