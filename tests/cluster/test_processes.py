"""Whatever ends a run ends what it started: nothing stays, no process, no file, no ledger entry.

The runs here are processes of their own, because they are ended in every way a run can be. What
they start is `sleep`; that a whole control plane ends likewise is told elsewhere.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import ServiceError
from tests.cluster.marks import VARIABLE, identity, marked, still_runs
from tests.cluster.processes import clear_up_after_the_killed, household, ledger
from tests.cluster.waiting import wait_until
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = """
import pathlib, sys, time
from tests.cluster.processes import household
with household("try", cache=pathlib.Path(sys.argv[1])) as house:
    house.start("sleep", ["sleep", "600"])
    house.start("shell", ["sh", "-c", "sleep 600 & exec sleep 600"])
    print(house.mark, house.group, house.folder, flush=True)
    if sys.argv[2] == "fail":
        raise ZeroDivisionError
    if sys.argv[2] == "wait":
        time.sleep(600)
"""


@contextmanager
def run(cache: Path, ending: str) -> Iterator[tuple[subprocess.Popen[str], str, int, Path]]:
    """A run with a household: the process, and its mark, group and folder."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN, cache, ending],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        mark, group, folder = process.stdout.readline().split()
        try:
            yield process, mark, int(group), Path(folder)
        finally:
            process.kill()


def nothing_left(cache: Path, mark: str, folder: Path) -> bool:
    """Whether neither a process nor a file nor an entry of that household is there."""
    return not marked(mark) and not folder.exists() and not list(ledger(cache).iterdir())


@pytest.mark.parametrize("ending", ["return", "fail"])
def test_a_run_that_ends_leaves_nothing(tmp_path: Path, ending: str) -> None:
    """A normal end and an exception leave nothing once the run itself is gone."""
    with run(tmp_path, ending) as (process, mark, _, folder):
        process.wait(60)

        assert nothing_left(tmp_path, mark, folder)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGABRT, signal.SIGKILL]
)
def test_a_run_that_is_ended_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, a polite end, a closed terminal, a crash and `kill -9` leave nothing, soon after."""
    with run(tmp_path, "wait") as (process, mark, _, folder):
        wait_until("three sleeps", lambda: len(marked(mark)) == 3)
        process.send_signal(number)
        process.wait(60)

        wait_until("clean machine", lambda: nothing_left(tmp_path, mark, folder), limit_s=20)


def test_the_next_run_clears_up_when_the_keeper_was_killed_too(tmp_path: Path) -> None:
    """After `kill -9` of run and keeper the processes stay until the next run ends them."""
    with run(tmp_path, "wait") as (process, mark, keeper, folder):
        wait_until("three sleeps", lambda: len(marked(mark)) == 3)
        os.kill(keeper, signal.SIGKILL)
        process.kill()
        process.wait(60)

        assert len(marked(mark)) == 3
        assert [mark] == clear_up_after_the_killed(tmp_path)
        assert nothing_left(tmp_path, mark, folder)


def test_a_run_does_its_killed_keepers_work(tmp_path: Path) -> None:
    """A household whose keeper was killed ends with its run all the same."""
    with household("try", cache=tmp_path) as house:
        house.start("sleep", ["sleep", "600"])
        os.kill(house.group, signal.SIGKILL)

    assert nothing_left(tmp_path, house.mark, house.folder)


def test_a_living_run_is_left_alone(tmp_path: Path) -> None:
    """Clearing up touches only what belongs to runs that are gone."""
    with household("try", cache=tmp_path) as house:
        sleep = house.start("sleep", ["sleep", "600"])

        assert clear_up_after_the_killed(tmp_path) == []
        assert sleep.ended_with is None


def test_a_reused_pid_is_not_taken_for_the_dead(tmp_path: Path) -> None:
    """A pid belongs to one process with its start time, and a killing goes by the mark alone."""
    folder = Path(tempfile.gettempdir()) / "synthscale-reused"
    folder.mkdir()
    mine = identity(os.getpid())
    assert mine is not None
    told = {"mark": "reused", "folder": str(folder), "owner": (mine[0], mine[1] - 1)}
    ledger(tmp_path).mkdir()
    (ledger(tmp_path) / "reused.json").write_text(json.dumps(told), encoding="utf-8")

    assert still_runs(mine)
    assert clear_up_after_the_killed(tmp_path) == ["reused"]
    assert not folder.exists()


def test_an_entry_nobody_can_read_does_not_stop_the_next_run(tmp_path: Path) -> None:
    """A ledger entry that is garbage is struck; it names nothing that could be cleared."""
    ledger(tmp_path).mkdir()
    (ledger(tmp_path) / "garbage.json").write_text("{", encoding="utf-8")

    assert clear_up_after_the_killed(tmp_path) == []
    assert list(ledger(tmp_path).iterdir()) == []


def test_two_households_do_not_meet(tmp_path: Path) -> None:
    """Two at once share no folder, group or port, and the end of one is not the other's."""
    with household("try", cache=tmp_path) as stays:
        sleep = stays.start("sleep", ["sleep", "600"])
        with household("try", cache=tmp_path) as ends:
            ends.start("sleep", ["sleep", "600"])
            ports = [house.take_port() for house in (stays, ends) for _ in range(50)]

        assert len(set(ports)) == 100
        assert stays.group != ends.group
        assert sleep.ended_with is None
        assert not ends.folder.exists()


def test_a_port_in_use_is_not_given_away(tmp_path: Path) -> None:
    """A port that a stranger listens on is passed over."""
    with household("try", cache=tmp_path) as house:
        port = house.take_port()
        with socket.create_server(("127.0.0.1", port)), household("try", cache=tmp_path) as other:
            taken = {other.take_port() for _ in range(20)}

    assert port not in taken


def test_a_program_has_many_lives_and_one_log(tmp_path: Path) -> None:
    """It is killed, started again just so, and its log tells both lives."""
    with household("try", cache=tmp_path) as house:
        program = house.start(
            "say", ["sh", "-c", "echo $WORD; exec sleep 600"], environment={"WORD": "here"}
        )
        for told in ("here\n", "here\nhere\n"):
            wait_until("words of this life", program.told, told.__eq__)
            program.kill()

            assert program.ended_with == -signal.SIGKILL

            program.start()


def test_a_program_that_hears_is_asked_first(tmp_path: Path) -> None:
    """SIGTERM brings a program's own exit code; one that does not hear it is killed in time."""
    with household("try", cache=tmp_path) as house:
        hears = house.start(
            "hears", ["sh", "-c", "trap 'exit 7' TERM; echo .; while :; do sleep 0.01; done"]
        )
        deaf = house.start(
            "deaf", ["sh", "-c", "trap '' TERM; echo .; while :; do sleep 0.01; done"]
        )
        for program in (hears, deaf):
            wait_until("a first word", program.told)

        assert hears.stop() == 7
        assert deaf.stop(limit_s=0.1) == -signal.SIGKILL


def test_waiting_for_a_program_has_a_limit(tmp_path: Path) -> None:
    """A program that should have ended is named, with the end of its log."""
    with household("try", cache=tmp_path) as house:
        endless = house.start("endless", ["sh", "-c", "echo at work; exec sleep 600"])
        wait_until("a first word", endless.told)

        with pytest.raises(ServiceError, match=r"endless still runs after 0 s.*\n.*at work"):
            endless.wait(0.01)


def test_a_terminals_ctrl_c_reaches_the_run_alone(tmp_path: Path) -> None:
    """All of a household is in the keeper's process group, where no terminal sends a signal."""
    with household("try", cache=tmp_path) as house:
        sleep = house.start("sleep", ["sleep", "600"])

        assert house.group == os.getpgid(sleep.pid) == os.getpgid(house.group)
        assert os.getpgid(sleep.pid) != os.getpgid(0)
        assert VARIABLE not in os.environ


def test_ending_is_quick(tmp_path: Path) -> None:
    """A household ends in well under a second, for tests start many."""
    with household("try", cache=tmp_path) as house:
        for number in range(6):
            house.start(f"sleep-{number}", ["sleep", "600"])
        begun_s = time.monotonic()

    assert time.monotonic() - begun_s < 10
